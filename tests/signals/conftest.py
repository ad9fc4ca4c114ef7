"""Exchanges and signals, an encoder that knows first letters, and what listeners make of a conversation."""

from collections.abc import Callable

import numpy as np
import pytest

from openflywheel.base.nouns import Exchange, Signal


class ByFirstWord:
    """Texts that begin with the same letter mean the same; counts the texts it encoded."""

    def __init__(self):
        self.encoded = 0

    def encode(self, texts):
        self.encoded += len(texts)
        rows = [np.eye(26, dtype=np.float32)[ord(t[0].lower()) - ord("a")] for t in texts]
        return np.stack(rows) if rows else np.zeros((0, 26), np.float32)


@pytest.fixture
def encoder() -> ByFirstWord:
    return ByFirstWord()


def _asked(input: str = "?", output: str = "x", at: float = 0.0, **fields: object) -> Exchange:
    made = {"episode": "e", "task": "route", "variant": "m", **fields}
    return Exchange(input=input, output=output, at=at, **made)


@pytest.fixture(scope="session")
def asked() -> Callable[..., Exchange]:
    return _asked


@pytest.fixture(scope="session")
def told() -> Callable[..., Signal]:
    def tell(about: Exchange, kind: str = "rating", value: float = 1.0, **fields: object) -> Signal:
        said = {"exchange": about.id, "episode": about.episode, "source": "user", "explicit": True}
        return Signal(kind=kind, value=value, **{**said, **fields})

    return tell
