"""Tunes the encoder itself: low-rank additions, learned by the same contrastive loss as the turns.

A question's right items are told from those of the others in its batch (Karpukhin et al. 2020,
arXiv:2004.04906). To add a mined wrong item for each takes half as long again; the turns, which come after,
learn from the mined ones at next to no cost. On hetPQA's questions that teach (2,355, and 458 of other
products to judge; one seed) nDCG@10 is .358 untuned, .413 by turns of frozen vectors, and with turns .441
after one epoch of this, .436 after two at half the rate, .429 after three.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from msgspec import Struct

from openflywheel.base.instruments.minilm import graph_of
from openflywheel.customize._encoder.base import Base
from openflywheel.customize._encoder.bert import Bert
from openflywheel.customize._encoder.teaching import Shape, telling
from openflywheel.customize._retriever.contrast import Places, Progress, Shown, targets
from openflywheel.customize._retriever.pairs import Pairs

TEMPERATURE = 0.05
RATE, WARM_UP = 1e-3, 0.1  # of AdamW; the share of the steps in which the rate rises, before it falls to 0
BATCH = 64  # questions of a step
LONGEST = 64  # tokens that teach; a text is encoded to its 128th
SHAPE = Shape(rank=16, alpha=32.0)

Ids = Sequence[Sequence[int]]


class Tokens(Struct, frozen=True):
    """Token ids of the questions that teach, and of all items."""

    asked: Ids
    items: Ids


def tuned(found: Pairs, shown: Shown, base: Base, epochs: int, seed: int, progress: Progress) -> bytes:
    """The encoder, tuned on the questions that teach: the content of an ONNX file.

    `shown` are these questions with vectors of the untuned encoder, by which near copies are known.
    """
    bert, steps = SHAPE.bert(base, seed), epochs * -(-len(shown.questions) // BATCH)
    learner = _Learner(bert, shown, _tokens(base, found), steps, seed)
    told = telling(progress, steps)
    for _ in range(epochs):
        learner.epoch(told)
    return graph_of(bert.merged, base.tokenizer)


def _tokens(base: Base, found: Pairs) -> Tokens:
    """Cut to what teaches; the last token, which says that a text ends, stays."""
    asked, split = [question.text for question in found.taught], base.tokens
    return Tokens(*([_cut(ids) for ids in split(texts)] for texts in (asked, found.texts)))


def _cut(ids: Sequence[int]) -> Sequence[int]:
    return [*ids[: LONGEST - 1], ids[-1]] if len(ids) > LONGEST else ids


class _Learner:
    """Goes through the questions, epoch after epoch."""

    def __init__(self, bert: Bert, shown: Shown, tokens: Tokens, steps: int, seed: int) -> None:
        self._bert, self._shown, self._tokens, self._steps = bert, shown, tokens, steps
        self._optimiser = torch.optim.AdamW(list(bert.learned.values()), RATE)
        self._rate = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._rate_at)
        self._random = np.random.default_rng(seed)

    def epoch(self, told: Callable[[float], object]) -> None:
        """Once through; `told` gets the loss of every step."""
        order = self._random.permutation(len(self._shown.questions))
        for start in range(0, len(order), BATCH):
            told(self._step(order[start : start + BATCH]))

    def _rate_at(self, done: int) -> float:
        share = (done + 0.5) / self._steps
        return min(share / WARM_UP, (1 - share) / (1 - WARM_UP))

    def _step(self, batch: Places) -> float:
        among = np.unique([right for place in batch for right in self._shown.questions[place].right])
        target, banned = map(torch.from_numpy, targets(self._shown, batch, among))
        asked, items = self._vectors(self._tokens.asked, batch), self._vectors(self._tokens.items, among)
        likely = (asked @ items.T / TEMPERATURE).masked_fill(banned, -torch.inf).log_softmax(dim=1)
        loss = -(target * likely.masked_fill(banned, 0)).sum() / target.sum()
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self._rate.step()
        return float(loss.item())

    def _vectors(self, ids: Ids, places: Places) -> torch.Tensor:
        return self._bert([ids[place] for place in places])
