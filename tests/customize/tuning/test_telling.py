import logging
import warnings

import datasets
import pytest
from transformers import TrainerControl, TrainerState
from transformers.utils import logging as transformers_logging

from openflywheel.customize._tuning.telling import Telling, quiet


def tell(logs, **state):
    told = []
    Telling(told.append).on_log(None, TrainerState(**state), TrainerControl(), logs=logs, model=None)
    return told


def test_it_tells_step_steps_and_loss():
    assert tell({"loss": 1.5, "learning_rate": 1e-4}, global_step=3, max_steps=9) == [
        {"step": 3.0, "steps": 9.0, "loss": 1.5}
    ]


def test_it_tells_nothing_of_validation_or_the_end():
    assert tell({"eval_loss": 1.0}, global_step=3, max_steps=9) == []
    assert tell({"train_runtime": 1.0}, global_step=3, max_steps=9) == []


def test_only_the_first_process_tells():
    assert tell({"loss": 1.5}, global_step=3, max_steps=9, is_world_process_zero=False) == []


def test_it_is_quiet_within_the_block_and_as_before_after_it():
    logger = logging.getLogger("trl")
    before = (
        logger.level,
        transformers_logging.is_progress_bar_enabled(),
        datasets.are_progress_bars_disabled(),
    )
    with quiet():
        assert not logger.isEnabledFor(logging.WARNING)
        assert logger.isEnabledFor(logging.ERROR)
        assert not transformers_logging.is_progress_bar_enabled()
        assert datasets.are_progress_bars_disabled()
        warnings.warn(
            "`x` is deprecated and will be removed in v6. Use `y` instead.", FutureWarning, stacklevel=1
        )
    assert before == (
        logger.level, transformers_logging.is_progress_bar_enabled(), datasets.are_progress_bars_disabled()
    )  # fmt: skip


def test_other_warnings_are_heard_and_an_error_ends_the_silence():
    with pytest.raises(UserWarning), quiet():
        warnings.warn("this is ours", UserWarning, stacklevel=1)
    assert logging.getLogger("trl").isEnabledFor(logging.WARNING)
