"""Drop texts that are too short to mean something or too long to be one message."""

import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import Batch, as_table, mark_drops, wordless


def length(batch: Batch, *, least: int = 2, most: int = 4000) -> pa.Table:
    """Keep texts of `least` to `most` characters (code points); reasons: "too short", "too long".

    Pictures and other media without words are left alone. Raises SettingsError when no length fits.
    """
    if not 0 <= least <= most:
        raise SettingsError(f"curate.length: least = {least}, most = {most}; give 0 <= least <= most")
    table = as_table(batch)
    size = pc.utf8_length(table["text"])
    table = mark_drops(table, pc.and_(pc.less(size, least), pc.invert(wordless(table))), "too short")
    return mark_drops(table, pc.greater(size, most), "too long")
