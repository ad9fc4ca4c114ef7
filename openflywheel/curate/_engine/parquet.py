"""Parquet: row groups as shards, small ones together, a huge one in slices."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.curate._engine.record import BYTES, ROWS, Terms, broken, readable, records

SLICES = 8  # most of one row group: each decodes those before it, so more would cost more than they help
BUFFER = 1 << 20  # bytes that are read ahead in each column, instead of the whole column


class Groups(Struct, frozen=True, kw_only=True):
    """The rows [start, stop) of some row groups of a file; `constants` stand in the names of its folders."""

    name: str
    path: str
    at: float
    groups: tuple[int, ...]
    start: int
    stop: int
    columns: tuple[str, ...]
    constants: dict[str, str]
    terms: Terms

    @property
    def rows(self) -> int:
        return self.stop - self.start

    def read(self) -> Iterator[pa.Table]:
        """See `reading.read`. What cannot be decoded any more ends the shard with one dropped row."""
        try:
            for table in self._tables():
                yield from records(_sound(table), self.terms, self.at, self.path)
        except (pa.ArrowInvalid, OSError) as error:
            if isinstance(error, OSError) and error.errno:  # the disk's fault, not the file's
                raise
            uri = f"{self.path}#row={self.start}"
            yield from broken(["read: broken file"], [str(error)], [uri], self.terms, self.at)

    def _tables(self) -> Iterator[pa.Table]:
        place = 0
        with pq.ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False) as file:
            for batch in file.iter_batches(self._rows_at_once(file), self.groups, list(self.columns)):
                first, last = max(self.start - place, 0), min(self.stop - place, batch.num_rows)
                place += batch.num_rows
                if first < last:
                    yield self._with_constants(pa.Table.from_batches([batch.slice(first, last - first)]))
                if place >= self.stop:
                    return

    def _rows_at_once(self, file: pq.ParquetFile) -> int:
        """So many rows that they are about half a batch, by the sizes that the file itself tells."""
        groups = [file.metadata.row_group(number) for number in self.groups]
        each = sum(g.total_byte_size for g in groups) / max(1, sum(g.num_rows for g in groups))
        return int(min(ROWS, max(1, BYTES / 2 / max(1.0, each))))

    def _with_constants(self, table: pa.Table) -> pa.Table:
        for name, value in self.constants.items():
            table = table.append_column(name, pa.repeat(pa.scalar(value), table.num_rows))
        return table


def _sound(table: pa.Table) -> pa.Table:
    """The table with every text in UTF-8; rows that were not are dropped with "read: broken text"."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        for number, field in enumerate(table.schema):
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                table = _mended(table, number)
        table.validate(full=True)
    return table


def _mended(table: pa.Table, number: int) -> pa.Table:
    raw = table.column(number).cast(pa.binary()).to_pylist()
    texts = [value if value is None else value.decode("utf-8", "replace") for value in raw]
    wrong = [a != (b and b.encode()) for a, b in zip(raw, texts, strict=True)]
    table = table.set_column(number, table.schema.field(number).name, pa.array(texts, pa.string()))
    marks = pc.if_else(pa.array(wrong), "read: broken text", pa.scalar(None, pa.string()))
    if "drop" not in table.column_names:
        return table.append_column("drop", marks)
    at = table.schema.get_field_index("drop")
    return table.set_column(at, "drop", pc.coalesce(table["drop"].cast(pa.string()), marks))


def delta(place: Path, terms: Terms) -> list[Groups]:
    """Shards of a Delta table at its newest version. Raises SettingsError when it cannot be read."""
    try:
        fragments = list(DeltaTable(str(place)).to_pyarrow_dataset().get_fragments())
    except DeltaError as error:
        raise SettingsError(f"{place}: cannot read this Delta table: {error}") from error
    return [
        shard
        for fragment in sorted(fragments, key=lambda f: f.path)
        for shard in groups(place / fragment.path, terms, _constants(fragment.partition_expression))
    ]


def _constants(expression: Any) -> dict[str, str]:
    # Where pandas is installed this import takes .36 CPU-s, in every process that reads shards of any kind.
    from pyarrow.dataset import get_partition_keys  # noqa: PLC0415

    return {name: str(value) for name, value in get_partition_keys(expression).items() if value is not None}


def hive(folders: Sequence[str]) -> dict[str, str]:
    """The columns that stand in the names of folders: lang=en."""
    return {name: unquote(value) for name, is_one, value in (f.partition("=") for f in folders) if is_one}


def groups(path: Path, terms: Terms, constants: Mapping[str, str]) -> list[Groups]:
    """Shards of a file. Raises SettingsError when it is no Parquet or its columns are not a Record's."""
    seen = path.stat()
    try:
        with pq.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
    except pa.ArrowInvalid as error:
        raise SettingsError(f"{path}: cannot be read as Parquet: {error}") from error
    for name in constants:
        schema = schema.append(pa.field(name, pa.string())) if name not in schema.names else schema
    columns = tuple(n for n in readable(schema, str(path)) if n not in constants)
    sizes = [
        (about.row_group(n).num_rows, about.row_group(n).total_byte_size) for n in range(about.num_row_groups)
    ]
    return [
        Groups(
            name=content_id(str(path), str(seen.st_size), str(seen.st_mtime_ns), repr(span), repr(terms)),
            path=str(path),
            at=seen.st_mtime,
            groups=span[0],
            start=span[1],
            stop=span[2],
            columns=columns,
            constants=dict(constants),
            terms=terms,
        )
        for span in spans(sizes)
    ]


def spans(sizes: Sequence[tuple[int, int]]) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """(row groups, first row, last row) of each shard; `sizes` are rows and bytes of each group."""
    together: list[int] = []
    for number, (rows, size) in enumerate(sizes):
        if together and sum(sizes[n][1] for n in together) + size > BYTES:
            yield tuple(together), 0, sum(sizes[n][0] for n in together)
            together = []
        slices = min(SLICES, -(-size // BYTES), rows)
        if slices > 1:
            edges = [rows * n // slices for n in range(slices + 1)]
            yield from (((number,), a, b) for a, b in pairwise(edges))
        elif rows:
            together.append(number)
    if together:
        yield tuple(together), 0, sum(sizes[n][0] for n in together)
