"""What changed from one version of a dataset to another, row by row."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._batches import meta
from openflywheel.curate._keys import keys_of
from openflywheel.curate._mixing import mixed
from openflywheel.curate._nouns import whole
from openflywheel.curate._rows import PART
from openflywheel.curate.dedupe import folded

COLUMNS = ("id", "text", "source", "labels", "role", "weight", "parents", "meta")
SEEN = ("text", "labels", "role", "weight")  # what a row may change in and still be the same row
BETWEEN = "\x1f"


class Change(Struct, frozen=True, kw_only=True):
    """A row that is in both versions: field -> what it was, what it is."""

    text: str
    fields: dict[str, tuple[Any, Any]]


class Changes(Struct, frozen=True, kw_only=True):
    """How many rows came, left, and changed, by field; some of each."""

    came: int
    left: int
    changed: dict[str, int]
    came_texts: list[str]
    left_texts: list[str]
    samples: list[Change]


def changes(before: pa.Table, after: pa.Table, *, samples: int = 5) -> Changes:
    """Differences of the rows (columns `COLUMNS`) that are in one version alone, by their ids.

    Two rows are one that changed when they are the same part of the same record, else when their texts are
    equal but for case and white space.
    """
    pairs = _pairs(before, after)
    old, new = (np.setdiff1d(np.arange(t.num_rows), p) for t, p in zip((before, after), pairs, strict=True))
    differ = {name: _differ(before, after, pairs, name) for name in SEEN}
    some = np.flatnonzero(np.logical_or.reduce(list(differ.values())))[:samples]
    return Changes(
        came=len(new),
        left=len(old),
        changed={name: int(found.sum()) for name, found in differ.items()},
        came_texts=after["text"].take(pa.array(new[:samples])).to_pylist(),
        left_texts=before["text"].take(pa.array(old[:samples])).to_pylist(),
        samples=[_change(before, after, *(int(p[at]) for p in pairs)) for at in some],
    )


def _pairs(before: pa.Table, after: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in both tables of what is one row."""
    first, second = _met(_origins(before), _origins(after))
    old = np.setdiff1d(np.arange(before.num_rows), first)
    new = np.setdiff1d(np.arange(after.num_rows), second)
    more, others = _met(_wordings(before.take(pa.array(old))), _wordings(after.take(pa.array(new))))
    return np.concatenate([first, old[more]]), np.concatenate([second, new[others]])


def _origins(rows: pa.Table) -> NDArray[np.uint64]:
    records = pc.binary_join(whole(rows["parents"]), BETWEEN)
    part = pc.fill_null(whole(meta(rows, PART)), "")
    return keys_of(
        pc.if_else(pc.equal(records, ""), "", pc.binary_join_element_wise(records, part, BETWEEN)), "row"
    )


def _wordings(rows: pa.Table) -> NDArray[np.uint64]:
    return keys_of(folded(rows["text"]), "text")


def _met(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of equal keys, each place once: the first with the first, the second with the second."""
    _, first, second = np.intersect1d(_told_apart(left), _told_apart(right), return_indices=True)
    fits = left[first] > 0
    return first[fits], second[fits]


def _told_apart(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys with their number among equals in them."""
    order = np.argsort(keys, kind="stable")
    places = np.empty(len(keys), np.uint64)
    places[order] = np.arange(len(keys)) - np.searchsorted(keys[order], keys[order])
    return keys + mixed(places)


def _differ(
    before: pa.Table, after: pa.Table, pairs: tuple[NDArray[np.int64], ...], name: str
) -> NDArray[np.bool_]:
    old, new = (_plain(t[name]).take(pa.array(p)) for t, p in zip((before, after), pairs, strict=True))
    return np.asarray(pc.not_equal(old, new).to_numpy(zero_copy_only=False), bool)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Labels as one string, since maps cannot be compared."""
    if not pa.types.is_map(column.type):
        return whole(column)
    return pa.array(
        ["; ".join(f"{k}: {v}" for k, v in sorted(pairs)) for pairs in column.to_pylist()], pa.string()
    )


def _change(before: pa.Table, after: pa.Table, old: int, new: int) -> Change:
    values = {
        name: tuple(_plain(t[name].slice(at, 1))[0].as_py() for t, at in ((before, old), (after, new)))
        for name in SEEN
    }
    return Change(
        text=before["text"][old].as_py(), fields={n: (a, b) for n, (a, b) in values.items() if a != b}
    )
