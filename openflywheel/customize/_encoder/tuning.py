"""One run: an encoder, tuned on examples, epoch after epoch."""

from collections.abc import Callable

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor

from openflywheel.base.instruments.vectors import Matrix
from openflywheel.customize._encoder.bert import Bert
from openflywheel.customize._encoder.examples import Examples
from openflywheel.customize._encoder.losses import Name, loss_of
from openflywheel.customize._fitting import balance, centroid
from openflywheel.customize._people import Places

Told = Callable[[float], object]

WARM_UP = 0.1  # of the steps: the rate rises linearly, then falls to 0
PATIENCE = 2  # epochs without a better accuracy on validation


class Plan(Struct, frozen=True):
    """How a run goes: its loss, epochs, learning rate, rows a step, and the seed of their order."""

    loss: Name
    epochs: int
    rate: float
    batch: int
    seed: int

    def steps(self, rows: int) -> int:
        """Of a whole run."""
        return self.epochs * -(-rows // self.batch)


class Best:
    """The learned tensors at the epoch that was best on validation."""

    def __init__(self, learned: dict[str, Tensor], judge: Examples) -> None:
        self._learned, self._judge = learned, judge
        self._kept, self._reached, self._waited = dict[str, Tensor](), -1.0, 0

    def goes_on(self, bert: Bert, means: Matrix) -> bool:
        """Look at an epoch. False when the last ones brought nothing."""
        scores = bert.encode(self._judge.ids) @ means.T
        reached = float(np.mean(scores.argmax(axis=1) == self._judge.right))
        self._waited = 0 if reached > self._reached else self._waited + 1
        if reached > self._reached:
            self._reached = reached
            self._kept = {name: value.detach().clone() for name, value in self._learned.items()}
        return self._waited < PATIENCE

    def restore(self) -> None:
        """Back to the best epoch."""
        with torch.no_grad():
            for name, value in self._kept.items():
                self._learned[name].copy_(value)


class Learner:
    """Goes through the examples, epoch after epoch."""

    def __init__(self, bert: Bert, examples: Examples, plan: Plan, told: Told) -> None:
        self._bert, self._examples, self._plan, self._told = bert, examples, plan, told
        self._weight = balance(examples.right, len(examples.labels), examples.weight)
        before = bert.encode(examples.ids)
        self._loss = loss_of(plan.loss, centroid_of(before, examples))
        self._learned = [*bert.learned.values(), *self._loss.learned.values()]
        self._optimiser = torch.optim.AdamW(self._learned, plan.rate)
        self._rate = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self.rate_at)
        self._random = np.random.default_rng(plan.seed)

    def rate_at(self, done: int) -> float:
        """The share of the plan's rate in the step after so many: of its middle."""
        share = (done + 0.5) / self._plan.steps(len(self._examples.ids))
        return min(share / WARM_UP, (1 - share) / (1 - WARM_UP))

    def epoch(self) -> Matrix:
        """Go through once. Class means, shape (classes, width), of the vectors that came by."""
        examples, size = self._examples, self._plan.batch
        order = self._loss.order(examples.right, self._random)
        seen = [self._step(order[start : start + size]) for start in range(0, len(order), size)]
        return centroid_of(np.concatenate(seen), examples.part(order))

    def _step(self, rows: Places) -> Matrix:
        examples = self._examples
        vectors = self._bert([examples.ids[row] for row in rows])
        loss = self._loss(vectors, torch.tensor(examples.right[rows]), torch.tensor(self._weight[rows]))
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self._rate.step()
        self._told(loss.item())
        made: Matrix = vectors.detach().numpy()
        return made


def tune(bert: Bert, examples: Examples, plan: Plan, told: Told, judge: Examples | None = None) -> None:
    """Change `bert` in place; `told` gets the loss of every step.

    With `judge` the epoch stays that labels most of it rightly by the nearest class mean, the first of
    equals; the run ends when two epochs brought nothing better.
    """
    learner = Learner(bert, examples, plan, told)
    best = Best(bert.learned, judge) if judge is not None else None
    for _ in range(plan.epochs):
        means = learner.epoch()
        if best is not None and not best.goes_on(bert, means):
            break
    if best is not None:
        best.restore()


def centroid_of(vectors: Matrix, examples: Examples) -> Matrix:
    """Unit mean of each class, shape (classes, width)."""
    weights: Matrix = centroid(vectors, examples.right, len(examples.labels), examples.weight).weights.T
    return weights
