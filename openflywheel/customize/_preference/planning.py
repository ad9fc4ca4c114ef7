"""A lesson of preferences: who teaches and who judges, by which method, and what is kept of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import share_of
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._preference.building import BUILDS, START
from openflywheel.customize._preference.liking import Pair, Thumb, bounded, pairs, telling, thumbs
from openflywheel.customize._preference.starting import Start, started
from openflywheel.customize._preference.tokens import Choice, Choices, choices
from openflywheel.customize._tuning import adapter, checkpoint
from openflywheel.customize._tuning.running import Plan, Result
from openflywheel.customize._tuning.tuning import Tuning

APART = 0.1  # of the people: what they like judges, where the lesson brings no validation
MOST_JUDGED = 512  # choices: an interval of 95 % is then at most 9 points wide


class Taught(Struct, frozen=True):
    """A plan, its method, and the choices that teach and judge; `bounded` rows were one person's too many."""

    plan: Plan
    method: str
    start: Start
    rows: Choices
    judged: Choices
    bounded: int


def planned(
    lesson: Lesson,
    start: str,
    method: str,
    beta: float,
    tuning: Tuning,
    per_subject: float,
    folder: Path,
    workspace: Path,
) -> Taught:
    """The run for a lesson. Raises SettingsError when the base can't be used or nothing is to be learned."""
    began = started(start, folder)
    written = (folder / tuning.template).read_text(encoding="utf-8") if tuning.template else ""
    text = written or began.said.get("template", "")
    template = Template(checkpoint.tokenizer(began.base, text), began.said.get("instruction", ""))
    teaching, judging = apart(lesson)
    few = bounded(teaching, per_subject)
    task, most = lesson.dataset.task, tuning.most_tokens
    method = method or ("dpo" if pairs(few, task) else "kto")
    rows = choices(said(few, task, method), template, most)
    _check(rows, task, method, tuning)
    judged = _others(choices(said(judging, task, method), template, most), rows)
    plan = Plan(
        build=BUILDS[method],
        base=began.base,
        tuning=replace(tuning, template=text),
        rows=rows.kept,
        validation=judged.kept,
        arguments={"beta": beta, **({START: str(began.adapter.absolute())} if began.adapter else {})},
        workspace=workspace,
    )
    return Taught(plan, method, began, rows, judged, len(teaching) - len(few))


def apart(lesson: Lesson) -> tuple[list[Row], list[Row]]:
    """Rows that teach and rows that judge, of other people: those of validation, or a tenth of the people."""
    judging, rows = telling(lesson.validation), telling([*lesson.rows, *lesson.preference])
    people = {row.subject for row in judging if row.subject}
    if judging:
        return [row for row in rows if row.subject not in people], judging
    drawn = [share_of(row.subject or row.text, "judges") < APART for row in rows]
    return (
        [row for row, judges in zip(rows, drawn, strict=True) if not judges],
        [row for row, judges in zip(rows, drawn, strict=True) if judges],
    )


def said(rows: Sequence[Row], task: str, method: str) -> Sequence[Pair] | Sequence[Thumb]:
    """What rows say, as a method wants it."""
    return thumbs(rows, task) if method == "kto" else pairs(rows, task)


def _others(judged: Choices, rows: Choices) -> Choices:
    """What judges without what teaches as well, where two people said the same; at most `MOST_JUDGED`."""
    known = {_key(choice) for choice in rows.kept}
    others = [choice for choice in judged.kept if _key(choice) not in known]
    drawn = sorted(others, key=lambda choice: share_of(str(_key(choice)), "judges"))
    return replace(judged, kept=tuple(drawn[:MOST_JUDGED]))


def _key(choice: Choice) -> tuple[tuple[int, ...], ...]:
    return tuple(choice.prompt), tuple(choice.better), tuple(choice.worse)


def _check(rows: Choices, task: str, method: str, tuning: Tuning) -> None:
    if rows.dropped and not rows.kept:
        raise SettingsError(
            f"task {task!r}: none of {rows.dropped} examples fits into most_tokens = {tuning.most_tokens};"
            " raise it"
        )
    if method != "kto" and not rows.kept:
        raise SettingsError(
            f"task {task!r}: no row says which of two answers is better; corrections do, and thumbs up and"
            " down on answers to one question; method: kto learns from any thumbs"
        )
    ups = sum(bool(choice.better) for choice in rows.kept)
    if method == "kto" and not 0 < ups < len(rows.kept):
        raise SettingsError(
            f"task {task!r} has {ups} thumbs up and {len(rows.kept) - ups} down; kto learns from both kinds"
        )
    parts = tuning.accumulate * tuning.workers
    if method == "kto" and tuning.batch < 2 * parts:
        raise SettingsError(
            f"batch = {tuning.batch} in {parts} parts: kto compares the answers of a part, so it"
            " needs two in each"
        )


def kept(artefacts: Path, lesson: Lesson, taught: Taught, result: Result) -> tuple[Path, dict[str, float]]:
    """Keep the adapter. Its place, and the report."""
    single = taught.method == "kto"
    report = {
        **{_figure(name): value for name, value in result.figures.items()},
        "rows": float(len(taught.rows.kept)),
        "pairs": 0.0 if single else float(len(taught.rows.kept)),
        "thumbs": float(len(taught.rows.kept)) if single else 0.0,
        "tokens": float(taught.rows.tokens),
        "cut": float(taught.rows.cut),
        "dropped": float(taught.rows.dropped),
        "bounded": float(taught.bounded),
    }
    template = taught.plan.tuning.template
    manifest: dict[str, Any] = {
        "method": f"preference.{taught.method}",
        "task": lesson.dataset.task,
        "kind": lesson.kind,
        "taught_by": [lesson.dataset.id],
        "beta": taught.plan.arguments["beta"],
        "report": report,
        **taught.start.said,
        **({"template": template} if template else {}),
    }
    return adapter.keep(artefacts, taught.plan.adapter, taught.plan.base, manifest), report


def _figure(name: str) -> str:
    """Rewards are judged on validation only, so that they don't need to say so."""
    return name if name == "validation_loss" else name.removeprefix("validation_")
