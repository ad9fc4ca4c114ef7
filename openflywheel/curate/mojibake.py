"""Mend texts that were decoded with the wrong encoding ("â€™" for an apostrophe) by ftfy (extra `curate`)."""
# ruff: noqa: RUF001  damaged characters look like others

import ftfy
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import Batch, as_table, kept, mark_drops, with_text
from openflywheel.curate._going import spread

# UTF-8's later bytes, 0x80 to 0xBF, as Windows-1252 or Latin-1 shows them, as Windows-1251, 1250 and DOS do.
LATER = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
CYRILLIC = "\u00a0-\u00bfЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџЎўЈҐЁЄЇІіґё№єјЅѕї"
CENTRAL = "\u00a0-\u00bf€‚„…†‡‰Š‹ŚŤŽŹ‘’“”•–—™š›śťžźˇ˘ŁĄŞŻ˛łąşĽ˝ľż"
DOS = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓"
SIGNS = "|".join((
    rf"[\x{{C2}}-\x{{DF}}][{LATER}]",  # two bytes: accented letters, Greek, Cyrillic, ...
    rf"[\x{{E0}}-\x{{EF}}][{LATER}]{{2}}",  # three: quotes, dashes, Chinese, ...
    rf"\x{{F0}}[{LATER}]{{3}}",  # four: emoji
    rf"(?:[РС][{CYRILLIC}]){{2}}|вЂ[{CYRILLIC}]|(?:[г-й][{CYRILLIC}]{{2}}){{2}}",
    rf"[ĂÄĹŮŘ][{CENTRAL}]",
    r"‚Ä[^\s]|√[^\s\d(]|¬[^\s\d(]",  # Mac Roman
    rf"[├┬─┼╞╟╬╧╨╤╪┘][{DOS}]|[ÔΓ]Ç|≡ƒ|[αΓπΣσµτΦΘΩδφε∩][{DOS}│┤╡╢╖╕╣║╗╝╜╛┐]{{2}}",
))  # fmt: skip
LOST = "\ufffd"


def mojibake(batch: Batch, *, lost: float = 0.01) -> pa.Table:
    """Texts as they were written, where an encoding was taken for another; before `normalise`.

    A search for the signs of damage finds the few texts that ftfy (Speer 2019, doi 10.5281/zenodo.2591652)
    then looks at; what it is not sure of stays. What was lost for good stands there as U+FFFD: a text is
    dropped when they are more than a share `lost` of its characters, reason "mojibake: characters lost".
    """
    if not (0 <= lost <= 1):
        raise SettingsError(f"curate.mojibake: lost = {lost}; give a share from 0 to 1")
    table = as_table(batch)
    damaged = pc.and_(kept(table), pc.match_substring_regex(table["text"], SIGNS))
    rows = np.flatnonzero(damaged.to_numpy())
    if len(rows):
        texts = table["text"].take(rows).to_pylist()
        mended = pa.array([ftfy.fix_encoding(text) for text in texts], pa.string())
        table = with_text(table, pc.coalesce(spread(mended, rows, table.num_rows), table["text"]))
    missing = pc.count_substring(table["text"], LOST)
    return mark_drops(
        table,
        pc.greater(missing, pc.multiply(pc.utf8_length(table["text"]), lost)),
        "mojibake: characters lost",
    )
