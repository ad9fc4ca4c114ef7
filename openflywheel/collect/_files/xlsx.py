"""XLSX: every sheet is a table whose first row names the columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from python_calamine import CalamineWorkbook

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import office, sheets
from openflywheel.collect._files.file import File, Found


def read(file: File) -> Iterator[Found | Drop]:
    """Rows. Raises Refused when the archive in it is unsafe, or its sheets too wide."""
    office.check(file)
    sheets.check(file)
    book = CalamineWorkbook.from_filelike(file.stream)
    for name in book.sheet_names:
        yield from _table(iter(book.get_sheet_by_name(name).to_python()), name)


def _table(rows: Iterator[Sequence[Any]], sheet: str) -> Iterator[Found]:
    header = [str(cell).strip() for cell in next(rows, [])]
    for row in rows:
        fields = {name: cell for name, cell in zip(header, row, strict=False) if name}
        if any(cell != "" for cell in fields.values()):
            yield Found(row=fields, anchor=sheet)
