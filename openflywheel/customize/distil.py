"""A student taught by a teacher's traffic, as far as people's labels bear the teacher out."""

import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from openflywheel.base import door, forms
from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.prompt import Ask, Encoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.nouns import Model, Paid, Row
from openflywheel.customize import Lesson, teaches
from openflywheel.customize._budget import Estimate, foreseen, settings
from openflywheel.customize._distil.calibrating import calibrated
from openflywheel.customize._distil.judging import HELD, LEAST, Judges, apart, judged
from openflywheel.customize._distil.reliability import bounded, reliability, trusted
from openflywheel.customize._distil.sorting import Exchanges, Heard, Sorted, same, sort
from openflywheel.customize._people import person

KINDS = ("label",)
NO_STUDENTS = ("distil", "hosted")  # itself; and a job at a provider may outlast the turn
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
    providers: Mapping[str, Any],
    artefacts: Path,
    workspace: Path,
    folder: Path,
    cluster: str | None = None,
    tasks: Mapping[str, Any],
    seed: int,
    progress: Callable[[dict[str, float]], object],
) -> Iterator[Model | Paid]:
    """Teach another trainer with people's rows, and with a teacher's rows as far as people bear it out.

    student: a trainer of labels, not one of `NO_STUDENTS`; using: its settings. teacher: the variant that
        teaches, "" for every row that a model labelled (labelled_by "model").
    most: weight of all of the teacher's rows together, against that of people's. least_right: how often
        rows of a class have to be right.

    A teacher's row is rejected when feedback about it is negative, or corrects it; a person's label of the
    same text takes its place. Where a person labelled what the teacher answered, it shows per class how often
    the teacher is right, and its other rows of the class weigh as much; a class in which it is often wrong is
    sorted anew by the likest row that a person checked (`_distil/reliability.py`). Where nobody checked the
    teacher, none of its rows teach.

    The report's "accuracy" is that on rows of people who taught nothing (of validation, else a quarter of the
    people, of whom the teacher's rows teach nothing either); see `_distil/judging.py` for "judged",
    "missing", "agreement" and "gap". From 30 of these rows on they fit the student's confidence, which was
    fitted on the teacher's (`_distil/calibrating.py`: "calibrated_by_people", else "calibrated_by_student").
    "people", "teacher", "rejected", "overruled", "distrusted" and "sorted_anew" count rows; "teacher_right"
    is how often the teacher was right on the "checked" rows.
    Paid is what its student paid. Raises SettingsError when nobody labelled a row, or for a student that
    cannot be had.
    """
    start, task = time.process_time(), lesson.dataset.task
    sorting = partial(sort, task=task, exchanges=exchanges, heard=heard, teacher=teacher)
    found, judges = _apart(sorting([*lesson.rows, *lesson.preference]), sorting(lesson.validation), task)
    rows, figures = _rows(found, task, most, least_right, encoder)
    handed = {
        "encoder": encoder, "exchanges": exchanges, "heard": heard, "ask": ask,
        "workspace": lesson.place(workspace, "distil"), "folder": folder, "cluster": cluster,
        "providers": providers, "tasks": tasks, "seed": seed, "progress": progress,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(dir=artefacts, prefix=".new-") as beside:
        teach = _student(student, using or {}, lesson.kind, {**handed, "artefacts": Path(beside)})
        taught = yield from _given(teach(Lesson(lesson.dataset, rows, lesson.kind)))
        place = Path(beside) / taught.uri.rpartition("/")[2]
        opened = forms.opened(place, handed)
        if not isinstance(opened, Labelling):
            raise SettingsError(f"customize.distil: student {student!r} makes models that know no labels")
        own = {name: value for name, value in taught.report.items() if name not in COUNTS_AGREEMENT}
        said = artefact.manifest(place)
        sure, fitted = calibrated(opened, said, task, judges.people, len(rows))
        report = {**own, **figures, **judged(opened, task, judges), **fitted}
        kept = _kept(place, artefacts, {**said, **sure}, f"distil.{taught.method}", report)
    yield structs.replace(
        taught, id="", name=f"{task}-distil", method=f"distil.{taught.method}", report=report,
        uri=f"{artefacts.name}/{kept.name}", cost=time.process_time() - start,
    )  # fmt: skip


def estimate(lesson: Lesson, **given: Any) -> Estimate | None:
    """What its student will take, if all rows teach it; None where the student tells none.

    Raises SettingsError for a student that cannot be had, and as the student's own estimate does.
    """
    said = settings(distil, given)
    handed = {name: said[name] for name in door.HANDED_IN if name in said}
    handed["workspace"] = lesson.place(said["workspace"], "distil")
    trainer = _student(said["student"], said["using"] or {}, lesson.kind, handed)
    return foreseen(trainer, Lesson(lesson.dataset, lesson.rows, lesson.kind))


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
    strangers = {person(row) for row in judging} - {person(row) for row in people}
    others = [row for row in found.teacher if same(row) not in texts and person(row) not in strangers]
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
    able = name not in NO_STUDENTS and not set(wanted) - set(handed)
    trainer = door.load("customize", name, using, handed) if able else None
    if trainer is None or kind not in teaches(trainer):
        raise SettingsError(
            f"customize.distil: student {name!r} cannot be taught here; choose head, encoder_lora, scratch, "
            "lora or prompt"
        )
    return trainer


def _given(gave: Model | Iterable[Model | Paid]) -> Generator[Paid, None, Model]:
    """Gives on what the student paid, and returns the student."""
    things = [gave] if isinstance(gave, Model) else gave
    for thing in things:
        if isinstance(thing, Model):
            return thing
        yield thing
    raise SettingsError("customize.distil: its student gave no model; see what the trainer alone says")


def _kept(
    place: Path, artefacts: Path, said: Mapping[str, Any], method: str, report: Mapping[str, float]
) -> Path:
    """The student's model with what people's rows gave it: its temperature, and figures, also in its card."""
    files = {name: place / name for name in said["files"] if name != artefact.CARD}
    manifest = {name: value for name, value in said.items() if name != "files"}
    return artefact.keep(artefacts, {**manifest, "method": method, "report": report}, files=files)
