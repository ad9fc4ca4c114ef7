"""What a run reads: a Delta table, Parquet, JSON Lines, documents; a file, or a folder with any of them.

A path becomes shards of about 32 MB that say what is in them, and each shard batches of Records. What cannot
be read becomes a dropped row with a reason that begins with "read:"; it is never lost and ends no run.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from openflywheel.base.errors import SettingsError
from openflywheel.curate._engine.documents import Document, Documents, documents
from openflywheel.curate._engine.lines import PACKED, SUFFIXES, Lines, lines
from openflywheel.curate._engine.parquet import Groups, delta, groups, hive
from openflywheel.curate._engine.record import Terms

Shard = Groups | Lines | Documents

__all__ = ["Shard", "Terms", "names", "read", "shards", "unread"]


def shards(path: str | Path, *, terms: Terms = Terms()) -> list[Shard]:  # noqa: B008  frozen
    """The shards of a file or folder, in the order of their names.

    `terms` hold for rows that do not say their own source, basis, purposes, license or region. Raises
    SettingsError for a path that is not there or holds nothing, and for tables whose columns do not fit.
    """
    place = _place(path)
    terms = msgspec.structs.replace(terms, source=terms.source or place.name.partition(".")[0])
    if (place / "_delta_log").is_dir():
        found: list[Shard] = [*delta(place, terms)]
    else:
        found = list(_shards(place, terms))
    if not found:
        raise SettingsError(f"{place}: holds nothing to read")
    return found


def names(shard: Shard) -> list[str]:
    """What a shard is remembered by: of documents each file, of others itself."""
    return [file.name for file in shard.files] if isinstance(shard, Documents) else [shard.name]


def unread(found: Sequence[Shard], read: Collection[str]) -> list[Shard]:
    """The shards without what was read before; documents are taken file by file."""
    known = set(read)
    fresh = [
        file
        for shard in found
        if isinstance(shard, Documents)
        for file in shard.files
        if file.name not in known
    ]
    others = [shard for shard in found if not isinstance(shard, Documents) and shard.name not in known]
    terms = next((shard.terms for shard in found if isinstance(shard, Documents)), Terms())
    return [*others, *documents(fresh, terms)]


def read(shard: Shard) -> Iterator[pa.Table]:
    """Its rows with the columns of Record, "content" and "drop", at most 2,000 rows and 32 MB at once."""
    return shard.read()


def _place(path: str | Path) -> Path:
    if "://" in str(path):
        raise SettingsError(f"{path}: curation reads local paths; mount it, or fetch it with collect.files")
    if not Path(path).exists():
        raise SettingsError(f"{path}: there is no such file or folder")
    return Path(path).resolve()


def _shards(place: Path, terms: Terms) -> Iterator[Shard]:
    """Tables file by file, then the documents together."""
    loose = []
    for path, uri in _files(place):
        suffix = path.suffix.lower()
        if suffix in (".parquet", ".pq"):
            yield from groups(path, terms, hive(Path(uri).parts[:-1]))
        elif _is_lines(path):
            yield from lines(path, uri, terms)
        else:
            seen = path.stat()
            loose.append(Document(str(path), uri, seen.st_size, seen.st_mtime))
    yield from documents(loose, terms)


def _is_lines(path: Path) -> bool:
    inner = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return inner.suffix.lower() in SUFFIXES


def _files(place: Path) -> Iterator[tuple[Path, str]]:
    """(file, its path from the folder) in order; links and what begins with "." or "_" are left out."""
    if place.is_file():
        yield place, place.name
        return
    for folder, names, files in os.walk(place):
        names[:] = sorted(name for name in names if not name.startswith((".", "_")))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith((".", "_")) and not path.is_symlink():
                yield path, path.relative_to(place).as_posix()
