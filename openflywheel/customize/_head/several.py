"""Several labels at once, as "damaged|late": ridge regression, with a calibrated chance for each."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.head import Head
from openflywheel.base.forms.many import BETWEEN, Many, set_scores
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness, fit_sigmoids
from openflywheel.customize._head.ridge import Wide, best, folds_of
from openflywheel.customize._head.taught import Material, Taught

Marks = NDArray[np.bool_]
LEAST_CHANCE = 1e-6  # a threshold of 0 would name a label always


def several(material: Material) -> Taught:
    """A head for sets of labels. The report holds, of held-out rows, "accuracy", "ece" and "log_loss" of
    whole sets, rows counting by their weight, and "f1" of the single labels (micro average) at thresholds
    that were chosen on these rows.

    Raises SettingsError when fewer than two labels are known, or one row is all that there is.
    """
    names, hit = marks([split(label) for label in material.right])
    if len(names) < 2 or len(hit) < 2:
        raise SettingsError(
            f"task {material.task!r} has {len(hit)} examples, of {len(names)} labels; with many it needs two"
            " of both: label more: flywheel experts"
        )
    fit = best(material.vectors, hit.astype(np.float64), material.weight, folds_of(material.people))
    slope, shift = fit_sigmoids(fit.held_out.astype(np.float32), hit)
    logits = fit.held_out * slope + shift
    least = thresholds(expit(logits), hit)
    member, right = np.unique(hit, axis=0, return_inverse=True)
    joint = set_scores(logits, member.astype(np.uint8))
    sharpness, loss = fit_sharpness(joint, right, weight=material.weight)
    sets = tuple(BETWEEN.join(itertools.compress(names, row)) for row in member)
    head = Head(
        names, fit.weights[..., 0].astype(np.float32), fit.bias[:, 0].astype(np.float32), material.encoder,
        support=fit.support, gamma=fit.gamma,
    )  # fmt: skip
    made = Many(head, sets, slope, shift, least, member.astype(np.uint8), sharpness)
    report = {
        "accuracy": float(np.average(joint.argmax(axis=1) == right, weights=material.weight)),
        "ece": calibration_error(joint, right, sharpness, weight=material.weight),
        "log_loss": loss,
        "f1": f1(expit(logits) >= least, hit),
        "rows": float(len(hit)),
        "labels": float(len(names)),
    }
    return Taught(made, f"many_{fit.method}", report)


def split(label: str) -> tuple[str, ...]:
    """The labels that one names: " late | damaged" names "damaged" and "late"."""
    return tuple(sorted({part.strip() for part in label.split(BETWEEN)} - {""}))


def marks(named: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], Marks]:
    """All labels in alphabetical order, and which of them each row names, shape (rows, labels)."""
    names = tuple(sorted({name for row in named for name in row}))
    return names, np.array([[name in row for name in names] for row in named], bool)


def thresholds(chance: Wide, hit: Marks) -> Wide:
    """For each class the chance from which on naming it has the best F1 on these rows, shape (classes,)."""
    order = np.argsort(-chance, axis=0, kind="stable")
    ranked = np.take_along_axis(chance, order, axis=0)
    found = np.take_along_axis(hit, order, axis=0).cumsum(axis=0)
    score = 2 * found / (np.arange(1, len(hit) + 1)[:, None] + hit.sum(axis=0))
    last = score.argmax(axis=0)
    classes = np.arange(chance.shape[1])
    following = ranked[np.minimum(last + 1, len(hit) - 1), classes]
    between: Wide = (ranked[last, classes] + following) / 2
    return np.maximum(between, LEAST_CHANCE)


def f1(named: Marks, hit: Marks) -> float:
    """Micro average over all labels: twice those named rightly, by those named and those right."""
    return float(2 * (named & hit).sum() / max(named.sum() + hit.sum(), 1))
