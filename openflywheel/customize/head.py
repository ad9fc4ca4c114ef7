"""A classifier on the frozen sentence encoder: trained in a second, without a GPU."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.base.instruments.head import Head, Matrix, classes
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._fitting import WAYS, Fitted, Places

KINDS = ("label",)
LEAST_WEIGHT = 1e-3  # of a row: leave-one-out scores divide by its root


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    name: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def head(lesson: Lesson, *, encoder: Encoder, artefacts: Path) -> Model:
    """The best of centroid, kernel ridge and logistic regression, with calibrated confidence.

    Rows count by their weight. Chosen by accuracy on rows that each head did not learn from; the same scores
    fit its temperature. The report holds out-of-fold "accuracy", "ece" (calibration error), "log_loss",
    "rows" and "labels" (classes). Raises SettingsError when fewer than two labels are known.
    """
    task, start = lesson.dataset.task, time.process_time()
    labels, right = classes([row.labels[task] for row in lesson.rows])
    if len(labels) < 2:
        raise SettingsError(f"task {task!r} has examples of {len(labels)} label; a classifier needs two")
    vectors = encoder.encode([row.text for row in lesson.rows])
    weight = np.maximum([row.weight for row in lesson.rows], LEAST_WEIGHT).astype(np.float32)
    fitted, sharpness, loss = _choose(vectors, right, len(labels), weight)
    made = Head(labels, fitted.weights, fitted.bias, encoder.name, sharpness, fitted.support, fitted.gamma)
    report = {
        "accuracy": float(np.mean(fitted.held_out.argmax(axis=1) == right)),
        "ece": calibration_error(fitted.held_out, right, sharpness),
        "log_loss": loss,
        "rows": float(len(right)),
        "labels": float(len(labels)),
    }
    place = made.keep(
        artefacts, method=fitted.method, task=task, taught_by=[lesson.dataset.id], report=report
    )
    return Model(
        name=f"{task}-{fitted.method}",
        task=task,
        base=encoder.name,
        method=f"head.{fitted.method}",
        taught_by=(lesson.dataset.id,),
        uri=f"{artefacts.name}/{place.name}",
        cost=time.process_time() - start,
        report=report,
    )


def _choose(vectors: Matrix, right: Places, k: int, weight: Matrix) -> tuple[Fitted, float, float]:
    """The chosen way of fitting, its sharpness and its held-out log loss in nats.

    The first way of `WAYS` that is right on held-out rows as often as the best, within one standard error
    (Breiman et al. 1984, section 3.4.3). Not the lowest log loss, and not the best by a hair: the rows that
    experts were asked about are hard and few, and say little about the traffic (Banking77, 477 rows: centroid
    and kernel ridge are right on .45 and .50 of them, on .77 and .80 of the test).
    """
    tried = [fitted for way in WAYS if (fitted := way(vectors, right, k, weight)) is not None]
    accuracy = [float(np.mean(fitted.held_out.argmax(axis=1) == right)) for fitted in tried]
    best = max(accuracy)
    enough = best - (best * (1 - best) / len(right)) ** 0.5
    chosen = next(fitted for fitted, reached in zip(tried, accuracy, strict=True) if reached >= enough)
    return chosen, *fit_sharpness(chosen.held_out, right)
