"""Give every row its role: what belongs together teaches together, or judges together."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from openflywheel.base.errors import SettingsError
from openflywheel.curate._duplicates import minhash
from openflywheel.curate._keys import keys_of
from openflywheel.curate._mixing import mixed
from openflywheel.curate._nouns import whole
from openflywheel.curate._rows import may
from openflywheel.curate._whole import Pairs, Whole
from openflywheel.curate.dedupe import folded

SHINGLE = 5  # words, as in near_duplicates
ROLES = pa.array(["holdout", "validation", "train"])


def split(*, validation: float = 0.0, held_out: float = 0.0, similarity: float = 0.8, salt: int = 0) -> Whole:
    """Mark every row "train", "validation" or "holdout", so that nothing leaks between them; drops nothing.

    Rows of one subject, of one document or conversation (the same address without its fragment, a common
    parent, or one the parent of the other), of one wording (case and white space aside), and near-duplicates
    form a group, and so do groups with a row in common: connected components. A whole group goes to one role.
    Which one is drawn by a hash of the smallest of its rows' hashes and the salt: new rows change no other
    group, and the order of rows nothing at all.

    A row that may not train, or that is "holdout" already, is held out with all of its group. Its other rows
    are held out too, not dropped: what one of them is asked, the model must not have seen in another.
    A group whose parts came apart into two roles in an earlier version is one role in the next.

    validation, held_out: shares of the rows, 0 to 1, met in expectation; one group that holds most rows (what
        everybody asks) is not cut for it.
    similarity: Jaccard similarity of runs of 5 words from which two texts are one, 0 to 1; candidates come
        from MinHash as in near_duplicates, which finds .98 of the pairs of just that similarity.
    salt: another number draws other groups.

    Leaks are why: splits by row let near-duplicates and people stand on both sides (Lee et al. 2022,
    arXiv:2107.06499; Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804). Raises SettingsError.
    """
    if min(validation, held_out) < 0 or validation + held_out > 1 or not 0 < similarity <= 1:
        raise SettingsError(
            f"curate.split: validation = {validation}, held_out = {held_out}, similarity = {similarity}: "
            "give shares from 0 on that are at most 1 together, and a similarity above 0 and at most 1"
        )
    return Whole(
        sketch=partial(_sketch, similarity=similarity),
        check=partial(_belong, similarity=similarity),
        settle=partial(_settle, shares=(held_out, validation), salt=salt),
        heavy=("ties", "shingles"),
    )


def _sketch(table: pa.Table, *, similarity: float) -> pa.Table:
    near, shingles = minhash.sketches(table["text"], similarity=similarity, shingle=SHINGLE)
    ties = _ties(table)
    return pa.table({
        "id": table["id"],
        "name": keys_of(table["id"], "name"),
        "sealed": pc.or_(pc.equal(_role(table), "holdout"), pc.invert(may(table["purposes"], "training"))),
        "keys": _joined(ties, near),
        "ties": ties,
        "shingles": shingles,
    })  # fmt: skip


def _role(table: pa.Table) -> pa.Array:
    known = "role" in table.column_names
    return pc.fill_null(whole(table["role"]), "") if known else pa.repeat(pa.scalar(""), table.num_rows)


def _ties(table: pa.Table) -> pa.ListArray:
    """Keys that two rows share only if they belong together, list of uint64."""
    parents = whole(table["parents"])
    rows = np.arange(table.num_rows)
    address = pc.replace_substring_regex(table["uri"], "#.*", "")
    every = [
        (rows, keys_of(table["subject"], "subject")),
        (rows, keys_of(address, "address")),
        (rows, keys_of(folded(table["text"]), "text")),
        (rows, keys_of(table["id"], "row")),
        (pc.list_parent_indices(parents).to_numpy(), keys_of(pc.list_flatten(parents), "row")),
    ]
    return _lists(np.concatenate([r for r, _ in every]), np.concatenate([k for _, k in every]), len(rows))


def _lists(rows: NDArray[np.int64], keys: NDArray[np.uint64], count: int) -> pa.ListArray:
    """The keys of each of `count` rows, without those of nothing (0)."""
    rows, keys = rows[keys > 0], keys[keys > 0]
    order = np.argsort(rows, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))])
    return pa.ListArray.from_arrays(offsets.astype(np.int32), keys[order])


def _joined(ties: pa.ListArray, near: pa.ListArray) -> pa.ListArray:
    (rows, keys), (others, more) = _exploded(ties), _exploded(near)
    return _lists(np.concatenate([rows, others]), np.concatenate([keys, more]), len(ties))


def _exploded(lists: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """(numbers of the lists, values): each list's number once for each of its values."""
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows, pc.list_flatten(lists).to_numpy(zero_copy_only=False).astype(np.uint64)


def _belong(left: pa.Table, right: pa.Table, *, similarity: float) -> NDArray[np.bool_]:
    """Which candidates have a tie in common, or nearly the same text."""
    fits = np.zeros(left.num_rows, bool)
    (pairs, ours), (others, theirs) = _exploded(left["ties"]), _exploded(right["ties"])
    both = np.isin(ours + mixed(pairs.astype(np.uint64)), theirs + mixed(others.astype(np.uint64)))
    fits[pairs[both]] = True
    rest = np.flatnonzero(~fits)
    fits[rest] = minhash.near(left["shingles"].take(rest), right["shingles"].take(rest), similarity)
    return fits


def _settle(sketches: pa.Table, pairs: Pairs, *, shares: tuple[float, float], salt: int) -> pa.Table:
    size = sketches.num_rows
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    count, group = connected_components(graph, directed=False)
    smallest = np.full(count, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, group, sketches["name"].to_numpy())
    drawn = mixed(smallest ^ mixed(np.array([salt + 1]).astype(np.uint64))) / 2**64
    role = np.searchsorted(np.cumsum(shares), drawn, "right")
    role[group[sketches["sealed"].to_numpy(zero_copy_only=False)]] = 0
    return pa.table({"row": np.arange(size), "role": ROLES.take(pa.array(role[group]))})
