"""What a run tells of itself while it goes on; and the silence of the libraries that it runs in."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import datasets
from transformers import TrainerCallback
from transformers.utils import logging as transformers_logging

from openflywheel.customize._tuning.tuning import Progress

TOLD = ("loss", "reward_accuracy")  # of training, where the trainer has it
LOUD = ("transformers", "trl", "peft", "accelerate")


class Telling(TrainerCallback):  # type: ignore[misc]  # transformers is not followed
    """Tells `progress` the step, the number of steps and what is TOLD, each time that the trainer logs."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_log(self, _: Any, state: Any, *__: Any, logs: Any, **___: Any) -> None:
        """Called by the trainer with what it has just measured."""
        if state.is_world_process_zero and "loss" in logs:
            said = {"step": state.global_step, "steps": state.max_steps}
            said |= {name: logs[name] for name in TOLD if name in logs}
            self.progress({name: float(value) for name, value in said.items()})


@contextmanager
def quiet() -> Iterator[None]:
    """Within the block those libraries show no bars and log errors only.

    They warn of settings that we chose, and of each other: peft and TRL use old names of transformers.
    """
    before = {name: logging.getLogger(name).level for name in LOUD}
    shown, mapped = transformers_logging.is_progress_bar_enabled(), datasets.are_progress_bars_disabled()
    try:
        for name in LOUD:
            logging.getLogger(name).setLevel(logging.ERROR)
        transformers_logging.disable_progress_bar()
        datasets.disable_progress_bars()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`.*` is deprecated and will be removed in v6", FutureWarning)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        if not mapped:
            datasets.enable_progress_bars()
        if shown:
            transformers_logging.enable_progress_bar()
