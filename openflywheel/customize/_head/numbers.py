"""A number for each text: ridge regression with an interval."""

from collections.abc import Sequence

import numpy as np

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.number import Regression, bounded, number
from openflywheel.customize._head.ridge import Fit, Wide, best, folds_of
from openflywheel.customize._head.taught import Material, Taught
from openflywheel.customize._people import Places

LEAST_ROWS = 20


def numbers(material: Material) -> Taught:
    """Linear or kernel ridge, by held-out squared error; the report holds "mae", "rmse", "coverage" and
    "width" (of the 90 % interval), all of rows that were left out, and "mae_of_mean" of who knows nothing.

    Raises SettingsError for a label that is no number, and when there are fewer than 20 rows.
    """
    right, folds = parsed(material.task, material.right), folds_of(material.people)
    fit = best(material.vectors, right[:, None], material.weight, folds)
    errors = np.abs(fit.held_out[:, 0] - right)
    made = Regression(
        fit.weights[:, 0, :], fit.bias[0], errors, folds.astype(np.uint8), material.encoder,
        fit.support, fit.gamma,
    )  # fmt: skip
    report = {
        "mae": float(errors.mean()),
        "rmse": float((errors**2).mean() ** 0.5),
        "mae_of_mean": float(np.abs(right - np.average(right, weights=material.weight)).mean()),
        **_intervals(fit, errors, right, folds),
        "rows": float(len(right)),
    }
    return Taught(made, fit.method, report)


def parsed(task: str, labels: Sequence[str]) -> Wide:
    """Labels as numbers. Raises SettingsError for one that is none, and for too few."""
    if len(labels) < LEAST_ROWS:
        raise SettingsError(f"task {task!r} has {len(labels)} examples; a number needs {LEAST_ROWS}")
    found = np.array([number(label) for label in labels])
    if np.isnan(found).any():
        wrong = labels[int(np.isnan(found).argmax())]
        raise SettingsError(f"task {task!r} is of the kind number, and has the label {wrong!r}; write 12.5")
    return found


def _intervals(fit: Fit, errors: Wide, right: Wide, folds: Places) -> dict[str, float]:
    """Share of the right numbers inside the interval of the other folds, and its mean width.

    The interval that a row gets here leans on the other folds' errors around what was said without its own.
    """
    inside, width, last = [], [], int(folds.max())
    for fold in range(1, last + 1):
        part, rest = folds == fold, folds != fold
        said = np.repeat(fit.held_out[part], last + 1, axis=1)
        low, high = bounded(said, errors[rest], folds[rest])[:, 1:].T
        inside.append((low <= right[part]) & (right[part] <= high))
        width.append(high - low)
    return {
        "coverage": float(np.concatenate(inside).mean()),
        "width": float(np.concatenate(width).mean()),
    }
