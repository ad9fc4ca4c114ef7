"""Records of files: a file, a folder, a glob, or object storage; of all that people keep documents in."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.base.settings import Task
from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.glob import matches
from openflywheel.collect._files.place import Place, place
from openflywheel.collect._files.reading import Objects, Reading, streams
from openflywheel.collect._rows.record import Columns, Subject
from openflywheel.collect._rows.table import LONGEST
from openflywheel.collect._streams import Stream

SUFFIXES = (".csv", ".jsonl", ".txt")


def files(
    gap: Gap,
    *,
    path: str,
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    person: str = "",
    exclude: tuple[str, ...] = (),
    largest: int = 256_000_000,
    most: int = 10_000,
    folder: Path,
    objects: Objects,
    subject: Subject,
    tasks: Mapping[str, Task],
    state: dict[str, Any],
) -> Iterator[Record | Drop]:
    """Records of files that are new or changed since the last time, at most `most` of them.

    `path` is a file, a folder with all below it, a glob ("docs/**/*.md") or a URL: s3://bucket/prefix, gs://,
    abfs://container@account/, az://container/ (see _files/cloud.py). A relative one starts in the folder of
    flywheel.yaml. `exclude` are globs below it. Files of more than `largest` bytes are dropped.

    Tables (CSV, TSV, JSON, JSON Lines, XLSX, Parquet) give a Record a row: `text` names the columns of the
    text, `label` and `person` those of the label and of whom it is about; the others are its facts, and so
    are the values of an object `meta`. Values that can't be facts are dropped with their column's name. A
    table that `path` itself names is told where another column than `label` seems to hold what the task
    learns; `label: ""` says that none does. Documents (HTML, PDF, DOCX, PPTX, mails, plain text) give one
    each, Markdown one a section, a text file that `path` itself names one a line. Images, audio and video are
    kept as objects. Archives (ZIP, TAR, gzip, bzip2, xz) are read like folders. What is broken, hidden,
    unsafe or of another kind is dropped with its reason. Raises SettingsError when nothing is there, or one
    named table has a column in none of its rows; MissingExtra; SourceFailed.
    """
    where = place(path, folder)
    reading = Reading(
        gap=gap,
        place=where,
        columns=Columns(text=text, label=label, person=person),
        source="files",
        largest=largest,
        objects=objects,
        subject=subject,
        kind=tasks[gap.task].kind if gap.task in tasks else "",
    )
    yield from reading.fresh(_wanted(where, exclude), state, most)


def check(*, path: str, folder: Path) -> None:
    """Is anything there? Raises SettingsError, SourceFailed."""
    place(path, folder).check()


def discover(
    _: Gap, *, path: str, exclude: tuple[str, ...] = (), largest: int = 256_000_000, folder: Path
) -> Iterator[Stream]:
    """Files and bytes by kind, with the columns of the first table. Raises SettingsError, SourceFailed."""
    where = place(path, folder)
    yield from streams(where, _wanted(where, exclude), largest)


def _wanted(where: Place, exclude: tuple[str, ...]) -> list[Entry]:
    return [e for e in where.entries() if not any(matches(glob, e.name) for glob in exclude)]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a CSV, JSON Lines or text file as dictionaries, all or none. Raises SettingsError."""
    if not path.is_file():
        raise SettingsError(f"there is no file {str(path)!r}")
    if path.suffix not in SUFFIXES:
        raise SettingsError(
            f"{str(path)!r}: can't read {path.suffix or 'a file without suffix'}; one of {SUFFIXES}"
        )
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".csv":
            csv.field_size_limit(LONGEST)
            yield from csv.DictReader(lines)
        elif path.suffix == ".jsonl":
            yield from (_json(path, i, line) for i, line in enumerate(lines, start=1) if line.strip())
        else:
            yield from ({"text": line.strip()} for line in lines if line.strip())


def _json(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{path}:{number}: {error}") from None
    if not isinstance(row, dict):
        raise SettingsError(
            f"{path}:{number}: expected an object with text and label, found {line.strip()[:40]!r}"
        )
    return row
