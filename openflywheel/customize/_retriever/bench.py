"""Makes a retriever on one encoder: turns its vectors, joins BM25, and says how well each way did."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.forms.retriever import Encoder, Retriever, turned
from openflywheel.customize._retriever.contrast import Progress, Shown, tuned, tuned_for
from openflywheel.customize._retriever.joining import Way, gain, ways
from openflywheel.customize._retriever.lexical import index
from openflywheel.customize._retriever.negatives import mined
from openflywheel.customize._retriever.pairs import Pairs, Question

Matrix = NDArray[np.float32]


class Bench:
    """The pairs with their vectors by one encoder."""

    def __init__(self, found: Pairs, encoder: Encoder, seed: int, progress: Progress) -> None:
        self._found, self._encoder, self.seed, self.progress = found, encoder, seed, progress
        self._items, self._words = encoder.encode(found.texts), index(found.texts)
        self._asked = encoder.encode([question.text for question in found.choosing])

    @cached_property
    def figure(self) -> float:
        """Mean nDCG@10 of the encoder's own vectors, on the questions that choose."""
        return gain(self._found.choosing, self._asked, self._items)

    @cached_property
    def taught(self) -> Shown:
        """The questions that teach, with their mined wrong items."""
        return self._shown(self._found.taught)

    def made(self) -> tuple[Retriever, str, dict[str, float]]:
        """The retriever, the name of the way in which it joins what it knows, and its report."""
        found, items = self._found, self._items
        turns, rounds = tuned(self.taught, self._judge, self.seed, self.progress)
        asked, turned_items = turned(self._asked, turns.question), turned(items, turns.item)
        every = ways(found.choosing, asked, turned_items, self._words)
        way = max(every, key=lambda one: one.figure)
        if found.apart:
            turns = tuned_for(self._shown([*found.taught, *found.choosing]), rounds, self.seed)
        made = Retriever(
            found.ids, turned(items, turns.item), turns.question, self._words, way.weights, self._encoder
        )
        return made, way.name, self._report(every, way)

    def _shown(self, questions: Sequence[Question]) -> Shown:
        vectors = self._encoder.encode([question.text for question in questions])
        return Shown(questions, vectors, self._items, mined(questions, vectors, self._items, self._words))

    def _judge(self, question: Matrix, item: Matrix) -> float:
        return gain(self._found.choosing, turned(self._asked, question), turned(self._items, item))

    def _report(self, every: Sequence[Way], way: Way) -> dict[str, float]:
        found = self._found
        return {
            "ndcg@10": way.figure,
            **{f"ndcg@10 {one.name}": one.figure for one in every},
            "items": float(len(found.ids)),
            "questions": float(len(found.taught)),
            "validation questions": float(len(found.choosing)),
            "rows of unknown items": float(found.unknown),
        }
