"""Tables of data among those that only lay out a page."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from openflywheel.curate._extract.blocks import CODES, Page

LONGEST = 150  # characters of a cell of data, on average
_TABLE, _TR, _TD, _TH = (CODES[name] for name in ("table", "tr", "td", "th"))
_PROSE = frozenset(CODES[f"h{n}"] for n in range(1, 7)) | {CODES["pre"], CODES["article"], CODES["form"]}


class Table(Struct, frozen=True):
    """A table of data: its blocks from `start` up to `end`, its rows of cells (first and last block)."""

    start: int
    end: int
    rows: list[list[tuple[int, int]]]


def tables(page: Page) -> list[Table]:
    """The tables of data of a page, in its order; a table around others lays out."""
    return [found for area, kind in enumerate(page.kinds) if kind == _TABLE and (found := _table(page, area))]


def _table(page: Page, area: int) -> Table | None:
    rows: list[list[tuple[int, int]]] = []
    for inner in _within(page, area):
        kind = page.kinds[inner]
        if kind == _TABLE or kind in _PROSE:
            return None
        if kind == _TR:
            rows.append([])
        elif kind in (_TD, _TH) and rows:
            rows[-1].append((page.starts[inner], page.ends[inner]))
    rows = [row for row in rows if row]
    start, end = page.starts[area], page.ends[area]
    if end <= start or not _is_data(rows, sum(map(len, page.texts[start:end]))):
        return None
    return Table(start, end, rows)


def _within(page: Page, area: int) -> Iterator[int]:
    inner = area + 1
    while inner < len(page.parents) and page.parents[inner] >= area:
        yield inner
        inner += 1


def _is_data(rows: Sequence[Sequence[tuple[int, int]]], characters: int) -> bool:
    """Two rows and two columns at least, most rows alike, and cells that are no texts."""
    widths = [len(row) for row in rows]
    if len(rows) < 2 or max(widths) < 2:
        return False
    usual = max(widths, key=widths.count)
    return widths.count(usual) * 2 >= len(rows) and characters <= LONGEST * sum(widths)
