"""Tell which language a text is in, and keep those that are wanted."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.curate._batches import Batch, as_table, mark_drops, with_meta
from openflywheel.curate._going import going, spread
from openflywheel.curate._langid import identified, languages

UNSURE = "und"  # ISO 639-2, undetermined


def language(batch: Batch, *, keep: tuple[str, ...] = (), least: float = 0.5, sample: int = 0) -> pa.Table:
    """Write each text's language into meta "lang" (ISO 639: "en") and its probability, "lang_confidence".

    Below the probability `least` a text is "und". `keep` names the languages to keep, none means all; the
    others are dropped as "language: not kept" and "language: not sure". The whole text is looked at, since
    pages begin with English menus; with `sample`, so many characters of it, half from its beginning and half
    from its end, which is faster and less sure. Model: langid.py (Lui & Baldwin 2012, P12-3005) in the
    edition of py3langid, 140 languages. Raises SettingsError for a language that it does not know.
    """
    if not 0 <= least <= 1 or sample < 0:
        said = f"curate.language: least = {least}, sample = {sample}; least is 0 to 1, sample 0 or more"
        raise SettingsError(said)
    for wanted in keep:
        if wanted not in languages():
            said = f"curate.language: keep = {wanted!r} is no language code; {suggest(wanted, languages())}"
            raise SettingsError(said)
    table = as_table(batch)
    rows = going(table)
    codes, chances = identified(_sampled(table["text"].take(rows), sample))
    names = np.where(chances < least, UNSURE, np.array(codes, object))
    lang = spread(pa.array(names, pa.string()), rows, table.num_rows)
    shown = pa.array([f"{chance:.2f}" for chance in chances.tolist()], pa.string())
    sure = spread(shown, rows, table.num_rows)
    table = with_meta(with_meta(table, "lang", lang), "lang_confidence", sure)
    if not keep:
        return table
    table = mark_drops(table, pc.equal(lang, UNSURE), "language: not sure")
    return mark_drops(table, pc.invert(pc.is_in(lang, pa.array(keep))), "language: not kept")


def _sampled(texts: pa.ChunkedArray, characters: int) -> pa.ChunkedArray:
    """Both ends of the texts that are longer than so many characters; all of them for 0."""
    if not characters:
        return texts
    half = -(-characters // 2)
    ends = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(texts, 0, half), pc.utf8_slice_codeunits(texts, -half), "\n"
    )
    return pc.if_else(pc.greater(pc.utf8_length(texts), characters), ends, texts)
