"""Tunes frozen sentence vectors: one linear turn for questions and one for items, by a contrastive loss.

The loss is InfoNCE (van den Oord et al. 2018, arXiv:1807.03748) over the right items of all questions and the
mined wrong ones; the turns begin at nothing, so that no learning leaves the encoder as it is, and are held
small. On hetPQA (2,155 questions, validation): nDCG@10 .353 untuned, .399 so. In a first version, with
.404, one turn for both sides had .396, and a layer of 256 units beside the turns .369.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.forms.retriever import Matrix
from openflywheel.customize._retriever.negatives import COPY
from openflywheel.customize._retriever.pairs import Question

Places = NDArray[np.intp]
Progress = Callable[[dict[str, float]], object]
Judge = Callable[[Matrix, Matrix], float]

TEMPERATURE = 0.05
RATE, DECAY = 3e-4, 0.03  # of Adam; penalty on the squares of both turns (.1: .394 instead of .404)
BATCH, ROUNDS, PATIENCE = 128, 20, 5
STEPS = 16  # of a round at least: a turn moves by RATE a step, so a small lesson needs as many as a large one
MOST = 4_096  # wrong items beside a batch: all of a small catalogue, a sample of a large one


class Turns(Struct, frozen=True):
    """x -> unit(x + x @ turn), for questions and for items; both of shape (width, width)."""

    question: Matrix
    item: Matrix

    def both(self) -> tuple[Matrix, Matrix]:
        """That for questions and that for items."""
        return self.question, self.item


class Shown(Struct, frozen=True):
    """What the turns are learned from: questions with vectors, all items' vectors, mined wrong items."""

    questions: Sequence[Question]
    vectors: Matrix
    items: Matrix
    wrong: Sequence[Places]


def tuned(shown: Shown, judge: Judge, seed: int, progress: Progress) -> tuple[Turns, int]:
    """The turns of the round that `judge`, given both, liked best, and how many rounds those took: 0 where
    no round was better than nothing. Rounds end when none was better for a while.
    """
    best, figure, taken = _nothing(shown), judge(*_nothing(shown).both()), 0
    for number, (turns, loss) in enumerate(_rounds(shown, seed), start=1):
        now = judge(*turns.both())
        progress({"step": number, "steps": ROUNDS, "loss": loss, "ndcg@10": now})
        if now > figure:
            best, figure, taken = turns, now, number
        if number - taken == PATIENCE:
            break
    return best, taken


def tuned_for(shown: Shown, rounds: int, seed: int) -> Turns:
    """The turns after so many rounds."""
    every = (turns for turns, _ in _rounds(shown, seed))
    return next(islice(every, rounds - 1, None)) if rounds else _nothing(shown)


def _nothing(shown: Shown) -> Turns:
    width = shown.items.shape[1]
    return Turns(np.zeros((width, width), np.float32), np.zeros((width, width), np.float32))


def _rounds(shown: Shown, seed: int) -> Iterator[tuple[Turns, float]]:
    """The turns after each round, and the round's mean loss."""
    adam, random = _Adam(list(_nothing(shown).both())), np.random.default_rng(seed)
    pool = _pool(shown)
    for _ in range(ROUNDS):
        order, losses = random.permutation(len(shown.questions)), []
        for batch in np.array_split(order, max(min(STEPS, len(order)), len(order) // BATCH)):
            loss, slopes = _slopes(shown, batch, _beside(shown, batch, pool, random), adam.values)
            adam.step(slopes)
            losses.append(loss)
        yield Turns(*adam.values), float(np.mean(losses))


def _pool(shown: Shown) -> Places:
    right = [list(question.right) for question in shown.questions]
    return np.unique(np.concatenate([*map(np.array, right), *shown.wrong])).astype(np.intp)


def _beside(shown: Shown, batch: Places, pool: Places, random: np.random.Generator) -> Places:
    """The items that a batch's right ones are told from: all, or its own and a sample of the others."""
    if len(pool) <= MOST:
        return pool
    own = [np.array([*shown.questions[i].right, *shown.wrong[i]], np.intp) for i in batch]
    mine = np.unique(np.concatenate(own))
    others = np.setdiff1d(pool, mine)
    return np.union1d(mine, random.choice(others, max(0, MOST - len(mine)), replace=False))


def _slopes(
    shown: Shown, batch: Places, among: Places, turns: Sequence[Matrix]
) -> tuple[float, list[Matrix]]:
    """The loss of a batch, and its slope by either turn."""
    target, banned = targets(shown, batch, among)
    asked, items = shown.vectors[batch], shown.items[among]
    q, q_length = _forward(asked, turns[0])
    y, y_length = _forward(items, turns[1])
    scores = np.where(banned, -np.inf, q @ y.T / np.float32(TEMPERATURE))
    scores -= scores.max(axis=1, keepdims=True)
    likely = np.exp(scores)
    total = likely.sum(axis=1, keepdims=True)
    weight = target.sum(axis=1, keepdims=True)
    loss = -float(np.sum(target * (np.where(banned, 0, scores) - np.log(total))) / weight.sum())
    error = ((likely / total) * weight - target) / (weight.sum() * np.float32(TEMPERATURE))
    slopes = [_back(asked, q, q_length, error @ y), _back(items, y, y_length, error.T @ q)]
    return loss, [
        (slope + np.float32(2 * DECAY) * turn).astype(np.float32)
        for slope, turn in zip(slopes, turns, strict=True)
    ]


def targets(shown: Shown, batch: Places, among: Places) -> tuple[Matrix, NDArray[np.bool_]]:
    """The weight of each right item, and which others are too like one of them to be called wrong."""
    target = np.zeros((len(batch), len(among)), np.float32)
    for row, place in enumerate(batch):
        right = shown.questions[place].right
        target[row, np.searchsorted(among, list(right))] = list(right.values())
    rights = [list(shown.questions[place].right) for place in batch]
    alike = shown.items[np.concatenate(rights)] @ shown.items[among].T >= COPY
    starts = np.cumsum([0, *map(len, rights[:-1])])
    return target, np.logical_or.reduceat(alike, starts, axis=0) & (target == 0)


def _forward(x: Matrix, turn: Matrix) -> tuple[Matrix, Matrix]:
    moved = x + x @ turn
    length: Matrix = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(1e-9))
    unit: Matrix = (moved / length).astype(np.float32)
    return unit, length


def _back(x: Matrix, unit: Matrix, length: Matrix, slope: Matrix) -> Matrix:
    """From the slope by the unit vectors to that by the turn."""
    along = np.einsum("nd,nd->n", slope, unit)[:, None]
    out: Matrix = (x.T @ ((slope - unit * along) / length)).astype(np.float32)
    return out


class _Adam:
    """Kingma & Ba 2015, arXiv:1412.6980."""

    def __init__(self, values: list[Matrix]) -> None:
        self.values, self._steps = values, 0
        self._mean, self._square = ([np.zeros_like(v) for v in values] for _ in range(2))

    def step(self, slopes: Sequence[Matrix]) -> None:
        """One step down."""
        self._steps += 1
        size = RATE * (1 - 0.999**self._steps) ** 0.5 / (1 - 0.9**self._steps)
        for place, slope in enumerate(slopes):
            self._mean[place] += np.float32(0.1) * (slope - self._mean[place])
            self._square[place] += np.float32(0.001) * (slope * slope - self._square[place])
            moved = self._mean[place] / (np.sqrt(self._square[place]) + np.float32(1e-8))
            self.values[place] = (self.values[place] - size * moved).astype(np.float32)
