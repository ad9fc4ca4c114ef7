"""From a batch to Rows: the facts that the steps found go into `meta`, every row gets its role and its id."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.items import ITEM
from openflywheel.base.nouns import Row
from openflywheel.base.thumbs import MODEL
from openflywheel.curate._batches import META, mark_drops, meta
from openflywheel.curate._nouns import as_lists, completed, named, whole

NO_PURPOSE = "no purpose: neither training nor evaluation"
# Facts of rows that a step has made of a record: the number of a chunk, the kind of what a model wrote
PART, SYNTHETIC = "part", "synthetic"


def fold(table: pa.Table) -> pa.Table:
    """The batch as Rows, with exactly Row's columns in their order; all its rows, dropped ones too.

    `meta` takes in the columns "meta.<name>", which win over what is there. A row is its record's child; one
    that a step has made (`PART`, `SYNTHETIC`) names its record already. Without a role, what may not train is
    held out; what a model labelled does not train but has the role "preference". The id is that of Row(...).
    """
    facts = {n.removeprefix(META): table[n] for n in table.column_names if n.startswith(META)}
    made = pc.or_(pc.is_valid(whole(meta(table, PART))), pc.is_valid(whole(meta(table, SYNTHETIC))))
    own = pa.ListArray.from_arrays(np.arange(table.num_rows + 1, dtype=np.int32), whole(table["id"]))
    columns = {n: table[n] for n in schema_of(Row).names if n in table.column_names} | {
        "parents": pc.if_else(made, whole(table["parents"]), own),
        "meta": with_facts(whole(table["meta"]), facts),
        "role": _roles(table),
    }
    return named(completed(pa.table(columns), Row), Row)


def without_purpose(table: pa.Table) -> pa.Table:
    """Drop rows that may serve neither training nor evaluation, reason `NO_PURPOSE`."""
    serve = pc.or_(may(table["purposes"], "training"), may(table["purposes"], "evaluation"))
    return mark_drops(table, pc.invert(serve), NO_PURPOSE)


def _roles(table: pa.Table) -> pa.Array:
    """What only a model said is no example: it stands apart with the role "preference".

    An item is no question: no split holds it out.
    """
    chosen = pc.if_else(items(table), None, _role(table))
    roles = pc.coalesce(chosen, _by_purpose(table["purposes"]))
    given = pc.fill_null(pc.equal(whole(table["labelled_by"]), MODEL), False)
    return pc.if_else(pc.and_(given, pc.equal(roles, "train")), "preference", roles)


def _role(table: pa.Table) -> pa.Array:
    return whole(table["role"]) if "role" in table.column_names else pa.nulls(table.num_rows, pa.string())


def items(table: pa.Table) -> pa.Array:
    """Which rows are items (base/items.py)."""
    labels = pc.fill_null(pc.list_value_length(as_lists(whole(table["labels"]))), 0)
    return pc.and_(pc.is_valid(whole(meta(table, ITEM))), pc.equal(labels, 0))


def _by_purpose(purposes: pa.ChunkedArray) -> pa.Array:
    return pc.if_else(may(purposes, "training"), "train", "holdout")


def may(purposes: pa.ChunkedArray, purpose: str) -> pa.Array:
    """Which rows may serve a purpose."""
    lists = whole(purposes)
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    fits = pc.equal(pc.list_flatten(lists), purpose).to_numpy(zero_copy_only=False)
    found = np.zeros(len(lists), bool)
    found[rows[fits]] = True
    return pa.array(found)


def with_facts(maps: pa.MapArray, facts: Mapping[str, pa.ChunkedArray]) -> pa.MapArray:
    """Maps of strings with one entry more for each fact that is not null; a fact wins over an equal key.

    The entries stand in the order of their keys.
    """
    if not facts:
        return maps
    rows, keys, values = entries(maps)
    parts = [(rows, keys, values)]
    for name, column in facts.items():
        texts = whole(column)
        here = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
        parts.append((here, pa.repeat(pa.scalar(name), len(here)), texts.take(pa.array(here))))
    every = np.concatenate([p[0] for p in parts])
    keys = pa.concat_arrays([keys for _, keys, _ in parts])
    values = pa.concat_arrays([values for _, _, values in parts])
    order = _last_of_each(every, keys)
    sizes = np.bincount(every[order], minlength=len(maps))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.MapArray.from_arrays(offsets, keys.take(order), values.take(order))


def entries(maps: pa.MapArray) -> tuple[NDArray[np.int64], pa.Array, pa.Array]:
    """Of every entry its row, key and value."""
    pairs = as_lists(maps)
    flat = pc.list_flatten(pairs)
    rows = pc.list_parent_indices(pairs).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows, flat.field("key"), flat.field("value")


def _last_of_each(rows: NDArray[np.int64], keys: pa.Array) -> NDArray[np.int64]:
    """Places of the last entry of each row and key, by row and then by key."""
    coded = keys.dictionary_encode()
    ranks = np.empty(len(coded.dictionary), np.int64)
    ranks[pc.sort_indices(coded.dictionary).to_numpy()] = np.arange(len(ranks))
    rank = ranks[coded.indices.to_numpy(zero_copy_only=False)]
    order = np.lexsort((np.arange(len(rows)), rank, rows))
    rows, rank = rows[order], rank[order]
    last = np.ones(len(order), bool)
    last[:-1] = (rows[1:] != rows[:-1]) | (rank[1:] != rank[:-1])
    return order[last]
