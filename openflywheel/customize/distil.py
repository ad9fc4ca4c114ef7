"""A student taught by a teacher's traffic, as far as people's labels bear the teacher out."""

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from openflywheel.base import door, forms
from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.prompt import Ask, Encoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.nouns import Model, Row
from openflywheel.customize import Lesson, teaches
from openflywheel.customize._distil.judging import HELD, LEAST, Judges, apart, judged
from openflywheel.customize._distil.reliability import bounded, reliability, trusted
from openflywheel.customize._distil.sorting import Exchanges, Heard, Sorted, same, sort

KINDS = ("label",)
COUNTS_AGREEMENT = ("accuracy", "ece", "log_loss")  # of a student's own report: mostly of teacher's rows
MOST_AGREEING, AGREEING = 500, 0.1  # of the teacher's rows, those that tell the agreement


def distil(
    lesson: Lesson,
    *,
    student: str = "head",
    using: dict[str, Any] | None = None,
    teacher: str = "",
    most: float = 1.0,
    least_right: float = 0.7,
    encoder: Encoder,
    exchanges: Exchanges,
    heard: Heard,
    ask: Ask,
    artefacts: Path,
    workspace: Path,
    folder: Path,
    tasks: Mapping[str, Any],
    seed: int,
    progress: Callable[[dict[str, float]], object],
) -> Model:
    """Teach another trainer with people's rows, and with a teacher's rows as far as people bear it out.

    student: the trainer ("head", "lora", ...); using: its settings. teacher: the variant that teaches, "" for
        every row that a model labelled (labelled_by "model").
    most: weight of all of the teacher's rows together, against that of people's. least_right: how often
        rows of a class have to be right.

    A teacher's row is rejected when feedback about it is negative, or corrects it; a person's label of the
    same text takes its place. Where a person labelled what the teacher answered, it shows per class how often
    the teacher is right, and its other rows of the class weigh as much; a class in which it is often wrong is
    sorted anew by the likest row that a person checked (`_distil/reliability.py`). Where nobody checked the
    teacher, none of its rows teach.

    The report's "accuracy" is that on people's rows which taught nothing (of validation, else a quarter); see
    `_distil/judging.py` for "judged", "missing", "agreement" and "gap". "people", "teacher", "rejected",
    "overruled", "distrusted" and "sorted_anew" count rows; "teacher_right" is how often the teacher was right
    on the "checked" rows.
    Raises SettingsError when nobody labelled a row, or for a student that cannot be had.
    """
    start, task = time.process_time(), lesson.dataset.task
    sorting = partial(sort, task=task, exchanges=exchanges, heard=heard, teacher=teacher)
    found, judges = _apart(sorting([*lesson.rows, *lesson.preference]), sorting(lesson.validation), task)
    rows, figures = _rows(found, task, most, least_right, encoder)
    handed = {
        "encoder": encoder, "exchanges": exchanges, "heard": heard, "ask": ask, "workspace": workspace,
        "folder": folder, "tasks": tasks, "seed": seed, "progress": progress,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(dir=artefacts, prefix=".new-") as beside:
        teach = _student(student, using or {}, lesson.kind, {**handed, "artefacts": Path(beside)})
        taught: Model = teach(Lesson(lesson.dataset, rows, lesson.kind))
        place = Path(beside) / taught.uri.rpartition("/")[2]
        opened = forms.opened(place, handed)
        if not isinstance(opened, Labelling):
            raise SettingsError(f"customize.distil: student {student!r} makes models that know no labels")
        own = {name: value for name, value in taught.report.items() if name not in COUNTS_AGREEMENT}
        report = {**own, **figures, **judged(opened, task, judges)}
        kept = _kept(place, artefacts, f"distil.{taught.method}", report)
    return structs.replace(
        taught, id="", name=f"{task}-distil", method=f"distil.{taught.method}", report=report,
        uri=f"{artefacts.name}/{kept.name}", cost=time.process_time() - start,
    )  # fmt: skip


def _apart(found: Sorted, validation: Sorted, task: str) -> tuple[Sorted, Judges]:
    """What teaches, and what judges: validation rows of people, or else a part of those that would teach."""
    if not found.people:
        raise SettingsError(
            f"task {task!r} has no row that a person labelled, so nothing says where the teacher is right; "
            "label some: flywheel experts"
        )
    people, judging = found.people, validation.people
    if len(judging) < LEAST:
        people, held = apart(people, HELD)
        judging = [*judging, *held]
    texts = {same(row) for row in judging}
    others = [row for row in found.teacher if same(row) not in texts]
    teacher, agreeing = apart(others, min(AGREEING, MOST_AGREEING / (len(others) + 1)))
    judges = Judges(judging, {**found.said, **validation.said}, agreeing)
    return structs.replace(found, people=people, teacher=teacher), judges


def _rows(
    found: Sorted, task: str, most: float, least: float, encoder: Encoder
) -> tuple[list[Row], dict[str, float]]:
    """People's rows with the teacher's that are trusted, and how many there were of each."""
    checked = reliability(found.people, found.said, task, encoder)
    believed = trusted(found.teacher, task, checked, least, encoder)
    before = {row.id: row.labels[task] for row in found.teacher}
    figures = {
        "people": len(found.people), "teacher": len(believed), "rejected": found.rejected,
        "overruled": found.overruled, "distrusted": len(found.teacher) - len(believed),
        "sorted_anew": sum(before[row.id] != row.labels[task] for row in believed),
        "checked": checked.checked,
    }  # fmt: skip
    right = {"teacher_right": checked.overall} if checked.checked else {}
    rows = [*found.people, *bounded(believed, found.people, most)]
    return rows, {**{name: float(count) for name, count in figures.items()}, **right}


def _student(name: str, using: Mapping[str, Any], kind: str, handed: Mapping[str, Any]) -> door.Plugin:
    """The trainer of that name, with its settings."""
    wanted = door.describe("customize", name).handed
    trainer = None if set(wanted) - set(handed) else door.load("customize", name, using, handed)
    if name == "distil" or trainer is None or kind not in teaches(trainer):
        raise SettingsError(f"customize.distil: student {name!r} cannot be taught here; choose head or lora")
    return trainer


def _kept(place: Path, artefacts: Path, method: str, report: Mapping[str, float]) -> Path:
    """The student's model with the figures that people's rows gave it, in its card as well."""
    said = artefact.manifest(place)
    files = {name: place / name for name in said.pop("files") if name != artefact.CARD}
    return artefact.keep(artefacts, {**said, "method": method, "report": report}, files=files)
