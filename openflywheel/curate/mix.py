"""How much of everything: weights of sources, and caps so that nothing and nobody dominates."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.curate._duplicates.keeping import labels
from openflywheel.curate._keys import keys_of
from openflywheel.curate._mixing import mixed
from openflywheel.curate._whole import Pairs, Whole

Cap: TypeAlias = int | float
Integers: TypeAlias = NDArray[np.int64]
REASONS = pa.array([
    "mix: too much of one source", "mix: too much of one person", "mix: too much of one label",
])  # fmt: skip


def mix(
    *,
    sources: Mapping[str, float] = {},
    per_source: Mapping[str, Cap] = {},
    per_subject: Cap = 0,
    per_label: Cap = 0,
    salt: int = 0,
) -> Whole:
    """Weigh sources in the column "weight"; drop what is too much of one source, person or label.

    A weight says how much a row counts in training against an ordinary one, which has 1: a trainer multiplies
    the row's part of the loss by it. No row is copied; one of weight 0 stays in the set and teaches nothing.
    Where rows have weights already, as from label_errors, they are multiplied. In judging they mean nothing.

    sources: weight of each source's rows; 1 for those that are not named.
    per_source: cap of each source's rows; none for those that are not named.
    per_subject: cap of one person's rows; rows of nobody have none.
    per_label: cap of the rows that say the same with all their labels; rows without a label have none.
    salt: another number keeps other rows.

    A cap from 1 on is a number of rows, one below 1 a share of the rows that come to this step (at least one
    row), 0 is none. Caps hold within each role, sources before people before labels. Reasons: "mix: too
    much of one source", "mix: too much of one person", "mix: too much of one label". Which rows stay is drawn
    by a hash of their ids and the salt: it depends on no order, and a row that comes takes the place of at
    most one other. Raises SettingsError.
    """
    wrong = [v for v in (*sources.values(), *per_source.values(), per_subject, per_label) if v < 0]
    if wrong:
        raise SettingsError(f"curate.mix: {wrong[0]} is neither a weight nor a cap; give 0 or more")
    caps = (dict(per_source), per_subject, per_label)
    return Whole(sketch=_sketch, settle=partial(_settle, sources=dict(sources), caps=caps, salt=salt))


def _sketch(table: pa.Table) -> pa.Table:
    size = table.num_rows
    return pa.table({
        "id": table["id"],
        "name": keys_of(table["id"], "name"),
        "source": table["source"],
        "subject": keys_of(table["subject"], "subject"),
        "label": keys_of(labels(table), "label"),
        "role": table["role"] if "role" in table.column_names else pa.nulls(size, pa.string()),
        "weight": table["weight"] if "weight" in table.column_names else pa.nulls(size, pa.float64()),
        "keys": pa.array([[]] * size, pa.list_(pa.uint64())),
    })  # fmt: skip


def _settle(
    sketches: pa.Table,
    pairs: Pairs,  # noqa: ARG001  nobody has a key
    *,
    sources: Mapping[str, float],
    caps: tuple[Mapping[str, Cap], Cap, Cap],
    salt: int,
) -> pa.Table:
    size = sketches.num_rows
    roles = _codes(pc.fill_null(sketches["role"], ""))
    total = np.bincount(roles, minlength=1)[roles] if size else roles
    order = np.argsort(mixed(sketches["name"].to_numpy() ^ mixed(np.array([salt + 1]).astype(np.uint64))))
    reason = np.full(size, -1)
    for number, (group, cap) in enumerate(_groups(sketches, caps)):
        most = np.where(cap < 1, np.maximum(1, np.floor(cap * total + 1e-9)), cap)  # .29 * 100 is 28.999...
        here = order[(reason[order] < 0) & (cap[order] > 0)]
        place = _places(group[here] * (roles.max(initial=0) + 1) + roles[here])
        reason[here[place >= most[here]]] = number
    return pa.table({
        "row": np.arange(size),
        "drop": REASONS.take(pa.array(reason, mask=reason < 0)),
        "weight": _weights(sketches, sources),
    })  # fmt: skip


def _groups(
    sketches: pa.Table, caps: tuple[Mapping[str, Cap], Cap, Cap]
) -> Iterator[tuple[Integers, NDArray[np.float64]]]:
    """The group of each row and its cap, for sources, people and labels."""
    yield _codes(sketches["source"]), _looked_up(sketches["source"], caps[0], 0)
    for name, cap in (("subject", caps[1]), ("label", caps[2])):
        yield _codes(sketches[name]), np.where(sketches[name].to_numpy() > 0, float(cap), 0.0)


def _looked_up(column: pa.ChunkedArray, known: Mapping[str, float], other: float) -> NDArray[np.float64]:
    """What is known of each value."""
    places = pc.fill_null(pc.index_in(column, pa.array(list(known), pa.string())), len(known))
    return np.asarray(np.array([*known.values(), other], np.float64)[places.to_numpy()])


def _codes(column: pa.ChunkedArray) -> Integers:
    """A number for each value."""
    coded = column.combine_chunks().dictionary_encode()
    return np.asarray(coded.indices.to_numpy(zero_copy_only=False), np.int64)


def _places(groups: Integers) -> Integers:
    """How many of the same group stand before each."""
    order = np.argsort(groups, kind="stable")
    known = groups[order]
    first = np.searchsorted(known, known)
    places = np.empty(len(groups), np.int64)
    places[order] = np.arange(len(groups)) - first
    return places


def _weights(sketches: pa.Table, sources: Mapping[str, float]) -> pa.Array:
    """The new weights; null where a source is not named, so that what there is stays."""
    factor = pa.array(_looked_up(sketches["source"], sources, np.nan), from_pandas=True)
    return pc.multiply(pc.fill_null(sketches["weight"], 1.0), factor)
