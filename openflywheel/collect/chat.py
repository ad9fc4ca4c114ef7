"""Logs of conversations: OpenAI's messages, ShareGPT, ABCD, and tables of turns like MultiDoGO's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._chat import forms, turns
from openflywheel.collect._chat.conversation import Conversation, Each
from openflywheel.collect._rows.objects import objects
from openflywheel.collect._rows.progress import Progress, files_of
from openflywheel.collect._rows.record import Subject
from openflywheel.collect._streams import Stream

SUFFIXES = (".jsonl", ".ndjson", ".json", ".tsv")
HEAD = 4_096  # bytes in which the first line of a table ends

Form = Literal["", "openai", "sharegpt", "abcd", "multidogo"]


def chat(
    gap: Gap,
    *,
    path: str,
    form: Form = "",
    each: Each = "conversation",
    label: str = "",
    person: str = "",
    most: int = 10_000,
    folder: Path,
    state: dict[str, Any],
    subject: Subject,
) -> Iterator[Record | Drop]:
    """One Record a conversation, "user: ..." and "assistant: ..." a line; or one a turn of whoever asked.

    `path` is a log, or a folder of logs, from the folder of flywheel.yaml on: JSON Lines, JSON or TSV, in a
    `form` that is recognised unless told. A log that grows is read from where the last turn ended, `most`
    conversations in a turn. `label` and `person` name fields (with dots) or columns; without them they are
    what the form has: intent and user of OpenAI's, the subflow and the e-mail of ABCD, the intent of
    MultiDoGO. A whole conversation has the label of its turns only if they have one in common. System prompts
    stand in meta["system"], calls of tools in the text.

    Raises SettingsError when there is no such file.
    """
    use = f"{gap.task} {each} {label} {person}"  # labels are a task's, so each reads for itself
    progress = Progress(state, use)
    for place in files_of(folder / path, SUFFIXES):
        uri = path if place == folder / path else f"{path.rstrip('/')}/{place.relative_to(folder / path)}"
        for found in progress.items(place, lambda file: _conversations(file, form, label, person)):
            if isinstance(found, Drop):
                yield found
            else:
                yield from found.records(gap, each, uri=uri, subject=subject)
            most -= 1
            if most <= 0:
                return


def _conversations(file: BinaryIO, form: Form, label: str, person: str) -> Iterator[Conversation | Drop]:
    if form == "multidogo" or (not form and turns.is_table(_first(file))):
        yield from turns.conversations(file, label, person)
        return
    for found in objects(file):
        yield from forms.conversations(found, form, label, person)


def _first(file: BinaryIO) -> bytes:
    line = file.readline(HEAD)
    file.seek(0)
    return line


def check(*, path: str, folder: Path) -> None:
    """See whether the log is there. Raises SettingsError."""
    files_of(folder / path, SUFFIXES)


def discover(gap: Gap, *, path: str, form: Form = "", folder: Path) -> Iterator[Stream]:
    """Each log, with its size and its form by its first conversation."""
    del gap
    for place in files_of(folder / path, SUFFIXES):
        with place.open("rb") as file:
            named = form or ("multidogo" if turns.is_table(_first(file)) else "")
            known = named or forms.recognised(next(objects(file), None)) or "form not known"
        yield Stream(place.name, note=f"{known}, {place.stat().st_size:,} bytes")
