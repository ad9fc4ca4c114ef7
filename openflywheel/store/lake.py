"""What is studied: one Delta Lake table a noun, readable as it is by DuckDB, Polars, Spark, Trino, Snowflake.

Each append carries the journal's sequence number as a Delta application transaction, so a flush that is
repeated after a crash writes nothing twice. Column statistics are kept on `seq` and `at` alone: with the
default, minima and maxima of personal text would stay readable in the log after a deletion.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

from openflywheel.base.instruments.columns import from_table, schema_of, to_batch
from openflywheel.base.nouns import Noun, table_of

N = TypeVar("N", bound=Noun)

APP = "openflywheel-journal"
COMPACT_EVERY = 50  # commits; keeps the cost of an append flat instead of growing with the log
FILE_BYTES = 16_000_000  # files of this size are left alone: what a compaction writes again stays bounded
KEEP_HOURS = 1  # how long files that no version needs any more stay for those who still read them
CONFIGURATION: dict[str, str | None] = {
    "delta.dataSkippingStatsColumns": "seq,at",
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 1 day",
}


class Lake:
    """The tables under one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tables: dict[type[Noun], DeltaTable] = {}

    def table(self, kind: type[Noun]) -> DeltaTable:
        """The Delta table of a noun at its newest version, created when missing."""
        if kind not in self._tables:
            self._tables[kind] = _grown(_made(str(self.path / table_of(kind)), _schema(kind)), _schema(kind))
        self._tables[kind].update_incremental()
        return self._tables[kind]

    def flushed(self, kind: type[Noun]) -> int:
        """Journal sequence number up to which this table is complete."""
        return self.table(kind).transaction_version(APP) or 0

    def append(self, kind: type[Noun], seqs: Sequence[int], nouns: Sequence[Noun]) -> None:
        """Append nouns with their journal numbers; `seqs` ascends."""
        table = self.table(kind)
        batch = to_batch(nouns, kind)
        rows = pa.Table.from_arrays([pa.array(seqs, pa.int64()), *batch.columns], schema=_schema(kind))
        mark = CommitProperties(app_transactions=[Transaction(APP, seqs[-1])])
        write_deltalake(table, rows, mode="append", commit_properties=mark)
        if table.version() % COMPACT_EVERY == COMPACT_EVERY - 1:
            table.optimize.compact(target_size=FILE_BYTES)
            table.vacuum(KEEP_HOURS, dry_run=False, enforce_retention_duration=False, full=True)

    def read(
        self,
        kind: type[Noun],
        columns: list[str] | None = None,
        seqs: Sequence[int] | None = None,
        span: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Rows of a table in journal order: all, those with the given numbers, or after < seq <= upto."""
        filters: list[tuple[str, str, object]] = [] if seqs is None else [("seq", "in", list(seqs))]
        filters += [] if span is None else [("seq", ">", span[0]), ("seq", "<=", span[1])]
        wanted = None if columns is None else ["seq", *columns]
        return self.table(kind).to_pyarrow_table(columns=wanted, filters=filters or None).sort_by("seq")

    def nouns(
        self, kind: type[N], *, seqs: Sequence[int] | None = None, span: tuple[int, int] | None = None
    ) -> list[N]:
        """Nouns in journal order: those with the given numbers, or after < seq <= upto."""
        return from_table(self.read(kind, seqs=seqs, span=span), kind)


def _grown(table: DeltaTable, schema: pa.Schema) -> DeltaTable:
    """The table with the columns that its noun has got since it was made; old rows have none there."""
    known = {field.name for field in table.schema().fields}
    fresh = [field for field in Schema.from_arrow(schema).fields if field.name not in known]
    if fresh:
        table.alter.add_columns(fresh)
    return table


def _schema(kind: type[Noun]) -> pa.Schema:
    return pa.schema([pa.field("seq", pa.int64()), *schema_of(kind)])


def _made(place: str, schema: pa.Schema) -> DeltaTable:
    try:
        return DeltaTable.create(place, schema=schema, mode="ignore", configuration=CONFIGURATION)
    except CommitFailedError:  # somebody else has made it meanwhile
        return DeltaTable(place)
