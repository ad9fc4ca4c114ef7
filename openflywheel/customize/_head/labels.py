"""One of several labels: by the way that is best on held-out rows, or by the one that was asked for."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.head import Head, Prior
from openflywheel.base.forms.paths import Paths, lineage
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.base.instruments.vectors import Matrix, classes, log_prior, softmax
from openflywheel.customize._fitting import (
    LEAST_LOGISTIC_ROWS,
    MOST_KERNEL_ROWS,
    WAYS,
    Fit,
    Fitted,
    centroid,
    discriminant,
    kernel_ridge,
    logistic,
)
from openflywheel.customize._head.taught import Material, Taught
from openflywheel.customize._people import Places, apart

Method = Literal["best", "centroid", "discriminant", "kernel_ridge", "logistic"]
BY_NAME: dict[str, Fit] = {way.__name__: way for way in (centroid, discriminant, kernel_ridge, logistic)}


class Examined(Struct, frozen=True):
    """A head, with scores of its rows by a head that never saw them nor others of the same person, the places
    of the right labels, and what the rows weigh.
    """

    head: Head
    method: str
    held_out: Matrix
    right: Places
    weight: Matrix
    log_loss: float

    @property
    def report(self) -> dict[str, float]:
        """Figures on held-out rows, which count by their weight."""
        error = calibration_error(self.held_out, self.right, self.head.sharpness, weight=self.weight)
        return {
            "accuracy": _accuracy(self.held_out, self.right, self.weight),
            "ece": error,
            "log_loss": self.log_loss,
            "rows": float(len(self.right)),
            "labels": float(len(self.head.labels)),
        }


def labels(material: Material, method: Method, prior: Prior) -> Taught:
    """A head that chooses one label. Raises SettingsError when there are fewer than two."""
    examined = _examined(material, method, prior)
    return Taught(examined.head, examined.method, examined.report)


def paths(material: Material, method: Method, prior: Prior, sure: float) -> Taught:
    """A head over paths. The report holds besides, of held-out rows: "upright", the share of answers that are
    the right path or a branch above it, and "depth", how deep the answers are on average, 1 at the root.

    Raises SettingsError when there are fewer than two paths.
    """
    examined = _examined(material, method, prior)
    tree = Paths.of(examined.head, sure)
    rolled = tree.rolled(softmax(examined.held_out * np.float32(examined.head.sharpness)))
    said = [lineage(tree.labels[place]) for place in rolled.argmax(axis=1)]
    right = (lineage(examined.head.labels[place]) for place in examined.right)
    upright = [answer[-1] in truth for answer, truth in zip(said, right, strict=True)]
    depth = [len(answer) for answer in said]
    more = {
        "upright": float(np.average(upright, weights=examined.weight)),
        "depth": float(np.average(depth, weights=examined.weight)),
    }
    return Taught(tree, examined.method, examined.report | more)


def _examined(material: Material, method: Method, prior: Prior) -> Examined:
    names, right = classes(material.right)
    if len(names) < 2:
        raise SettingsError(
            f"task {material.task!r} has examples of {len(names)} label; a classifier needs two:"
            " label more: flywheel experts"
        )
    ways = WAYS if method == "best" else (BY_NAME[method],)
    people = apart(material.people)
    fits = (way(material.vectors, right, len(names), material.weight, people) for way in ways)
    tried = [fitted for fitted in fits if fitted is not None]
    if not tried:
        raise SettingsError(_not_for(material, method, len(names)))
    found = choose(tried, right, material.weight)
    before = (
        log_prior(np.bincount(right, material.weight).astype(np.float64))
        if prior == "traffic"
        else np.zeros(len(names))
    )
    sharpness, loss = fit_sharpness(found.held_out, right, before, material.weight)
    # All ways weigh classes alike, so the log of how often each is asked is what is missing from their log
    # odds (Saerens, Latinne & Decaestecker 2002, Neural Computation 14:21).
    shift = (before / sharpness).astype(np.float32)
    head = Head(
        names, found.weights, found.bias + shift, material.encoder, sharpness, found.support, found.gamma,
        found.sums, prior,
    )  # fmt: skip
    return Examined(head, found.method, found.held_out + shift, right, material.weight, loss)


def _not_for(material: Material, method: str, labels: int) -> str:
    limits = f"logistic needs {LEAST_LOGISTIC_ROWS} rows a label, kernel_ridge at most {MOST_KERNEL_ROWS}"
    return (
        f"customize.head: method = {method!r} does not go with the {len(material.right)} rows of {labels}"
        f" labels of task {material.task!r}: {limits}; choose another, or best"
    )


def choose(tried: Sequence[Fitted], right: Places, weight: Matrix) -> Fitted:
    """The first that is right on held-out rows as often as the best, within one standard error (Breiman et
    al. 1984, section 3.4.3). Rows count by their weight, shape (n,).

    Not the lowest log loss, and not the best by a hair: the rows that experts were asked about are hard and
    few, and say little about the traffic (Banking77, 477 rows: centroid and kernel ridge are right on .45 and
    .50 of them, on .77 and .80 of the test).
    """
    accuracy = [_accuracy(fitted.held_out, right, weight) for fitted in tried]
    best, rows = max(accuracy), float(weight.sum() ** 2 / (weight**2).sum())  # as many that weigh the same
    enough = best - (best * (1 - best) / rows) ** 0.5
    return next(fitted for fitted, reached in zip(tried, accuracy, strict=True) if reached >= enough)


def _accuracy(held_out: Matrix, right: Places, weight: Matrix) -> float:
    return float(np.average(held_out.argmax(axis=1) == right, weights=weight))
