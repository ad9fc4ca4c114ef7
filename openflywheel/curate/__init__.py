"""Record -> Dataset: clean, dedupe, redact; freeze a version.

A step is one file here, Arrow in and Arrow out; it marks rows to drop with a reason in the column "drop":

    def length(batch, *, least=2) -> pa.Table
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.instruments.columns import from_table, to_batch
from openflywheel.base.nouns import Arrow, Dataset, Drop, Record, Role, Row, changed
from openflywheel.base.room import Given
from openflywheel.curate._freeze import freeze

ARROW = Arrow(takes=Record, gives=Dataset, given=(Row,))
Step = Callable[[pa.Table], pa.Table]


def run(
    took: Sequence[Record], given: Given, plugins: Sequence[Step], *, recipe: str
) -> Iterator[Row | Dataset | Drop]:
    """Clean what is new, then freeze a version of every set that changed; `recipe` names the steps."""
    if not took:
        return
    table = _clean(took, plugins)
    for reason, count in Counter(r for r in table["drop"].to_pylist() if r).items():
        yield from (Drop(reason) for _ in range(count))
    kept = from_table(table.filter(pc.is_null(table["drop"])), Record)
    before = {r.id: r for r in given.all(Row)}
    rows = {row.id: row for record in kept if (row := _row(record)).id not in before}
    yield from rows.values()
    yield from freeze([*before.values(), *rows.values()], given.all(Dataset), recipe)


def _clean(took: Sequence[Record], steps: Sequence[Step]) -> pa.Table:
    table = pa.Table.from_batches([to_batch(took, Record)])
    table = table.append_column("drop", pa.nulls(table.num_rows, pa.string()))
    for step in steps:
        table = step(table)
    return table


def _row(record: Record) -> Row:
    """A curated record; what may serve evaluation alone is held out."""
    fields = {f: getattr(record, f) for f in record.__struct_fields__ if f != "id"}
    role: Role = "train" if "training" in record.purposes else "holdout"
    row: Row = changed(Row(**fields, role=role), parents=(record.id,))
    return row
