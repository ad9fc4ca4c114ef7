"""Drop pictures that look like another one."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import meta
from openflywheel.curate._duplicates.keeping import Keep, settle, standing
from openflywheel.curate._whole import Whole

PIECES, PIECE = 4, 16  # bits of a hash: four pieces of sixteen
FARTHEST = 2 * PIECES - 1  # bits: of two hashes that differ in no more, one piece differs in one bit at most
HASH = r"^[0-9a-f]{16}$"
REASON = "image_duplicates: looks like one that stays"
NEIGHBOURS = np.concatenate([[0], 1 << np.arange(PIECE)]).astype(np.uint64)


def image_duplicates(*, distance: int = 5, keep: Keep = "newest") -> Whole:
    """Of pictures whose perceptual hashes differ in at most `distance` of 64 bits, one stays.

    `media` makes the hashes, and must stand before it. Rows that have a text of their own are no duplicates.
    Candidates are found by multi-index hashing (Norouzi, Punjani, Fleet 2012): four pieces of 16 bits, each
    with its neighbours at one bit, which misses no pair up to 7 bits. Reason: "image_duplicates: looks like
    one that stays"; "meta.duplicate_of" names that one. `keep` as in near_duplicates. Raises SettingsError.
    """
    if not 0 <= distance <= FARTHEST:
        raise SettingsError(f"curate.image_duplicates: distance = {distance}; choices: 0 to {FARTHEST} bits")
    return Whole(
        sketch=_sketch,
        check=partial(_alike, distance=distance),
        settle=partial(settle, keep=keep, reason=REASON),
    )


def _sketch(table: pa.Table) -> pa.Table:
    """Light enough to stay in memory as it is: a hash has 8 bytes."""
    silent = pc.equal(pc.utf8_trim_whitespace(table["text"]), "")
    said = meta(table, "phash")  # a source may say anything
    hashes = pc.if_else(pc.and_(silent, pc.match_substring_regex(said, HASH)), said, None)
    known = np.flatnonzero(hashes.is_valid().to_numpy())
    bits = np.zeros(table.num_rows, np.uint64)
    bits[known] = [int(h, 16) for h in hashes.take(known).to_pylist()]
    sizes = np.zeros(table.num_rows, np.int64)
    sizes[known] = PIECES * len(NEIGHBOURS)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    keys = pa.ListArray.from_arrays(offsets, pa.array(_keys(bits[known]).ravel()))
    return standing(table).append_column("keys", keys).append_column("phash", pa.array(bits))


def _keys(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Shape (n, 68): each piece with its number in front, as it is and with each of its bits turned."""
    numbers = np.arange(PIECES, dtype=np.uint64)
    pieces = (bits[:, None] >> (numbers * np.uint64(PIECE))) & np.uint64((1 << PIECE) - 1)
    turned = pieces[:, :, None] ^ NEIGHBOURS
    return (turned | (numbers << np.uint64(PIECE))[None, :, None]).reshape(
        len(bits), PIECES * len(NEIGHBOURS)
    )


def _alike(left: pa.Table, right: pa.Table, *, distance: int) -> NDArray[np.bool_]:
    differ = left["phash"].to_numpy() ^ right["phash"].to_numpy()
    near: NDArray[np.bool_] = np.bitwise_count(differ) <= distance
    return near
