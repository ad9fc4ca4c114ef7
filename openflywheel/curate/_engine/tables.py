"""The Delta tables of a dataset, each new version of one in one commit.

Column statistics are kept on `at` and `run` alone: minima and maxima of texts would stay readable in Delta's
log after the texts have gone.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

FILE_BYTES = 64 << 20
LISTED = 10_000  # units in a predicate: Delta crashed at 100,000
# A group in work is held in memory: with Parquet's default of a million rows, 1 GB; with this, 0.3 GB
PROPERTIES = WriterProperties(max_row_group_size=2_048, compression="ZSTD", compression_level=1)
CONFIGURATION = {"delta.dataSkippingStatsColumns": "at,run", "delta.logRetentionDuration": "interval 1 day"}
COMPACT_EVERY = 50  # commits
KEEP_HOURS = 1  # how long files that no version needs any more stay for those who still read them


def _reader(schema: pa.Schema, parts: Iterable[pa.Table], run: str) -> pa.RecordBatchReader:
    """The parts as one stream, under the run's name."""
    named = (_of_run(part, run).select(schema.names).cast(schema) for part in parts)
    return pa.RecordBatchReader.from_batches(schema, (b for part in named for b in part.to_batches()))


def _of_run(part: pa.Table, run: str) -> pa.Table:
    others = part.select([name for name in part.column_names if name != "run"])
    return others.append_column("run", pa.repeat(pa.scalar(run), part.num_rows))


def replace(place: Path, schema: pa.Schema, parts: Iterable[pa.Table], run: str) -> None:
    """All of a table by these rows, in one commit."""
    write_deltalake(
        place, _reader(schema, parts, run), mode="overwrite", schema_mode="overwrite",
        configuration=CONFIGURATION, target_file_size=FILE_BYTES, writer_properties=PROPERTIES,
        commit_properties=_mark(run),
    )  # fmt: skip


def add(
    place: Path, schema: pa.Schema, parts: Iterable[pa.Table], gone: pa.Array, key: str, run: str
) -> None:
    """Some rows of a table by these, in one commit; nothing where the run has done so before."""
    table = DeltaTable(place)
    if table.transaction_version(run):
        return
    if len(gone) > LISTED:
        stay = table.to_pyarrow_dataset().scanner(filter=~ds.field(key).isin(gone), batch_readahead=2)
        left = (pa.Table.from_batches([batch]) for batch in stay.to_batches())
        replace(place, schema, chain(left, parts), run)
        return
    listed = ", ".join("'" + unit.replace("'", "''") + "'" for unit in gone.to_pylist())
    # Delta takes rows out and puts others in at once only if both fit the predicate: so new ones name the run
    write_deltalake(
        table, _reader(schema, parts, run), mode="overwrite",
        predicate=f"run = '{run}'" + (f" OR {key} IN ({listed})" if listed else ""),
        target_file_size=FILE_BYTES, writer_properties=PROPERTIES, commit_properties=_mark(run),
    )  # fmt: skip


def _mark(run: str) -> CommitProperties:
    """By it a run that is taken up again knows what it has done."""
    return CommitProperties(app_transactions=[Transaction(run, 1)])


def settled(place: Path) -> DeltaTable:
    """A table at its newest version, small files joined, without files that nothing needs any more."""
    table = DeltaTable(place)
    if table.version() % COMPACT_EVERY == COMPACT_EVERY - 1:
        table.optimize.compact(target_size=FILE_BYTES, writer_properties=PROPERTIES)
    table.vacuum(KEEP_HOURS, dry_run=False, enforce_retention_duration=False, full=True)
    return table
