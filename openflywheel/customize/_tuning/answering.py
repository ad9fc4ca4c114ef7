"""A lesson of answers: what is planned for it, and what is kept of it."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.generator import LabellingGenerator, opened
from openflywheel.base.ids import share_of
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._tuning import adapter, checkpoint
from openflywheel.customize._tuning.chats import Examples, examples
from openflywheel.customize._tuning.running import Plan, Result
from openflywheel.customize._tuning.sft import build
from openflywheel.customize._tuning.telling import quiet
from openflywheel.customize._tuning.tuning import Tuning

APART = 0.1  # of the people: their rows judge, where the lesson brings no validation
MOST_JUDGED = 256  # rows
JUDGED, LEAST_JUDGED = 0.06, 32  # of the rows that a run learns from: judging takes a fifth of learning


class Taught(Struct, frozen=True):
    """A plan, the examples that it was made of, and the rows that only judge."""

    plan: Plan
    rows: Examples
    judged: Examples
    judging: tuple[Row, ...]


def planned(lesson: Lesson, base: str, tuning: Tuning, folder: Path, workspace: Path) -> Taught:
    """The run for a lesson. Raises SettingsError when the base can't be used, or no row fits."""
    found = checkpoint.found(base, folder)
    written = checkpoint.template(tuning.template, folder)
    template = Template(checkpoint.tokenizer(found, written))
    teaching, judging = apart(lesson)
    task, most = lesson.dataset.task, tuning.most_tokens
    rows = examples(teaching, task, template, most)
    judged = examples(judging[: _judges(tuning, len(teaching))], task, template, most)
    if not rows.kept:
        raise SettingsError(
            f"task {task!r}: none of {len(teaching)} examples fits into most_tokens = {most}; raise it"
        )
    plan = Plan(
        build=build,
        base=found,
        tuning=replace(tuning, template=written),
        rows=rows.kept,
        validation=judged.kept,
        workspace=workspace,
    )
    return Taught(plan, rows, judged, tuple(judging))


def _judges(tuning: Tuning, rows: int) -> int:
    """How many rows judge ten times while a run goes on."""
    learned = tuning.steps * tuning.batch or tuning.epochs * rows
    return max(LEAST_JUDGED, round(JUDGED * learned))


def apart(lesson: Lesson) -> tuple[list[Row], list[Row]]:
    """Rows that teach and rows that judge: those of the lesson, or a tenth of the people where it has none.

    For labels a question counts alone, for it is asked alone when the model serves.
    """
    rows, judging = list(lesson.rows), list(lesson.validation)
    if not judging:
        drawn = [share_of(row.subject or row.text, "judges") < APART for row in rows]
        judging = [row for row, judges in zip(rows, drawn, strict=True) if judges]
        rows = [row for row, judges in zip(rows, drawn, strict=True) if not judges]
    if lesson.kind == "label":
        rows, judging = _alone(rows), _alone(judging)
    return rows, sorted(judging, key=lambda row: share_of(row.id, "judges"))[:MOST_JUDGED]


def _alone(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, meta={}) for row in rows]


def kept(
    artefacts: Path, lesson: Lesson, taught: Taught, result: Result, folder: Path
) -> tuple[Path, dict[str, float]]:
    """Keep the adapter; for labels with a temperature fitted on the rows that judge. Place, and report."""
    report = told(taught, result)
    said = _manifest(lesson, taught, report)
    known = [row for row in taught.judging if row.labels[said["task"]] in said.get("labels", ())]
    if known:
        sharpness, found = _calibrated(taught, said, known, folder)
        report |= found
        said |= {"sharpness": sharpness, "report": report}
    return adapter.keep(artefacts, taught.plan.adapter, taught.plan.base, said), report


def told(taught: Taught, result: Result) -> dict[str, float]:
    """The report of a run: its figures, and what its rows were."""
    report = {
        **result.figures,
        "rows": float(len(taught.rows.kept)),
        "tokens": float(taught.rows.tokens),
        "cut": float(taught.rows.cut),
        "dropped": float(taught.rows.dropped),
    }
    if "validation_loss" in report:
        report["perplexity"] = math.exp(report["validation_loss"])
    return report


def _manifest(lesson: Lesson, taught: Taught, report: dict[str, float]) -> dict[str, Any]:
    task, template = lesson.dataset.task, taught.plan.tuning.template
    labels = sorted({row.labels[task] for row in lesson.rows})
    return {
        "method": "lora",
        "task": task,
        "kind": lesson.kind,
        "taught_by": [lesson.dataset.id],
        "report": report,
        **({"labels": labels, "sharpness": 1.0} if lesson.kind == "label" else {}),
        **({"template": template} if template else {}),
    }


def _calibrated(
    taught: Taught, said: dict[str, Any], known: Sequence[Row], folder: Path
) -> tuple[float, dict[str, float]]:
    """The sharpness that fits judging rows of `known` labels; a label that nobody taught counts as wrong."""
    right = np.array([said["labels"].index(row.labels[said["task"]]) for row in known], np.intp)
    with quiet(), tempfile.TemporaryDirectory(dir=taught.plan.folder) as aside:
        place = adapter.keep(Path(aside), taught.plan.adapter, taught.plan.base, said)
        model = cast(LabellingGenerator, opened(place, folder=folder))
        scores = model.log_probabilities([row.text for row in known])
    sharpness, loss = fit_sharpness(scores, right)
    return sharpness, {
        "accuracy": float(np.sum(scores.argmax(axis=1) == right)) / len(taught.judging),
        "ece": calibration_error(scores, right, sharpness),
        "log_loss": loss,
    }
