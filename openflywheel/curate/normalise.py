"""One spelling for one text: Unicode composed, invisible characters out, white space folded."""

from collections.abc import Sequence

import numpy as np
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
CHARACTERS = (
    (r"\r\n?|[\x{0B}\x{0C}\x{85}\x{2028}\x{2029}]", "\n"),
    # Controls, format characters (zero-width, bidi, soft hyphen, tags), fillers, other variation selectors.
    (rf"[^\P{{C}}\p{{Co}}\t\n{JOINER}{SEEN}]|[\x{{34F}}\x{{115F}}\x{{1160}}\x{{17B4}}\x{{17B5}}]", ""),
    (r"[\x{180B}-\x{180F}\x{2800}\x{3164}\x{FFA0}\x{FE00}-\x{FE0D}\x{E0100}-\x{E01EF}]", ""),
    (rf"(^|[^{SYMBOL}{JOINER}])[{JOINER}]+", r"\1"),
    (r"([\x{FE0E}\x{FE0F}])[\x{FE0E}\x{FE0F}]+", r"\1"),
    (rf"(\x{{200D}})[{JOINER}]+", r"\1"),
    (rf"\x{{200D}}([^{SYMBOL}]|$)", r"\1"),
)
FENCE = "\x1f"  # stands before each line of a fence while spaces are folded; the controls are gone by then
# A pattern that matches every single space would cost as much as all the others.
SPACES = ((r"[^\P{Zs} ]", " "), (r"(?m)^[ \t]*(`{3,}[^`\n]*)$", FENCE + r"\1"))
PROSE = ((r"[ \t]{2,}|\t", " "), (r"\n +", "\n"))
LINES = ((r"[ \t]+\n", "\n"), (r"\n{3,}", "\n\n"))


def normalise(batch: Batch) -> pa.Table:
    """Texts in Unicode NFC without invisible characters, runs of spaces as one, blank lines too, trimmed.

    Code between fences (CommonMark, section 4.5) keeps its indentation. Joiners stay inside emoji sequences
    only (Unicode UAX #15 and UTS #51). Drops nothing: a text that comes out empty is for `length` to drop.
    """
    table = as_table(batch)
    text = _composed(_replaced(table["text"].combine_chunks(), CHARACTERS))
    text = _prose(_replaced(text, SPACES))
    return with_text(table, pc.utf8_trim_whitespace(_replaced(text, LINES)))


def _composed(texts: pa.Array) -> pa.Array:
    """In NFC; that of ASCII is itself."""
    other = pc.invert(pc.string_is_ascii(texts))
    return pc.replace_with_mask(texts, other, pc.utf8_normalize(texts.filter(other), form="NFC"))


def _replaced(texts: pa.Array, steps: Sequence[tuple[str, str]]) -> pa.Array:
    for pattern, replacement in steps:
        texts = pc.replace_substring_regex(texts, pattern, replacement)
    return texts


def _prose(texts: pa.Array) -> pa.Array:
    """Spaces folded outside of the fences: each text is cut at them, and every second piece is code."""
    pieces = pc.split_pattern(texts, FENCE)
    flat = pc.list_flatten(pieces)
    place = np.arange(len(flat)) - np.repeat(np.asarray(pieces.offsets)[:-1], np.diff(pieces.offsets))
    folded = pc.if_else(pa.array(place % 2 == 1), flat, _replaced(flat, PROSE))
    joined = pc.binary_join(type(pieces).from_arrays(pieces.offsets, folded), "")
    return pc.if_else(pc.is_valid(texts), joined, None)
