"""What a lesson becomes before training: rows that teach and rows that judge, the tokenizer, the examples."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import share_of
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._scratch.vocabulary import learned, written
from openflywheel.customize._tuning.chats import Example, chat, examples

APART = 0.1  # of the people: their rows judge, where the lesson brings no validation


class Parts(Struct, frozen=True):
    """Rows that teach, rows that judge, and the labels of the former (none for a text task)."""

    teaching: tuple[Row, ...]
    judging: tuple[Row, ...]
    labels: tuple[str, ...]


def parted(lesson: Lesson) -> Parts:
    """The lesson's own validation judges, or a tenth of the people; no label loses the rows that teach it.

    For labels a question counts alone, for it is asked alone when the model serves. Raises SettingsError when
    too little is there to learn from.
    """
    task, held = lesson.dataset.task, lesson.kind == "label"
    teaching, judging = (
        _apart(lesson.rows, task, held) if not lesson.validation else (lesson.rows, lesson.validation)
    )
    labels = sorted({row.labels[task] for row in teaching}) if held else []
    if held and len(labels) < 2:
        raise SettingsError(f"task {task!r} has examples of {len(labels)} label; a classifier needs two")
    judging = [row for row in judging if not held or row.labels[task] in labels]
    if not teaching or not judging:
        raise SettingsError(
            f"task {task!r} has {len(lesson.rows)} rows: too few to learn from and to judge by; label more"
        )
    both = [[replace(row, meta={}) for row in rows] if held else rows for rows in (teaching, judging)]
    return Parts(tuple(both[0]), tuple(both[1]), tuple(labels))


def _apart(rows: Sequence[Row], task: str, held: bool) -> tuple[list[Row], list[Row]]:
    drawn = [share_of(row.subject or row.text, "judges") < APART for row in rows]
    known = {row.labels[task] for row, judges in zip(rows, drawn, strict=True) if not judges}
    judges = [j and (not held or row.labels[task] in known) for row, j in zip(rows, drawn, strict=True)]
    parts: tuple[list[Row], list[Row]] = ([], [])
    for row, place in zip(rows, judges, strict=True):
        parts[place].append(row)
    return parts


def tokenizer(parts: Parts, task: str, size: int) -> Any:
    """A tokenizer learned from the rows that teach."""
    said = (message["content"] for row in parts.teaching for message in chat(row))
    answers = () if parts.labels else (row.labels[task] for row in parts.teaching)
    return learned([*said, *answers], size, parts.labels)


def tokens(
    rows: Sequence[Row], task: str, parts: Parts, template: Template, most: int
) -> tuple[Example, ...]:
    """The rows as examples of at most `most` tokens; a label is one token and needs no end.

    Raises SettingsError when none of them fits.
    """
    if not parts.labels:
        found = examples(rows, task, template, most).kept
    else:
        named = [replace(row, labels={task: written(row.labels[task])}) for row in rows]
        whole = examples(named, task, template, most).kept
        found = tuple(Example(e.tokens[: e.start + 1], e.start, e.weight) for e in whole)
    if not found:
        raise SettingsError(f"no row of task {task!r} fits into most_tokens = {most}")
    return found
