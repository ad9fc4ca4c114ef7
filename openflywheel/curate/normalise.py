"""One spelling for one text: Unicode composed, invisible characters out, white space folded."""

import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.curate._batches import Batch, as_table, with_text

# Zero-width joiner and the two variation selectors that choose between emoji and plain text.
JOINER = r"\x{200D}\x{FE0E}\x{FE0F}"
# What a joiner may follow: symbols (emoji, skin tones, hearts) and the digits, # and * of keycaps.
SYMBOL = r"\p{S}0-9#*‼⁉"

# Format characters that are seen: signs that Arabic, Syriac and Kaithi write before a number or a verse.
SEEN = r"\x{600}-\x{605}\x{6DD}\x{70F}\x{890}\x{891}\x{8E2}\x{110BD}\x{110CD}"

# In this order, each once; RE2 has no look-around, so neighbours are captured and put back.
STEPS = (
    (r"\r\n?|[\x{0B}\x{0C}\x{85}\x{2028}\x{2029}]", "\n"),
    # Controls, format characters (zero-width, bidi, soft hyphen, tags), fillers, other variation selectors.
    (rf"[^\P{{C}}\p{{Co}}\t\n{JOINER}{SEEN}]|[\x{{34F}}\x{{115F}}\x{{1160}}\x{{17B4}}\x{{17B5}}]", ""),
    (r"[\x{180B}-\x{180F}\x{2800}\x{3164}\x{FFA0}\x{FE00}-\x{FE0D}\x{E0100}-\x{E01EF}]", ""),
    (rf"(^|[^{SYMBOL}{JOINER}])[{JOINER}]+", r"\1"),
    (r"([\x{FE0E}\x{FE0F}])[\x{FE0E}\x{FE0F}]+", r"\1"),
    (rf"(\x{{200D}})[{JOINER}]+", r"\1"),
    (rf"\x{{200D}}([^{SYMBOL}]|$)", r"\1"),
    (r"[\t\p{Zs}]+", " "),
    (r" *\n[ \n]*", "\n"),
)


def normalise(batch: Batch) -> pa.Table:
    """Texts in Unicode NFC without invisible characters, runs of spaces and of line breaks as one, trimmed.

    Joiners stay inside emoji sequences only (Unicode UAX #15 and UTS #51). Drops nothing: a text that comes
    out empty is for `length` to drop.
    """
    table = as_table(batch)
    text = table["text"]
    for pattern, replacement in STEPS:
        text = pc.replace_substring_regex(text, pattern, replacement)
    return with_text(table, pc.utf8_trim_whitespace(pc.utf8_normalize(text, form="NFC")))
