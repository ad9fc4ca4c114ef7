"""Which of two texts that differ is right: the newer one, or the more credible one."""

from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.curate._batches import meta
from openflywheel.curate._duplicates.keeping import share
from openflywheel.curate._enrich.claims import claims
from openflywheel.curate._enrich.dates import DAY, published
from openflywheel.curate._enrich.spelling import JOINT
from openflywheel.curate._keys import keys_of
from openflywheel.curate._mixing import mixed
from openflywheel.curate._whole import Pairs, Whole

Trust = Literal["newest", "credible"]
REASON = "contradictions: another text says otherwise"


def whole(trust: Trust, most: int, drop: bool) -> Whole:
    """The step; heavy are the claims with their values, what a text names and what it is a part of."""
    return Whole(
        sketch=partial(sketch, most=most),
        check=check,
        settle=partial(settle, trust=trust, drop=drop),
        heavy=("claims", "values", "entities", "document"),
    )


def sketch(table: pa.Table, *, most: int) -> pa.Table:
    """Keys are claims without their values; so texts that say the same thing with other values meet."""
    found = claims(table["text"], most)
    offsets = pa.array(np.searchsorted(found.text, np.arange(table.num_rows + 1)), pa.int32())
    said = published(table)
    when = np.where(np.isnat(said), table["at"].to_numpy(), said.astype(np.int64) * float(DAY))
    first = pc.list_element(pc.list_slice(table["parents"], 0, 1, return_fixed_size_list=True), 0)
    return pa.table({
        "id": table["id"],
        "when": when,
        "credible": pc.fill_null(share(meta(table, "credibility")).cast(pa.float64()), 0.5),
        "keys": pa.ListArray.from_arrays(offsets, pa.array(found.key)),
        "claims": pa.ListArray.from_arrays(offsets, pa.array(found.key)),
        "values": pa.ListArray.from_arrays(offsets, pa.array(found.value)),
        "entities": _entities(table),
        "document": keys_of(first, "document"),
    })  # fmt: skip


def _entities(table: pa.Table) -> pa.ListArray:
    names = pc.split_pattern(pc.fill_null(meta(table, "entities"), ""), JOINT).combine_chunks()
    return pa.ListArray.from_arrays(names.offsets, pa.array(keys_of(names.values, "entity")))


def check(left: pa.Table, right: pa.Table) -> NDArray[np.bool_]:
    """Pairs with a claim in common whose values differ; not two parts of one document, nor texts that name
    different things.
    """
    a, b = (_claims(table) for table in (left, right))
    order = np.argsort(b[0], kind="stable")
    keys, values = b[0][order], b[1][order]
    at = np.minimum(np.searchsorted(keys, a[0]), max(len(keys) - 1, 0))
    differ = np.zeros(left.num_rows, bool)
    if len(keys):
        differ[a[2][(keys[at] == a[0]) & (values[at] != a[1])]] = True
    documents = left["document"].to_numpy()
    parts: NDArray[np.bool_] = (documents == right["document"].to_numpy()) & (documents > 0)
    return differ & ~parts & ~_strangers(left, right)


def _claims(table: pa.Table) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """(claim in its pair, value, pair)."""
    keys, pair = _flat(table, "claims")
    values, _ = _flat(table, "values")
    return mixed(keys ^ mixed(pair.astype(np.uint64) + np.uint64(1))), values, pair


def _flat(table: pa.Table, name: str) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    column = table[name].combine_chunks()
    values = pc.list_flatten(column).to_numpy(zero_copy_only=False)
    return values, pc.list_parent_indices(column).to_numpy(zero_copy_only=False).astype(np.int64)


def _strangers(left: pa.Table, right: pa.Table) -> NDArray[np.bool_]:
    """Pairs of which both name something, and none of it in common."""
    (a, pair_a), (b, pair_b) = _flat(left, "entities"), _flat(right, "entities")
    size = left.num_rows
    names = [np.bincount(pair[keys > 0], minlength=size) > 0 for keys, pair in ((a, pair_a), (b, pair_b))]
    inside = [
        mixed(keys ^ mixed(pair.astype(np.uint64) + np.uint64(1)))
        for keys, pair in ((a, pair_a), (b, pair_b))
    ]
    common = np.zeros(size, bool)
    common[pair_a[np.isin(inside[0], inside[1])]] = True
    strangers: NDArray[np.bool_] = names[0] & names[1] & ~common
    return strangers


def settle(sketches: pa.Table, pairs: Pairs, *, trust: Trust, drop: bool) -> pa.Table:
    """Mark the losers with the best of those that contradict them; of equals both, and neither is dropped."""
    names = sketches["id"].to_pylist()
    columns = [sketches[name].to_numpy() for name in ("when", "credible")]
    order = np.lexsort(columns if trust == "credible" else columns[::-1])
    grade = np.empty(len(order), np.int64)
    apart = np.any([np.diff(column[order]) != 0 for column in columns], axis=0) if len(order) else order[:0]
    grade[order] = np.concatenate([[0], np.cumsum(apart)])[: len(order)]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    losers = both[grade[both[:, 0]] <= grade[both[:, 1]]]
    marks: dict[int, tuple[int, str]] = {}
    for loser, winner in losers.tolist():
        best = (int(grade[winner]), names[winner])
        marks[loser] = max(marks.get(loser, best), best)
    rows = sorted(marks)
    beaten = [REASON if drop and marks[row][0] > grade[row] else None for row in rows]
    return pa.table({
        "row": pa.array(rows, pa.int64()),
        "meta.contradicted_by": pa.array([marks[row][1] for row in rows], pa.string()),
        "drop": pa.array(beaten, pa.string()),
    })  # fmt: skip
