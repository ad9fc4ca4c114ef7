"""What a lesson becomes before training: rows that teach, end and judge, the tokenizer, the examples."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._people import halves, judging, person
from openflywheel.customize._scratch.vocabulary import learned, written
from openflywheel.customize._tuning.chats import Example, chat, examples

APART = 0.1  # of the people: their rows judge, where the lesson brings no validation


class Parts(Struct, frozen=True):
    """Rows that teach, rows that judge, and the labels of the former (none for a text task).

    Rows of `ending` end the run where they stop improving, and judge nothing.
    """

    teaching: tuple[Row, ...]
    judging: tuple[Row, ...]
    labels: tuple[str, ...]
    ending: tuple[Row, ...] = ()


def parted(lesson: Lesson) -> Parts:
    """The lesson's own validation judges, or a tenth of the people; no label loses the rows that teach it.

    Of 40 such rows or more one half ends the run and the other half, of other people, judges. With fewer all
    judge, and the run goes on to its end: rows that ended it would tell too much good of it. For labels a
    question counts alone, for it is asked alone when the model serves. Raises SettingsError when too little
    is there to learn from.
    """
    task, held = lesson.dataset.task, lesson.kind == "label"
    teaching, judges = (
        _apart(lesson.rows, task, held) if not lesson.validation else (lesson.rows, lesson.validation)
    )
    labels = sorted({row.labels[task] for row in teaching}) if held else []
    if held and len(labels) < 2:
        raise SettingsError(
            f"task {task!r} has examples of {len(labels)} label; a classifier needs two:"
            " label more: flywheel experts"
        )
    if not teaching or not _known(judges, task, labels):
        raise SettingsError(
            f"task {task!r} has {len(lesson.rows)} rows: too few to learn from and to judge by; label more:"
            " flywheel experts"
        )
    if held:
        teaching, judges = ([replace(row, meta={}) for row in rows] for rows in (teaching, judges))
    ending, rest = ([judges[place] for place in half] for half in halves([person(row) for row in judges]))
    if not _known(rest, task, labels):
        ending, rest = [], list(judges)
    return Parts(tuple(teaching), tuple(rest), tuple(labels), tuple(ending))


def _known(rows: Sequence[Row], task: str, labels: Sequence[str]) -> list[Row]:
    """Those of labels that are taught, for a text task all."""
    taught = set(labels)
    return [row for row in rows if not taught or row.labels[task] in taught]


def _apart(rows: Sequence[Row], task: str, held: bool) -> tuple[list[Row], list[Row]]:
    """Who teaches, and who judges; people whose rows alone teach a label judge nothing, while others can."""
    drawn = judging(rows, APART, "judges")
    known = {row.labels[task] for row, judges in zip(rows, drawn, strict=True) if held and not judges}
    sure = [j and (not held or row.labels[task] in known) for row, j in zip(rows, drawn, strict=True)]
    needed = {person(row) for row, j, fine in zip(rows, drawn, sure, strict=True) if j and not fine}
    apart = [j and person(row) not in needed for row, j in zip(rows, sure, strict=True)]
    parts: tuple[list[Row], list[Row]] = ([], [])
    for row, place in zip(rows, apart if any(apart) else sure, strict=True):
        parts[place].append(row)
    return parts


def tokenizer(parts: Parts, task: str, size: int) -> Any:
    """A tokenizer learned from the rows that teach."""
    said = [(person(row), message["content"]) for row in parts.teaching for message in chat(row)]
    answers = [] if parts.labels else [(person(row), row.labels[task]) for row in parts.teaching]
    return learned([*said, *answers], size, parts.labels)


def tokens(
    rows: Sequence[Row], task: str, parts: Parts, template: Template, most: int
) -> tuple[Example, ...]:
    """The rows as examples of at most `most` tokens; a label is one token and needs no end. Rows of labels
    that nobody teaches are left out.

    Raises SettingsError when none of them fits.
    """
    if not parts.labels:
        found = examples(rows, task, template, most).kept
    else:
        known = _known(rows, task, parts.labels)
        named = [replace(row, labels={task: written(row.labels[task])}) for row in known]
        whole = examples(named, task, template, most).kept
        found = tuple(Example(e.tokens[: e.start + 1], e.start, e.weight) for e in whole)
    if not found:
        raise SettingsError(f"no row of task {task!r} fits into most_tokens = {most}")
    return found
