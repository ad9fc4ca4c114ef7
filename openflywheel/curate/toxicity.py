"""Flag hateful and adult texts by the share of words that are hardly used otherwise."""

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.curate import _flagged
from openflywheel.curate._batches import Batch, as_table, mark_drops, with_meta
from openflywheel.curate._going import going, spread
from openflywheel.curate._mixing import mixed
from openflywheel.curate._tokens import GOLDEN, Index, Tokens, tokens

LOW = np.uint64(0xFFFF)
Hashes = NDArray[np.uint64]


def toxicity(batch: Batch, *, toxic: float = 0.02, adult: float = 0.02, mentions: int = 3) -> pa.Table:
    """Write the shares of flagged words into meta "toxicity" and "adult"; drop texts that are full of them.

    Dropped is what has at least `mentions` flagged words and more than a share of `toxic` or `adult` of all,
    reasons "toxicity: toxic" and "toxicity: adult": a single mention drops nothing, since texts that quote or
    speak of an insult are not insults. The lists (16 languages, see _flagged.py) find abuse that uses its
    words, spam and pornography. They do not find hatred or danger in polite words; a guard or a
    `quality_classifier` that was taught does.
    """
    if not (0 <= toxic <= 1 and 0 <= adult <= 1 and mentions >= 1):
        raise SettingsError(
            f"curate.toxicity: toxic = {toxic}, adult = {adult}, mentions = {mentions}; shares are 0 to 1, "
            "mentions 1 or more"
        )
    table = as_table(batch)
    rows = going(table)
    words = tokens(table["text"].take(rows)).words()
    sizes = np.maximum(np.diff(words.offsets), 1)
    full = {}
    for name, list_, most in (("toxicity", "toxic", toxic), ("adult", "adult", adult)):
        counts = words.total(flagged(words, list_))
        shares = counts / sizes
        shown = pa.array([f"{share:.3f}" for share in shares.tolist()], pa.string())
        table = with_meta(table, name, spread(shown, rows, table.num_rows))
        full[list_] = spread((counts >= mentions) & (shares > most), rows, table.num_rows)
    for list_, texts in full.items():
        table = mark_drops(table, texts, f"toxicity: {list_}")
    return table


def flagged(words: Tokens, name: str) -> NDArray[np.bool_]:
    """Which words are on a list ("toxic", "adult"), alone or as part of a phrase."""
    begins, phrases = listed(name)
    likely = np.flatnonzero(begins[words.hashes & LOW])
    last = words.offsets[1:][np.searchsorted(words.offsets, likely, "right") - 1]
    out = np.zeros(len(words.hashes), bool)
    for length, known in phrases.items():
        at = likely[likely + length <= last]  # a phrase is within one text
        at = at[np.isin(_phrases(words.hashes, at, length), known)]
        for step in range(length):
            out[at + step] = True
    return out


def _phrases(hashes: Hashes, at: Index, length: int) -> Hashes:
    """One hash for the words from each place on."""
    out = hashes[at]
    for step in range(1, length):
        out = mixed(out * GOLDEN + hashes[at + step])
    return out


@cache
def listed(name: str) -> tuple[NDArray[np.bool_], dict[int, Hashes]]:
    """Which 16 bits an entry's first word may end in, and the entries by their number of words."""
    entries = [entry.strip() for entry in getattr(_flagged, name.upper()).replace("\n", " ").split(",")]
    found = tokens(pa.array(entries)).words()
    first, sizes = found.offsets[:-1], np.diff(found.offsets)
    begins = np.zeros(1 << 16, bool)
    begins[found.hashes[first] & LOW] = True
    lengths = np.unique(sizes).tolist()
    return begins, {n: _phrases(found.hashes, first[sizes == n], n) for n in lengths}
