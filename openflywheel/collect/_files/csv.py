"""CSV and TSV: the first row names the columns; the delimiter is the one that makes the rows equally long."""

import csv
from collections import Counter
from collections.abc import Iterator

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.charset import stream_of
from openflywheel.collect._files.file import File, Found
from openflywheel.collect._rows.table import table

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16  # characters
ROWS = 20


def read(file: File) -> Iterator[Found | Drop]:
    """Rows as dictionaries of strings. A row that is longer than the header is broken."""
    with stream_of(file) as stream:
        sample = stream.read(SAMPLE)
        stream.seek(0)
        delimiter = "\t" if file.name.lower().endswith(".tsv") else delimiter_of(sample)
        yield from _rows(table(stream, delimiter=delimiter))


def _rows(rows: Iterator[list[str] | Drop]) -> Iterator[Found | Drop]:
    header: list[str] = []
    for row in rows:
        if isinstance(row, Drop):
            yield row
        elif not header:
            header = [name.strip() for name in row]
        elif row:
            fields = {name: value for name, value in zip(header, row, strict=False) if name}
            yield Found(row=fields) if len(row) <= len(header) else Drop("row longer than the header")


def delimiter_of(sample: str) -> str:
    """The delimiter with which the most rows have the header's length; of equal ones the longest rows."""
    lines = sample.splitlines(keepends=True)[: 4 * ROWS]
    return max(DELIMITERS, key=lambda d: _agreement(lines, d))


def _agreement(lines: list[str], delimiter: str) -> tuple[bool, float, int]:
    found = [row for row in _parsed(lines, delimiter) if row][:ROWS]
    widths = Counter(map(len, found))
    width = len(found[0]) if found else 0
    return width > 1, widths[width] / len(found) if found else 0, width


def _parsed(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []
