"""Record -> Dataset: clean, dedupe, redact; freeze a version.

A step is one file here, Arrow in and Arrow out; it marks rows to drop with a reason in the column "drop":

    def length(batch, *, least=2) -> pa.Table
"""

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
    yield from (Drop(reason) for reason in table["drop"].to_pylist() if reason)
    rows, before = [], {r.id: r for r in given.all(Row)}
    for record in from_table(table.filter(pc.is_null(table["drop"])), Record):
        row = _row(record)
        if isinstance(row, Drop):
            yield row
        elif row.id not in before:
            before[row.id] = row
            rows.append(row)
    yield from rows
    yield from freeze(list(before.values()), given.all(Dataset), recipe)


def _clean(took: Sequence[Record], steps: Sequence[Step]) -> pa.Table:
    table = pa.Table.from_batches([to_batch(took, Record)])
    table = table.append_column("drop", pa.nulls(table.num_rows, pa.string()))
    for step in steps:
        table = step(table)
    return table


def _row(record: Record) -> Row | Drop:
    """A curated record; what may serve evaluation alone is held out, what may serve neither is dropped."""
    if not {"training", "evaluation"} & set(record.purposes):
        return Drop("no purpose: neither training nor evaluation")
    fields = {f: getattr(record, f) for f in record.__struct_fields__ if f != "id"}
    role: Role = "train" if "training" in record.purposes else "holdout"
    row: Row = changed(Row(**fields, role=role), parents=(record.id,))
    return row
