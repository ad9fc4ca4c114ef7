"""A head on the frozen sentence encoder, for labels and for numbers: trained in a second, without a GPU."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.head import Prior
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._head.labels import Method, labels, paths
from openflywheel.customize._head.numbers import numbers
from openflywheel.customize._head.several import several
from openflywheel.customize._head.taught import Material, Taught
from openflywheel.customize._people import person

KINDS = ("label", "number")
LEAST_WEIGHT = 1e-3  # of a row: leave-one-out scores divide by its root


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    name: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def head(
    lesson: Lesson,
    *,
    method: Method = "best",
    prior: Prior = "balanced",
    many: bool = False,
    levels: bool = False,
    sure: float = 0.5,
    encoder: Encoder,
    artefacts: Path,
) -> Model:
    """A classifier with calibrated confidence; for a number task a regression with a 90 % interval.

    Rows count by their weight. The `method` "best" is the best of centroid, kernel ridge and logistic
    regression, by accuracy on rows of whose people each learned nothing (of one person alone: on rows that it
    did not learn from); the same scores fit its temperature.
    "discriminant" keeps sums, from which rows can be taken out exactly later (base/instruments/sums.py).
    `prior`: labels are alike likely beforehand ("balanced"), or as they are frequent in the rows ("traffic").
    `many`: a label may name several, as "damaged|late". `levels`: labels are paths, as "billing/refund"; the
    deepest one with a chance of at least `sure` is answered. A number task knows none of these settings.

    The report holds held-out "accuracy", "ece" (calibration error), "log_loss", "rows" and "labels"
    (classes), for numbers "mae", "rmse" and "coverage". Raises SettingsError when fewer than two labels are
    known, a label is no number, or the settings exclude each other.
    """
    _check(many, levels, sure, method)
    start = time.process_time()
    material = _material(lesson, encoder)
    if lesson.kind == "number":
        taught = numbers(material)
    elif many:
        taught = several(material)
    else:
        taught = paths(material, method, prior, sure) if levels else labels(material, method, prior)
    return _kept(lesson, taught, encoder.name, artefacts, start)


def _check(many: bool, levels: bool, sure: float, method: Method) -> None:
    if many and (levels or method != "best"):
        raise SettingsError(
            "customize.head: many excludes levels and method: several labels at once have a ridge head of"
            " their own; drop one of them"
        )
    if not 0.5 <= sure <= 1:
        raise SettingsError(f"customize.head: sure = {sure:g}; give a chance of at least 0.5 and at most 1")


def _material(lesson: Lesson, encoder: Encoder) -> Material:
    rows, task = lesson.rows, lesson.dataset.task
    return Material(
        task=task,
        right=[row.labels[task] for row in rows],
        vectors=encoder.encode([row.text for row in rows]),
        weight=np.maximum([row.weight for row in rows], LEAST_WEIGHT).astype(np.float32),
        people=[person(row) for row in rows],
        encoder=encoder.name,
    )


def _kept(lesson: Lesson, taught: Taught, encoder: str, artefacts: Path, start: float) -> Model:
    dataset = lesson.dataset
    place = taught.made.keep(
        artefacts,
        method=f"head.{taught.method}",
        task=dataset.task,
        kind=lesson.kind,
        base={"name": encoder},
        taught_by=[dataset.id],
        report=taught.report,
    )
    return lesson.model(
        f"head.{taught.method}", place, base=encoder, report=taught.report, start=start, name=taught.method
    )
