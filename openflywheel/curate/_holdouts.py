"""What the steps against contamination share: which rows teach, and what they report."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.ids import content_id
from openflywheel.curate._batches import META, kept, mark_drops, with_meta
from openflywheel.curate._rows import may

FACT = "decontaminate"  # of a dropped row: content_id of the holdout's text that it gives away

Places = NDArray[np.int64]


def teaching(table: pa.Table) -> Places:
    """Rows that go on and may teach; what judges may well be equal to the holdout."""
    teaches = pc.and_(may(table["purposes"], "training"), kept(table)).to_numpy(zero_copy_only=False)
    if "role" in table.column_names:
        judges = pc.fill_null(pc.equal(table["role"], "holdout"), False)
        teaches = teaches & ~judges.to_numpy()
    return np.flatnonzero(teaches)


def given_away(table: pa.Table, rows: Places, names: list[str], reason: str) -> pa.Table:
    """The table with these rows dropped, each for the holdout's text of that name."""
    places = np.full(table.num_rows, -1, np.int64)
    places[rows] = np.arange(len(rows))
    column = META + FACT
    known = table[column] if column in table.column_names else pa.nulls(table.num_rows, pa.string())
    facts = pa.array(names, pa.string()).take(pa.array(places, mask=places < 0))
    table = with_meta(table, FACT, pc.coalesce(facts, known))
    return mark_drops(table, pa.chunked_array([pa.array(places >= 0)]), reason)


def name_of(text: str) -> str:
    """The name under which a holdout's text is reported: the report itself gives nothing away."""
    return content_id(text)


def report(tables: Iterable[pa.Table]) -> dict[str, int]:
    """Name of a holdout's text -> rows dropped for it; the most first, then by name."""
    counts = Counter[str]()
    for table in tables:
        if META + FACT in table.column_names:
            counts.update(table[META + FACT].drop_null().to_pylist())
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
