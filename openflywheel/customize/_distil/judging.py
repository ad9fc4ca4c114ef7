"""How right a student is: on people's rows alone. That it agrees with its teacher says nothing of that."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Row
from openflywheel.customize._people import judging

HELD = 0.25  # of people's rows, where validation has too few of them
LEAST = 30  # rows of people; with fewer, an accuracy would be within 18 points at best
WITHIN = 0.05  # half of the interval that would do


class Judges(Struct, frozen=True):
    """Rows that teach nothing: people's, with what the teacher said to some, and the teacher's alone."""

    people: Sequence[Row]
    said: Mapping[str, str]
    teacher: Sequence[Row]


def apart(rows: Sequence[Row], share: float) -> tuple[list[Row], list[Row]]:
    """Rows that teach, and those of a share of the people, which judge; the same people in every turn."""
    judges = judging(rows, share, "distil")
    teaching = [row for row, judged in zip(rows, judges, strict=True) if not judged]
    return teaching, [row for row, judged in zip(rows, judges, strict=True) if judged]


def judged(student: Labelling, task: str, judges: Judges) -> dict[str, float]:
    """The student's figures.

    "accuracy" with "accuracy_low" and "accuracy_high" (95 %, Wilson) on people's rows, "judged" how many,
    "missing" how many more would tell it within 5 points. "agreement" on the teacher's own rows; where the
    teacher's answers to people's rows are known, "gap": agreement less accuracy on the very same rows.
    """
    people = judges.people
    answers = dict(zip([row.id for row in people], _labels(student, people), strict=True))
    right = sum(answers[row.id] == row.labels[task] for row in people)
    figures = {"judged": float(len(people)), "missing": float(_missing(right, len(people)))}
    if len(people) >= LEAST:
        low, high = wilson(right, len(people))
        figures |= {"accuracy": right / len(people), "accuracy_low": low, "accuracy_high": high}
    return figures | _agreement(student, task, judges, answers)


def _agreement(student: Labelling, task: str, judges: Judges, answers: Mapping[str, str]) -> dict[str, float]:
    figures, both = dict[str, float](), [row for row in judges.people if row.id in judges.said]
    if judges.teacher:
        pairs = zip(_labels(student, judges.teacher), judges.teacher, strict=True)
        figures["agreement"] = float(np.mean([label == row.labels[task] for label, row in pairs]))
    if len(both) >= LEAST:
        agrees = np.mean([answers[row.id] == judges.said[row.id] for row in both])
        figures["gap"] = float(agrees - np.mean([answers[row.id] == row.labels[task] for row in both]))
    return figures


def _labels(student: Labelling, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    best = student.probabilities([row.text for row in rows]).argmax(axis=1)
    return [student.labels[place] for place in best.tolist()]


def _missing(right: int, n: int) -> int:
    """People's rows that are missing for a 95 % interval of +-5 points."""
    share = (right + 2) / (n + 4)  # Agresti & Coull 1998
    needed = 1.96**2 * share * (1 - share) / WITHIN**2
    return max(0, round(needed) - n)
