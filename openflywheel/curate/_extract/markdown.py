"""What is kept of a page as Markdown: headings, lists, tables, code and quotes; links are their text."""

from collections.abc import Iterator, Sequence

from openflywheel.base.instruments.pipes import pipe_table
from openflywheel.curate._extract.blocks import CODES, Page
from openflywheel.curate._extract.tables import Table

_PRE, _LI, _OL, _QUOTE = (CODES[name] for name in ("pre", "li", "ol", "blockquote"))
_LISTS = frozenset((CODES["ul"], CODES["ol"]))
_HEADINGS = {CODES[f"h{n}"]: "#" * n for n in range(1, 7)}
_MARKED = 1 << _LI | 1 << _QUOTE


def markdown(page: Page, kept: Sequence[int], within: Sequence[int], tables: Sequence[Table]) -> str:
    """The text of the `kept` blocks, in order; `within` says what is around each of all blocks, as bits."""
    in_table = {block: table for table in tables for block in range(table.start, table.end)}
    said: list[str] = []
    done, item = -1, False
    for block in kept:
        if block < done:
            continue
        table = in_table.get(block)
        if table:
            text, done, now = _pipes(page, table), table.end, False
        else:
            text, now = _block(page, block, within[block])
        said.append(("\n" if item and now else "\n\n") + text if said else text)
        item = now
    return "".join(said)


def _pipes(page: Page, table: Table) -> str:
    """The table, and what stands in it outside of its rows (a caption)."""
    inside = {block for row in table.rows for start, end in row for block in range(start, end)}
    outside = [page.texts[block] for block in range(table.start, table.end) if block not in inside]
    rows = pipe_table([" ".join(page.texts[start:end]) for start, end in row] for row in table.rows)
    return "\n\n".join([*outside, rows])


def _block(page: Page, block: int, within: int) -> tuple[str, bool]:
    """A block as Markdown, and whether it is an item of a list."""
    text, area = page.texts[block], page.areas[block]
    kind = page.kinds[area]
    if kind == _PRE:
        text = _fenced(text)
    elif kind in _HEADINGS:
        text = f"{_HEADINGS[kind]} {' '.join(text.split())}"
    return _placed(page, block, text) if within & _MARKED else (text, False)


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _placed(page: Page, block: int, text: str) -> tuple[str, bool]:
    """A block within lists and quotes: marked where it begins an item, indented as deep as it stands."""
    mark, indent, quotes, nearest = "", -1, 0, True
    for area in _outwards(page, page.areas[block]):
        kind = page.kinds[area]
        quotes += kind == _QUOTE
        if kind == _LI:
            indent += 1
            if nearest:
                mark, nearest = _mark(page, area) if page.starts[area] == block else "  ", False
    first, rest = "  " * indent + mark, "  " * indent + " " * len(mark)
    lines = text.split("\n")
    placed = [f"{'> ' * quotes}{first if n == 0 else rest}{line}" for n, line in enumerate(lines)]
    return "\n".join(placed), bool(mark.strip())


def _mark(page: Page, item: int) -> str:
    """ "1. " in a numbered list, counted among its items, else "- "."""
    parent = page.parents[item]
    if page.kinds[parent] != _OL:
        return "- "
    number = sum(page.parents[area] == parent and page.kinds[area] == _LI for area in range(parent, item + 1))
    return f"{number}. "


def _outwards(page: Page, area: int) -> Iterator[int]:
    while area:
        yield area
        area = page.parents[area]
