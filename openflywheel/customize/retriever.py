"""A search that learns from what people chose: the sentence encoder, tuned, and BM25 beside it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.forms.retriever import Retriever, turned
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._retriever.contrast import Progress, Shown, tuned, tuned_for
from openflywheel.customize._retriever.joining import Way, gain, ways
from openflywheel.customize._retriever.lexical import index
from openflywheel.customize._retriever.negatives import mined
from openflywheel.customize._retriever.pairs import Pairs, Question, pairs

KINDS = ("rank",)

Matrix = NDArray[np.float32]


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


def retriever(lesson: Lesson, *, encoder: Encoder, artefacts: Path, seed: int, progress: Progress) -> Model:
    """Finds the items that people chose for questions like this one.

    The rows whose meta says "item" are the items, by id; those with a label are questions, and the label is
    the id of the item that was right. Questions and items are turned towards each other by a contrastive loss
    with mined hard negatives; then the tuned vectors alone, BM25 alone, both fused by reciprocal rank, or a
    reranker over their scores is chosen by nDCG@10 on questions that taught nothing: the lesson's validation
    rows or, with fewer than 20 of those, every fifth item's questions, which then teach as well, for as many
    rounds as were best. The report holds each one's "ndcg@10" on those questions, and the untuned encoder's.
    Raises SettingsError for too few items or questions.
    """
    start, task = time.process_time(), lesson.dataset.task
    found = pairs(lesson)
    made, way, report = _Bench(found, encoder, seed, progress).made()
    place = made.keep(
        artefacts, task=task, kind=lesson.kind, method=way.name, base={"name": encoder.name},
        taught_by=[lesson.dataset.id], report=report,
    )  # fmt: skip
    return lesson.model(f"retriever.{way.name}", place, base=encoder.name, report=report, start=start)


class _Bench:
    """The pairs with their vectors, which one retriever is made from."""

    def __init__(self, found: Pairs, encoder: Encoder, seed: int, progress: Progress) -> None:
        self._found, self._encoder, self._seed, self._progress = found, encoder, seed, progress
        self._items, self._words = encoder.encode(found.texts), index(found.texts)
        self._asked = encoder.encode([question.text for question in found.choosing])

    def made(self) -> tuple[Retriever, Way, dict[str, float]]:
        """The retriever, how it joins what it knows, and its report."""
        found, items = self._found, self._items
        turns, rounds = tuned(self._shown(found.taught), self._judge, self._seed, self._progress)
        asked, turned_items = turned(self._asked, turns.question), turned(items, turns.item)
        every = ways(found.choosing, asked, turned_items, self._words)
        way = max(every, key=lambda one: one.figure)
        if found.apart:
            turns = tuned_for(self._shown([*found.taught, *found.choosing]), rounds, self._seed)
        made = Retriever(
            found.ids, turned(items, turns.item), turns.question, self._words, way.weights, self._encoder
        )
        return made, way, self._report(every, way)

    def _shown(self, questions: Sequence[Question]) -> Shown:
        vectors = self._encoder.encode([question.text for question in questions])
        return Shown(questions, vectors, self._items, mined(questions, vectors, self._items, self._words))

    def _judge(self, question: Matrix, item: Matrix) -> float:
        return gain(self._found.choosing, turned(self._asked, question), turned(self._items, item))

    def _report(self, every: Sequence[Way], way: Way) -> dict[str, float]:
        found = self._found
        return {
            "ndcg@10": way.figure,
            "ndcg@10 encoder": gain(found.choosing, self._asked, self._items),
            **{f"ndcg@10 {one.name}": one.figure for one in every},
            "items": float(len(found.ids)),
            "questions": float(len(found.taught)),
            "validation questions": float(len(found.choosing)),
            "rows of unknown items": float(found.unknown),
        }
