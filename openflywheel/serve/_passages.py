"""The passages that text tasks are answered from, and the search among them.

A passage's score for a question, its confidence, is the cosine of their sentence vectors: a similarity in
[0, 1], not a probability; 1 also where a question is asked again in the same words. An answer that was
given is compared together with its question. Measured: with at most one wrong answer in ten, 45 of 60
reworded questions (benchmarks/shop_faq.json) are answered so, 21 if compared with the questions alone.

There is no lexical part. The share of a question's words that stand in a passage (idf-weighted, .3 beside .7
of the cosine) made that 21 instead of 45; the best candidate was right in .708 instead of .669 of 366
questions of hetPQA and in .823 instead of .836 of 226 of semiPQA; BM25 alone .560 and .504, fused with the
cosine by rank .582 and .633.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Protocol
from unicodedata import normalize

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.nouns import EXCHANGE, Row
from openflywheel.serve._sentences import pieces
from openflywheel.serve.extractive import Quote

MOST = 50_000  # newest passages that are searched: 77 MB of MiniLM's vectors
BLOCK = 256  # passages embedded at once
BOTH = 0.8  # a neighbouring sentence is quoted too from this share of the best one's score on
CHOICES = 3
TRUST = ("", "seed", "user", "expert")  # whose answer holds, where several were given to one question
GIST = 300  # characters of an answer that are compared beside its question: more would drown it
MARKS = "?!. \u3002\u061f"

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What makes the vectors (base/instruments/encoder.py)."""

    @property
    def width(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class Passage(Struct, frozen=True, kw_only=True):
    """`text` is compared with questions, `answer` is quoted: `whole`, or with a sentence beside it.

    `question` is the one that the answer was given to, if any; from `ends` on (Unix seconds) it has expired.
    """

    text: str
    answer: str
    row: str
    question: str = ""
    uri: str = ""
    whole: bool = True
    ends: float = inf


def passages(rows: Iterable[Row], task: str) -> list[Passage]:
    """What may be quoted for a task, of rows that come oldest first; newest first, at most `MOST`.

    A row with an answer for this task gives that answer; one with labels of other tasks is a question, and
    gives none. Documents, which have no labels and are nobody's own words, give their sentences. Held-out
    rows give nothing: they are what the wheel is examined with.
    """
    taught = [row for row in rows if row.role == "train"]
    given = _best(row for row in taught if row.labels.get(task))
    found: dict[tuple[str, str], Passage] = {}
    for row in reversed(taught):
        for passage in _answer(row, task) if given.get(_same(row.text)) == row.id else _document(row):
            found.setdefault((passage.text, passage.answer), passage)
        if len(found) >= MOST:
            break
    return list(found.values())[:MOST]


def _best(rows: Iterable[Row]) -> dict[str, str]:
    """Question -> the row with the answer that holds: the most trusted one's, then the newest."""
    chosen: dict[str, Row] = {}
    for row in rows:
        before = chosen.get(_same(row.text))
        if before is None or _trust(row) >= _trust(before):
            chosen[_same(row.text)] = row
    return {key: row.id for key, row in chosen.items()}


def _trust(row: Row) -> int:
    return TRUST.index(row.labelled_by) if row.labelled_by in TRUST else 0


def _answer(row: Row, task: str) -> Iterator[Passage]:
    # What a person asked is not for others' eyes.
    uri = "" if row.subject or row.uri.startswith(EXCHANGE) else row.uri
    answer = row.labels[task]
    text = f"{row.text} {answer[:GIST]}"
    yield Passage(text=text, answer=answer, row=row.id, question=row.text, uri=uri, ends=_ends(row))


def _document(row: Row) -> Iterator[Passage]:
    if row.labels or row.subject:
        return
    for piece in pieces(row.text):
        whole = piece.answer != piece.text
        yield Passage(
            text=piece.text, answer=piece.answer, row=row.id, uri=row.uri, whole=whole, ends=_ends(row)
        )


def _ends(row: Row) -> float:
    return inf if row.expires_at is None else row.expires_at


class Index:
    """Passages with their vectors in memory, float32, shape (n, encoder.width)."""

    def __init__(self, found: Sequence[Passage], encoder: Encoder) -> None:
        self._passages, self._encoder = found, encoder
        self._vectors = np.empty((len(found), encoder.width), np.float32)
        self._ends = np.array([p.ends for p in found])
        self._same = {same: place for place, p in enumerate(found) if (same := _same(p.question))}
        self._ready = 0

    def grow(self, patience: float) -> None:
        """Embed the newest passages that have no vector yet, for about so many seconds; the rest waits."""
        until = time.monotonic() + patience
        while self._ready < len(self._passages):
            block = self._passages[self._ready : self._ready + BLOCK]
            self._vectors[self._ready : self._ready + len(block)] = self._encoder.encode(
                [p.text for p in block]
            )
            self._ready += len(block)
            if time.monotonic() >= until:
                return

    def search(self, questions: Sequence[str], now: float) -> list[list[Quote]]:
        """For each question the best quotes, best first; what has expired by `now` is not among them."""
        if not self._ready or not questions:
            return [[] for _ in questions]
        scores = np.clip(self._encoder.encode(questions) @ self._vectors[: self._ready].T, 0, 1)
        for row, question in enumerate(questions):
            if (place := self._same.get(_same(question), self._ready)) < self._ready:
                scores[row, place] = 1
        scores[:, self._ends[: self._ready] <= now] = 0
        return [list(self._quotes(row)) for row in scores]

    def _quotes(self, scores: Vectors) -> Iterator[Quote]:
        some = min(2 * CHOICES, len(scores))
        best = np.argpartition(-scores, some - 1)[:some]
        said: set[str] = set()
        for place in best[np.argsort(-scores[best], kind="stable")]:
            passage, text = self._passages[place], self._text(int(place), scores)
            if scores[place] > 0 and text not in said and len(said) < CHOICES:
                said.add(text)
                yield Quote(text=text, confidence=float(scores[place]), row=passage.row, uri=passage.uri)

    def _text(self, place: int, scores: Vectors) -> str:
        """An answer that was given whole; of a document the best sentence and at most one beside it."""
        here = self._passages[place]
        if here.whole:
            return here.answer
        near = [i for i in (place - 1, place + 1) if 0 <= i < len(scores) and self._beside(here, i)]
        as_good = [i for i in near if BOTH * scores[place] <= scores[i] <= scores[place]]
        second = max(as_good, key=lambda i: scores[i], default=place)
        return " ".join(self._passages[i].answer for i in sorted({place, second}))

    def _beside(self, here: Passage, place: int) -> bool:
        there = self._passages[place]
        return there.row == here.row and not there.whole


def _same(question: str) -> str:
    """What two questions share that differ in nothing but case, spaces and the marks at their ends."""
    return " ".join(normalize("NFKC", question).casefold().split()).strip(MARKS)
