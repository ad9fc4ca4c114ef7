"""What a model that was opened can do, by the kind of its task; it may do several of these."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Chat = Sequence[Mapping[str, str]]
"""Messages of a conversation, each with "role" and "content", the last one to be answered."""


@runtime_checkable
class Labelling(Protocol):
    """Chooses among known labels."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What it can answer; a label that was never taught is not among them."""
        ...

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probabilities, shape (len(texts), len(labels)); rows sum to 1."""
        ...


@runtime_checkable
class Estimating(Protocol):
    """Says a number."""

    def estimates(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """For each text its estimate and the ends of a 90 % interval, shape (len(texts), 3)."""
        ...


@runtime_checkable
class Writing(Protocol):
    """Writes an answer."""

    def write(self, chats: Sequence[Chat], *, most_tokens: int = 256) -> list[str]:
        """The next message of each chat, at most so many tokens long."""
        ...


class Asked(Struct, frozen=True):
    """Who asks for items, and what is known of it: words, a person's opaque key, items of the session."""

    text: str = ""
    subject: str = ""
    session: tuple[str, ...] = ()


@runtime_checkable
class Ranking(Protocol):
    """Orders items."""

    def best(self, asked: Sequence[Asked], k: int) -> list[list[tuple[str, float]]]:
        """For each the k best items with their scores, the best first; fewer where there are no more."""
        ...


class Drawn(Struct, frozen=True):
    """An item that was drawn, its score, and the chance that it had, given those drawn before it."""

    item: str
    score: float
    propensity: float


@runtime_checkable
class Exploring(Protocol):
    """Orders items with some chance in it, and tells the chances: so one can learn what was not shown."""

    def drawn(self, asked: Sequence[Asked], k: int, seed: int) -> list[list[Drawn]]:
        """For each k items in the order in which they were drawn; fewer where there are no more."""
        ...


Answers = Labelling | Estimating | Writing | Ranking
