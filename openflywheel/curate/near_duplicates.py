"""Drop all but one of the texts that share most of their wording."""

from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.curate._duplicates import minhash
from openflywheel.curate._duplicates.keeping import REASONS, Keep, apart, settle, standing
from openflywheel.curate._whole import Whole


def near_duplicates(*, similarity: float = 0.8, shingle: int = 5, keep: Keep = "newest") -> Whole:
    """Drop near-duplicates among all rows, reason "near_duplicates: near the newest" (or by `keep`).

    Two texts are near when the sets of their runs of words have a Jaccard similarity of at least `similarity`
    (Broder 1997; Lee et al. 2022, arXiv:2107.06499, use 5 words and .8 too). Candidates come from MinHash
    signatures of 128 numbers in bands, which find at least .98 of the pairs of just that similarity, and are
    compared exactly. A row goes only if it is itself near the row that stays, named in "meta.duplicate_of".
    Two messages that differ in one word are near from 41 words on.

    similarity: above 0, up to 1; the lower, the more work.
    shingle: words in a run, 1 or more. Scripts without spaces count a letter as a word.
    keep: which one stays, see `dedupe`.

    Raises SettingsError.
    """
    if not 0 < similarity <= 1:
        raise SettingsError(f"curate.near_duplicates: similarity = {similarity}; choices: above 0, up to 1")
    if shingle < 1:
        raise SettingsError(f"curate.near_duplicates: shingle = {shingle}; choices: 1 word or more")
    return Whole(
        sketch=partial(_sketch, similarity=similarity, shingle=shingle),
        check=partial(_near, similarity=similarity),
        settle=partial(settle, keep=keep, reason=f"near_duplicates: near {REASONS[keep]}"),
        heavy=("shingles",),
    )


def _sketch(table: pa.Table, *, similarity: float, shingle: int) -> pa.Table:
    keys, shingles = minhash.sketches(table["text"], similarity=similarity, shingle=shingle)
    return standing(table).append_column("keys", apart(keys, table)).append_column("shingles", shingles)


def _near(left: pa.Table, right: pa.Table, *, similarity: float) -> NDArray[np.bool_]:
    return minhash.near(left["shingles"], right["shingles"], similarity)
