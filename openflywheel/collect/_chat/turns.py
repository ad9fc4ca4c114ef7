"""Conversations as tables with a turn a line: MultiDoGO (Peskov et al. 2019, EMNLP) and what looks like it.

Columns: conversationId, turnNumber, utterance; perhaps authorRole, intent. Without authorRole every turn is
the customer's, as in the splits that are annotated by turn.
"""

from collections.abc import Iterator
from io import TextIOWrapper
from itertools import groupby
from typing import BinaryIO

from openflywheel.base.nouns import Drop
from openflywheel.collect._chat.conversation import Conversation, Turn
from openflywheel.collect._rows.table import table

NEEDED = ("conversationId", "utterance")
LONGEST = 131_072  # characters of a turn: what is longer is a quote that is never closed
SIDES = {"user": "customer", "customer": "customer", "agent": "agent"}

Row = dict[str, str]


def is_table(head: bytes) -> bool:
    """Does a file begin like such a table?"""
    names = head.decode("utf-8-sig", "replace").rstrip("\r\n").split("\t")
    return all(name in names for name in NEEDED)


def conversations(file: BinaryIO, label: str, person: str) -> Iterator[Conversation | Drop]:
    """The conversations of a table; turns of one stand together."""
    text = TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    try:
        for id, lines in groupby(_rows(text), _id):
            if id:
                yield _conversation(id, [row for row in lines if isinstance(row, dict)], label, person)
            else:
                yield from (
                    row if isinstance(row, Drop) else Drop("turn of no conversation") for row in lines
                )
    finally:
        text.detach()


def _rows(text: TextIOWrapper) -> Iterator[Row | Drop]:
    lines = table(text, delimiter="\t", longest=LONGEST)
    names = next(lines, [])
    if isinstance(names, Drop) or not all(name in names for name in NEEDED):
        yield Drop("no table of turns")
        return
    for line in lines:
        if isinstance(line, Drop):
            yield line
        elif line:
            yield dict(zip(names, line, strict=False))


def _id(row: Row | Drop) -> str:
    return row.get("conversationId", "") if isinstance(row, dict) else ""


def _conversation(id: str, rows: list[Row], label: str, person: str) -> Conversation:
    turns = [
        Turn(who=_who(row), text=row.get("utterance", ""), label=row.get(label or "intent", ""))
        for row in rows
    ]
    labels = {turn.label for turn in turns if turn.label}
    return Conversation(
        id=id,
        turns=tuple(turns),
        label=labels.pop() if len(labels) == 1 else "",
        person=next((row[person] for row in rows if row.get(person)), "") if person else "",
        facts={"labels": ", ".join(dict.fromkeys(t.label for t in turns if t.label))},
    )


def _who(row: Row) -> str:
    said = row.get("authorRole", "customer").strip().lower()
    return SIDES.get(said, said or "customer")
