"""HTML pages, read: their main text as Markdown, their facts, and how sure that is."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._extract.blocks import CODES, Page, blocks, tree_of
from openflywheel.curate._extract.facts import facts
from openflywheel.curate._extract.features import features, matrix
from openflywheel.curate._extract.markdown import markdown
from openflywheel.curate._extract.source import markup
from openflywheel.curate._extract.tables import Table, tables
from openflywheel.curate._extract.trees import FILE, choose, load

Tier = Literal["careful", "fast"]

TOGETHER = 64  # pages that are measured at once
SURE = 0.95  # expected F1 from which on the fast trees are believed
LEAST = 0.2  # expected F1 below which a page has no main text
_TABLE = CODES["table"]


class Extracted(Struct, frozen=True):
    """The main text of a document as Markdown ("" when it has none), its facts, the F1 expected of the text.

    `refused` says why a document of another kind has no text.
    """

    text: str = ""
    meta: dict[str, str] = {}
    confidence: float = 0.0
    refused: str = ""


def version() -> str:
    """Another one whenever the same page may read differently: this code's (by hand) and the trees'."""
    return f"1-{sha256(FILE.read_bytes()).hexdigest()[:12]}"


def read(contents: Sequence[bytes], tier: Tier) -> list[Extracted]:
    """Extract pages, each the same whatever it is read with; never fails."""
    starts = range(0, len(contents), TOGETHER)
    return [page for start in starts for page in _together(contents[start : start + TOGETHER], tier)]


def _together(contents: Sequence[bytes], tier: Tier) -> Iterator[Extracted]:
    read = [_page(content) for content in contents]
    texts = _texts([page for page, _ in read if page.texts], tier)
    for page, said in read:
        text, confidence = next(texts) if page.texts else ("", 0.0)
        yield Extracted(text, said, confidence)


def _page(content: bytes) -> tuple[Page, dict[str, str]]:
    source = markup(content)
    tree = tree_of(source)
    said = facts(tree, source)  # before the scripts are taken out
    return blocks(tree), said


def _texts(pages: Sequence[Page], tier: Tier) -> Iterator[tuple[str, float]]:
    if not pages:
        return
    of, columns = features(pages)
    x, trees = matrix(columns), load()
    chances = trees["fast"].chances(x)
    for page, start in zip(pages, of.first_block, strict=True):
        here = slice(start, start + len(page.texts))
        size, data = of.letters.size[here], tables(page) if _TABLE in page.kinds else []
        kept, confidence = choose(_level(chances[here], size, data), size)
        if tier == "careful" and confidence < SURE:
            kept, confidence = choose(_level(trees["careful"].chances(x[here]), size, data), size)
        within = of.within[of.area[here]].tolist()
        text = markdown(page, np.flatnonzero(kept).tolist(), within, data) if confidence >= LEAST else ""
        yield text, confidence


def _level(
    chances: NDArray[np.float64], size: NDArray[np.int64], data: Sequence[Table]
) -> NDArray[np.float64]:
    """A table of data is kept as a whole or not at all."""
    for table in data:
        here = slice(table.start, table.end)
        chances[here] = np.average(chances[here], weights=size[here])
    return chances
