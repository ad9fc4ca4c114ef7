"""Drop all but one of the short texts that mean the same."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.encoder import Encoder
from openflywheel.curate._characters import DIGIT
from openflywheel.curate._duplicates import cosine
from openflywheel.curate._duplicates.keeping import REASONS, Keep, apart, settle, standing
from openflywheel.curate._mixing import mixed
from openflywheel.curate._tokens import tokens
from openflywheel.curate._whole import Whole


def semantic_duplicates(
    *, encoder: Encoder, similarity: float = 0.97, most: int = 500, keep: Keep = "newest"
) -> Whole:
    """Drop semantic duplicates among all rows, reason "semantic_duplicates: near the newest" (or by `keep`).

    Two texts are duplicates when the cosine of their embeddings is at least `similarity` (SemDeDup: Abbas et
    al. 2023, arXiv:2303.09540; without its k-means, so that new rows need no training). Candidates come from
    random projections, which find at least .95 of the pairs at just that cosine, and are compared exactly.
    Texts with different numbers are no duplicates: embeddings hardly tell one date or price from another. A
    row goes only if it is itself near the row that stays, named in "meta.duplicate_of".

    similarity: cosine, 0 to 1. Of the pairs at .97 or more in STS-B (MiniLM, development part), .97 say the
        same (4 or 5 of 5).
    most: characters; a longer text is left alone, for encoders read beginnings only (MiniLM: 128 tokens).
    keep: which one stays, see `dedupe`.

    Raises SettingsError.
    """
    if not 0 <= similarity <= 1:
        raise SettingsError(f"curate.semantic_duplicates: similarity = {similarity}; choices: 0 to 1")
    return Whole(
        sketch=partial(_sketch, encoder=encoder, similarity=similarity, most=most),
        check=partial(_alike, similarity=similarity),
        settle=partial(settle, keep=keep, reason=f"semantic_duplicates: near {REASONS[keep]}"),
        heavy=("vector",),
    )


def _sketch(table: pa.Table, *, encoder: Encoder, similarity: float, most: int) -> pa.Table:
    size = pc.utf8_length(table["text"])
    judged = pc.and_(pc.greater(size, 0), pc.less_equal(size, most)).to_numpy()
    texts = table["text"].filter(judged)
    vectors = encoder.encode(texts.to_pylist()).astype(np.float16)
    keys = cosine.keys(vectors.astype(np.float32), similarity) ^ _numbers(texts)[:, np.newaxis]
    return (
        standing(table)
        .append_column("keys", apart(_lists(keys, judged), table))
        .append_column("vector", _lists(vectors, judged))
    )


def _numbers(texts: pa.ChunkedArray) -> NDArray[np.uint64]:
    """A hash of each text's numbers, in whatever order."""
    found = tokens(texts)
    found = found.where(found.kinds & DIGIT > 0)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(found.hashes)])
    return mixed(np.diff(sums[found.offsets]))


def _lists(rows: NDArray[np.generic], judged: NDArray[np.bool_]) -> pa.ListArray:
    """Each row as a list where a text was judged, an empty list elsewhere."""
    offsets = np.concatenate([[0], np.cumsum(judged)]) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets.astype(np.int32), rows.ravel())


def _alike(left: pa.Table, right: pa.Table, *, similarity: float) -> NDArray[np.bool_]:
    return cosine.alike(left["vector"], right["vector"], similarity)
