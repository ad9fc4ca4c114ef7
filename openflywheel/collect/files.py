"""Labelled examples and texts from a local file: CSV, JSON Lines or plain text."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Gap, Record

SUFFIXES = (".csv", ".jsonl", ".txt")


def files(
    gap: Gap,
    *,
    path: str,
    task: str = "",
    text: str = "text",
    label: str = "label",
    license: str = "",
    folder: Path,
) -> Iterator[Record]:
    """Records of a file's rows, for gaps that point at no exchange (the cold start, gaps that people write).

    A relative `path` starts in the folder of flywheel.yaml; `task` is the one that the labels are for, needed
    where there are several; `text` and `label` name the columns; a row without a label is an unlabelled
    Record. Raises SettingsError when the file is missing, of another kind, broken, or lacks the column.
    """
    if gap.evidence or task not in ("", gap.task):
        return
    place = folder / path
    for number, row in enumerate(read_rows(place), start=1):
        if text not in row:
            raise SettingsError(f"{place}:{number}: there is no column {text!r}; {suggest(text, row)}")
        said = str(row.get(label) or "")
        yield Record(
            text=str(row[text]),
            source="files",
            uri=place.name,
            license=license,
            purposes=("training",),
            labels={gap.task: said} if said else {},
            labelled_by="seed" if said else "",
        )


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a CSV, JSON Lines or text file as dictionaries. Raises SettingsError."""
    if not path.is_file():
        raise SettingsError(f"there is no file {str(path)!r}")
    if path.suffix not in SUFFIXES:
        raise SettingsError(
            f"{str(path)!r}: can't read {path.suffix or 'a file without suffix'}; one of {SUFFIXES}"
        )
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".csv":
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
