"""The student's confidence, fitted to people's rows.

A student fits its temperature on the rows that taught it, and most of these say what the teacher said: so it
is as sure as it agrees with the teacher, not as sure as it is right.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from msgspec import Struct, structs

from openflywheel.base.forms.head import HeadOnEncoder
from openflywheel.base.forms.paths import Paths
from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.base.nouns import Row
from openflywheel.customize._distil.judging import LEAST

NAMES = ("set_sharpness", "sharpness")  # of the temperature in manifests; that of sets stands beside another
LEAST_WEIGHT = 1e-3  # of a row


def calibrated(
    student: Labelling, said: Mapping[str, Any], task: str, people: Sequence[Row], rows: int
) -> tuple[dict[str, float], dict[str, float]]:
    """What changes in the manifest `said`, and figures; `rows` are those that taught the student.

    From 30 `people`'s rows on, which taught nothing, they fit the temperature: "calibrated_by_people" is how
    many, "ece" and "log_loss" are on the very same. With fewer the student's own stays, and
    "calibrated_by_student" says on how many rows it rests at most, most of them the teacher's. The same holds
    of a model that has no temperature. A label that was not taught counts as wrong, and fits nothing.
    """
    place = {label: number for number, label in enumerate(_flat(student).labels)}
    right = np.array([place.get(row.labels[task], -1) for row in people], np.intp)
    own, name = right >= 0, next((name for name in NAMES if name in said), "")
    if own.sum() < LEAST or not name:
        return {}, {"calibrated_by_student": float(rows)}
    chances = _plain(_flat(student)).probabilities([row.text for row in people])
    scores = np.log(np.maximum(chances, np.finfo(np.float32).tiny))  # but for a constant of each row
    weight = np.maximum([row.weight for row in people], LEAST_WEIGHT)
    sharpness, loss = fit_sharpness(scores[own], right[own], weight=weight[own])
    error = calibration_error(scores, right, sharpness, weight=weight)
    figures = {"calibrated_by_people": float(own.sum()), "ece": error, "log_loss": loss}
    return {name: sharpness}, figures


def _flat(student: Labelling) -> Labelling:
    """Of a head over paths the paths alone: branches have what is below them, and no temperature."""
    if isinstance(student, HeadOnEncoder) and isinstance(student.head, Paths):
        return HeadOnEncoder(student.head.head, student.encoder)
    return student


def _plain(student: Any) -> Any:
    """The same without its temperature, which would round small chances to 0."""
    if isinstance(student, HeadOnEncoder):
        return HeadOnEncoder(_plain(student.head), student.encoder)
    if isinstance(student, Struct):
        return structs.replace(student, sharpness=1.0)
    plain = copy(student)  # a generator, with the same weights
    plain.sharpness = 1.0
    return plain
