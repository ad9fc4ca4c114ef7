"""Drop all but the newest of texts that say the same with the same labels."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.curate._batches import Batch, as_table, kept, mark_drops

PAIRS = pa.list_(pa.struct([pa.field("key", pa.string(), nullable=False), ("value", pa.string())]))
# Unit separators: ASCII made them for this, and normalise removes them from texts.
FIELD, ENTRY = "\x1f", "\x1e"


def dedupe(batch: Batch) -> pa.Table:
    """Drop exact duplicates in the batch, reason "duplicate"; the newest by `at` stays, the first of equals.

    Texts are compared by simple case folding (Unicode, one character to one) and with white space folded,
    labels regardless of their order. Rows dropped before take no part.
    """
    table = as_table(batch)
    rows = pa.table({
        "text": _folded(table["text"]),
        "labels": _flat(table["labels"]),
        "at": table["at"],
        "row": np.arange(table.num_rows),
    })  # fmt: skip
    newest = rows.filter(kept(table)).sort_by([("at", "descending"), ("row", "ascending")])
    stays = newest.group_by(["text", "labels"], use_threads=False).aggregate([("row", "first")])
    return mark_drops(
        table, pc.invert(pc.is_in(rows["row"], stays["row_first"].combine_chunks())), "duplicate"
    )


def _folded(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Upper then lower case joins what has two small forms, such as the Greek final sigma."""
    lower = pc.utf8_lower(pc.utf8_upper(text))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[\s\p{Z}]+", " "))


def _flat(labels: pa.ChunkedArray) -> pa.Array:
    """Each map of labels as one string, entries in order of their keys: maps cannot be grouped by."""
    pairs = labels.cast(PAIRS).combine_chunks()
    entries = pc.list_flatten(pairs)
    flat = pa.table({
        "row": pc.list_parent_indices(pairs),
        "entry": pc.binary_join_element_wise(entries.field("key"), entries.field("value"), FIELD),
    }).sort_by([("row", "ascending"), ("entry", "ascending")])  # fmt: skip
    sizes = pc.fill_null(pc.list_value_length(pairs), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(offsets, flat["entry"].combine_chunks()), ENTRY)
