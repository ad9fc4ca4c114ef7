"""Files that a vendor delivers into a bucket or a folder of ours: what is new, once it is complete."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.glob import matches
from openflywheel.collect._files.place import Place, place
from openflywheel.collect._files.reading import Objects, Reading, streams
from openflywheel.collect._providers.rows import failure
from openflywheel.collect._rows.record import Columns, Subject
from openflywheel.collect._streams import Stream

UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".inprogress", ".crdownload")


def delivery(
    gap: Gap,
    *,
    url: str,
    pattern: str = "**",
    marker: str = "",
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    person: str = "",
    largest: int = 1_000_000_000,
    most: int = 10_000,
    folder: Path,
    objects: Objects,
    subject: Subject,
    state: dict[str, Any],
) -> Iterator[Record | Drop]:
    """Records of what was delivered since the last time, at most `most` of them; the rest comes next time.

    `url` is a bucket with a prefix (s3://, gs://, abfs://) or a folder; nothing being there yet is no error.
    `pattern` is a glob below it. With a `marker` ("_SUCCESS", "*.manifest") a file waits until one of that
    name stands in its folder or above. Names that begin with "_" or end with .tmp, .part and the like are not
    complete and are passed over. A file that was delivered again with other content is read again.

    Files are of all kinds that `files` reads, rows mostly: JSON, JSON Lines, CSV, XLSX, Parquet, packed or
    not, `text`, `label` and `person` naming their columns. Rows with which the vendor reports an error, and
    files above `largest` bytes, are dropped with their reason. Raises SettingsError, MissingExtra,
    SourceFailed.
    """
    where = place(url, folder, waits=True)
    reading = Reading(
        gap=gap,
        place=where,
        columns=Columns(text=text, label=label, person=person),
        source="delivery",
        largest=largest,
        objects=objects,
        subject=subject,
        failure=failure,
    )
    yield from reading.fresh(_complete(where, pattern, marker), state, most)


def check(*, url: str, folder: Path) -> None:
    """Does the place answer? Raises SettingsError, SourceFailed."""
    place(url, folder, waits=True).check()


def discover(
    _: Gap,
    *,
    url: str,
    pattern: str = "**",
    marker: str = "",
    largest: int = 1_000_000_000,
    folder: Path,
) -> Iterator[Stream]:
    """What lies there complete, by kind. Raises SettingsError, SourceFailed."""
    where = place(url, folder, waits=True)
    yield from streams(where, _complete(where, pattern, marker), largest)


def _complete(where: Place, pattern: str, marker: str) -> list[Entry]:
    entries = list(where.entries())
    marked = {_folder(e.name) for e in entries if marker and fnmatchcase(PurePosixPath(e.name).name, marker)}
    return [e for e in entries if _is_data(e, pattern, marker) and (not marker or _under(e.name, marked))]


def _is_data(entry: Entry, pattern: str, marker: str) -> bool:
    path = PurePosixPath(entry.name)
    unfinished = path.suffix in UNFINISHED or any(part.startswith("_") for part in path.parts)
    return matches(pattern, entry.name) and not unfinished and not (marker and fnmatchcase(path.name, marker))


def _under(name: str, marked: set[str]) -> bool:
    return any(str(folder) in marked for folder in PurePosixPath(name).parents)


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)
