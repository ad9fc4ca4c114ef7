"""Rows as questions whose answer is known, each with the demonstrations that it may be shown."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.forms.prompt import Encoder, Examples, Pool, user
from openflywheel.base.instruments.answers import Chat
from openflywheel.base.instruments.prompting import Example
from openflywheel.base.nouns import Row

HALF = 0.5  # a row that weighs less than this against the middle one is doubted, and demonstrates nothing


class Question(Struct, frozen=True):
    """What is asked, what is right, and the demonstrations, the nearest first."""

    chat: Chat
    right: str
    nearest: Examples

    @property
    def text(self) -> str:
        """The last message."""
        return self.chat[-1]["content"]


class Teaching(Struct, frozen=True):
    """Rows that may be shown, with the pool that they make."""

    rows: Sequence[Row]
    pool: Pool
    encoder: Encoder

    def questions(self, rows: Sequence[Row], task: str, k: int) -> list[Question]:
        """Rows as questions; shown are neither the same text nor rows of the same person."""
        near: list[Examples] = [()] * len(rows)
        if k and rows:
            near = self.pool.nearest(self.encoder.encode([row.text for row in rows]), k, self._barred(rows))
        return [Question(_chat(r), r.labels[task], e) for r, e in zip(rows, near, strict=True)]

    def _barred(self, rows: Sequence[Row]) -> NDArray[np.bool_]:
        """Shape (len(rows), len(self.rows)): the same text, or the same person where one is known."""
        texts, people = (
            _numbered(map(_same, [*rows, *self.rows])),
            _numbered(r.subject for r in [*rows, *self.rows]),
        )
        n, known = len(rows), np.array([bool(row.subject) for row in self.rows])
        barred: NDArray[np.bool_] = (texts[:n, None] == texts[n:]) | (
            (people[:n, None] == people[n:]) & known
        )
        return barred


def teaching(rows: Sequence[Row], task: str, encoder: Encoder) -> Teaching:
    """The rows that are not doubted, with their vectors."""
    middle = float(np.median([row.weight for row in rows]))
    shown = [row for row in rows if row.weight >= HALF * middle]
    examples = tuple(Example(row.id, row.text, row.labels[task]) for row in shown)
    return Teaching(shown, Pool(examples, encoder.encode([row.text for row in shown])), encoder)


def score(kind: str, said: str, right: str) -> float:
    """1 for the right label, else 0; of a text the F1 of its words (SQuAD: Rajpurkar et al. 2016)."""
    if kind == "label":
        return float(said == right)
    given, wanted = Counter(said.casefold().split()), Counter(right.casefold().split())
    shared = sum((given & wanted).values())
    return 2 * shared / (given.total() + wanted.total()) if shared else 0.0


def _chat(row: Row) -> Chat:
    chat: Chat = json.loads(row.meta["chat"]) if "chat" in row.meta else user(row.text)
    return chat


def _same(row: Row) -> str:
    return " ".join(row.text.casefold().split())


def _numbered(names: Iterable[str]) -> NDArray[np.int64]:
    """A number for each name, the same for the same."""
    known = dict[str, int]()
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)
