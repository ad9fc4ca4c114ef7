"""FineWeb's own rules (Penedo et al. 2024, arXiv:2406.17557, section 3.5)."""

from collections.abc import Iterator

import numpy as np

from openflywheel.curate._characters import ALONE
from openflywheel.curate._quality.limits import Limits
from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import Mask


def fineweb(text: Text, limits: Limits) -> Iterator[tuple[str, Mask]]:
    """(reason, texts to drop) of each rule; a letter of a script without spaces counts as two characters."""
    lines = text.lines
    count = np.maximum(text.total_by(lines.doc), 1)
    ended = text.total_by(lines.doc, text.terminal[text.line_lasts])
    yield "fineweb: lines without an end", ended / count < limits.ended
    wide = lines.lengths + text.in_line((text.tokens.kinds & ALONE) > 0)
    yield "fineweb: short lines", text.total_by(lines.doc, wide <= limits.short) / count > limits.short_lines
    said = text.total_by(lines.doc, lines.lengths * lines.again)
    yield "fineweb: repeated lines", said / np.maximum(text.characters - text.breaks, 1) > limits.repeated
    words = np.maximum(np.diff(text.words.offsets), 1)
    yield "fineweb: a list", text.breaks / words > limits.breaks
