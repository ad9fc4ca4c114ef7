"""Drop texts that are too short to mean something or too long to be one message."""

import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.curate._batches import Batch, as_table, mark_drops


def length(batch: Batch, *, least: int = 2, most: int = 4000) -> pa.Table:
    """Keep texts of `least` to `most` characters (code points); reasons: "too short", "too long"."""
    table = as_table(batch)
    size = pc.utf8_length(table["text"])
    table = mark_drops(table, pc.less(size, least), "too short")
    return mark_drops(table, pc.greater(size, most), "too long")
