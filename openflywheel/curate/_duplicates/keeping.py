"""Of rows that say the same one stays, by a rule that does not depend on their order.

First stays what may teach (else one held-out person who asks what everybody asks would take it from
training), then what the more trusted person labelled (expert, user, seed, nobody), then what the rule says,
then the smaller id. Rows with different labels are no duplicates: no label is lost.
"""

from hashlib import blake2b
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.curate._batches import meta
from openflywheel.curate._duplicates.stars import stars
from openflywheel.curate._whole import Pairs

Keep: TypeAlias = Literal["newest", "oldest", "most_credible"]
REASONS = {"newest": "the newest", "oldest": "the oldest", "most_credible": "the most credible"}
TRUST = pa.array(["seed", "user", "expert"])
DAY = "%Y-%m-%d"
LABELS = pa.list_(pa.struct([pa.field("key", pa.string(), nullable=False), ("value", pa.string())]))
FIELD, ENTRY = "\x1f", "\x1e"  # ASCII made them to separate units; normalise removes them from texts


def standing(table: pa.Table) -> pa.Table:
    """What decides who stays, 60 bytes a row.

    id; teaches: it may be trained on; trust: 0 (nobody labelled it) to 3 (an expert); credibility: 0 to 1,
    from the fact of that name; came: Unix seconds, midnight of the day in the fact "published", else at; at.
    """
    published = pc.strptime(
        pc.utf8_slice_codeunits(meta(table, "published"), 0, 10), format=DAY, unit="s", error_is_null=True
    )
    seconds = published.cast(pa.int64()).cast(pa.float64())
    return pa.table({
        "id": table["id"],
        "teaches": _teaches(table["purposes"]),
        "trust": pc.fill_null(pc.add(pc.index_in(table["labelled_by"], TRUST), 1), 0).cast(pa.int8()),
        "credibility": share(meta(table, "credibility")),
        "came": pc.coalesce(seconds, table["at"]),
        "at": table["at"],
    })  # fmt: skip


def _teaches(purposes: pa.ChunkedArray) -> NDArray[np.bool_]:
    named = pc.equal(pc.list_flatten(purposes), "training").to_numpy(zero_copy_only=False)
    rows = pc.list_parent_indices(purposes).to_numpy(zero_copy_only=False)
    return np.bincount(rows[named], minlength=len(purposes)) > 0


def share(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as numbers from 0 to 1; what is none becomes null."""
    number = pc.match_substring_regex(texts, r"^(0(\.\d+)?|1(\.0+)?)$")
    return pc.if_else(number, texts, None).cast(pa.float32())


def labels(table: pa.Table) -> pa.Array:
    """Each row's labels as one string, in order of their tasks; empty where there are none."""
    pairs = table["labels"].cast(LABELS).combine_chunks()
    entries = pc.list_flatten(pairs)
    flat = pa.table({
        "row": pc.list_parent_indices(pairs),
        "entry": pc.binary_join_element_wise(entries.field("key"), entries.field("value"), FIELD),
    }).sort_by([("row", "ascending"), ("entry", "ascending")])  # fmt: skip
    sizes = pc.fill_null(pc.list_value_length(pairs), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(offsets, flat["entry"].combine_chunks()), ENTRY)


def apart(keys: pa.ListArray, table: pa.Table) -> pa.ListArray:
    """The keys of rows with different labels made different: such rows never meet."""
    said = labels(table).dictionary_encode()
    hashes = b"".join(blake2b(s.encode(), digest_size=8).digest() for s in said.dictionary.to_pylist())
    own = np.frombuffer(hashes, "<u8")[said.indices.to_numpy()]
    each = np.repeat(own, pc.list_value_length(keys).to_numpy())
    return pa.ListArray.from_arrays(keys.offsets, keys.values.to_numpy() ^ each)


def settle(sketches: pa.Table, pairs: Pairs, *, keep: Keep, reason: str) -> pa.Table:
    """Marks of the rows that go: "drop" with the reason, "meta.duplicate_of" with the id of what stays."""
    rows = _ranked(sketches, np.unique(pairs), keep)
    place = np.empty(sketches.num_rows, np.int64)
    place[rows] = np.arange(len(rows))
    stays = stars(place[pairs], len(rows))
    goes = np.flatnonzero(stays != np.arange(len(rows)))
    return pa.table({
        "row": rows[goes],
        "drop": pa.repeat(reason, len(goes)),
        "meta.duplicate_of": sketches["id"].take(rows[stays[goes]]).cast(pa.string()),
    })  # fmt: skip


def _ranked(sketches: pa.Table, rows: NDArray[np.int64], keep: Keep) -> NDArray[np.int64]:
    """The rows, best first; an unknown credibility comes last."""
    age = "ascending" if keep == "oldest" else "descending"
    credible = [("credibility", "descending")] if keep == "most_credible" else []
    best = [("teaches", "descending"), ("trust", "descending"), *credible]
    best += [("came", age), ("at", age), ("id", "ascending")]
    columns = sketches.select([name for name, _ in best]).take(rows)
    order: NDArray[np.int64] = pc.sort_indices(columns, sort_keys=best).to_numpy()
    return rows[order]
