"""Drop all but one of the texts that say the same with the same labels."""

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.items import PRICE
from openflywheel.curate._batches import meta
from openflywheel.curate._duplicates.keeping import FIELD, Keep, labels, settle, standing
from openflywheel.curate._rows import entries, items
from openflywheel.curate._whole import Whole

DIGEST = 16  # bytes: a collision among 10^12 texts has a chance of 10^-15


def dedupe(*, keep: Keep = "newest", tasks: Mapping[str, Any] = {}) -> Whole:
    """Drop exact duplicates among all rows, reason "duplicate"; "meta.duplicate_of" names the one that stays.

    Texts are compared by simple case folding (Unicode, one character to one) and with white space folded,
    labels regardless of their order, both by a content hash (BLAKE2b, RFC 7693, 128 bits).
    Items, choices and sales (base/items.py) are no duplicates: what was taken twice was wanted twice.

    keep: which copy stays, after those that may teach and those that a more trusted person labelled: the
        "newest" by the fact "published", else by `at`, the "oldest", or the "most_credible" by the fact
        "credibility" (then the newest).
    """
    return Whole(
        sketch=partial(_sketch, kinds={name: task.kind for name, task in tasks.items()}),
        check=_same,
        settle=partial(settle, keep=keep, reason="duplicate"),
        heavy=("digest",),
    )


def _sketch(table: pa.Table, *, kinds: Mapping[str, str]) -> pa.Table:
    own = pc.if_else(_alone(table, kinds), table["id"].combine_chunks(), "")
    said = pc.binary_join_element_wise(labels(table), own, "")
    size = pc.binary_length(said).cast(pa.string())  # with it no text can look like another one with labels
    whole = pc.binary_join_element_wise(size, said, folded(table["text"]).combine_chunks(), FIELD)
    digests = np.frombuffer(b"".join(_digests(whole)), np.uint64).reshape(-1, DIGEST // 8)
    digest = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(DIGEST), len(digests), [None, pa.py_buffer(digests)]
    )
    keys = pa.ListArray.from_arrays(np.arange(len(digests) + 1, dtype=np.int32), digests[:, 0].copy())
    return standing(table).append_column("keys", keys).append_column("digest", digest)


def _alone(table: pa.Table, kinds: Mapping[str, str]) -> pa.Array:
    """Which rows are items, choices or sales."""
    ranks, numbers = ([task for task in kinds if kinds[task] == kind] for kind in ("rank", "number"))
    sold = pc.and_(_labelled(table, numbers), pc.is_valid(meta(table, PRICE).combine_chunks()))
    return pc.or_(items(table), pc.or_(_labelled(table, ranks), sold))


def _labelled(table: pa.Table, tasks: Sequence[str]) -> pa.Array:
    """Which rows have a label of one of the tasks."""
    rows, keys, _ = entries(table["labels"].combine_chunks())
    found = np.zeros(table.num_rows, bool)
    found[rows[pc.is_in(keys, pa.array(tasks, pa.string())).to_numpy(zero_copy_only=False)]] = True
    return pa.array(found)


def _digests(texts: pa.Array) -> list[bytes]:
    raw = texts.cast(pa.large_binary())
    offsets = np.frombuffer(raw.buffers()[1], np.int64)[raw.offset : raw.offset + len(raw) + 1]
    data = memoryview(raw.buffers()[2] or b"")
    return [blake2b(data[a:b], digest_size=DIGEST).digest() for a, b in pairwise(offsets)]


def _same(left: pa.Table, right: pa.Table) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = pc.equal(left["digest"], right["digest"]).to_numpy()
    return same


def folded(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """White space and case folded; upper, then lower joins what has two small forms, as the Greek sigma."""
    lower = pc.utf8_lower(pc.utf8_upper(text))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[\s\p{Z}]+", " "))
