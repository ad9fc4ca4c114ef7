"""Tables as Markdown: pipes between the cells (GitHub Flavored Markdown, 4.10)."""

from collections.abc import Iterable, Iterator, Sequence


def pipe_table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as a table whose first row is its head; short rows are filled up. "" without rows."""
    return "\n".join(_lines([[_cell(cell) for cell in row] for row in rows]))


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    width = max(map(len, rows), default=0)
    for number, row in enumerate(rows):
        yield f"| {' | '.join([*row, *[''] * (width - len(row))])} |"
        if number == 0:
            yield f"|{' --- |' * width}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
