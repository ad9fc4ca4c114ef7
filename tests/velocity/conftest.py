"""A log as the gauges see it, empty but for what a test puts in."""

from collections.abc import Callable
from typing import Any

import pytest

from openflywheel.velocity import Log


def _log(**parts: Any) -> Log:
    empty = {
        "turn": 3, "new_steps": [], "new_exchanges": [], "new_signals": [],
        "readings": [], "verdicts": [], "models": {}, "datasets": {},
    }  # fmt: skip
    return Log(**(empty | parts))


@pytest.fixture(scope="session")  # it only makes things, so hypothesis may share it
def log() -> Callable[..., Log]:
    return _log
