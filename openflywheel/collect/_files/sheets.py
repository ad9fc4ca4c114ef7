"""What the sheets of a workbook would take in memory, told from their XML before a library fills it.

calamine makes a square of all cells between the first and the last: two cells in opposite corners would take
400 GB. And it copies a shared string into every cell that names it.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat  # office.check has refused document types, so there are no entities

from openflywheel.collect._files.file import File, Refused
from openflywheel.collect._files.zip import opened, unpacked

CELLS = 5_000_000  # 32 bytes each, and as much again in Python
CELL = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")


def check(file: File) -> None:
    """Raises Refused where the sheets are too large, Spent where their strings are, ExpatError."""
    with opened(file) as archive:
        strings = _Strings()
        for name in filter(_is_strings, archive.namelist()):
            _parse(strings, unpacked(archive, archive.getinfo(name)))
        cells = 0
        for name in filter(_is_sheet, archive.namelist()):
            sheet = _Sheet(strings.sizes)
            _parse(sheet, unpacked(archive, archive.getinfo(name)))
            cells += sheet.rows * sheet.columns
            file.allowance.take(sheet.shared)
    file.stream.seek(0)
    if cells > CELLS:
        raise Refused("sheet too large")


def _is_strings(name: str) -> bool:
    return name.lower().endswith("sharedstrings.xml")


def _is_sheet(name: str) -> bool:
    return "worksheets/" in name.lower() and name.lower().endswith(".xml")


def _parse(part: "_Strings | _Sheet", pieces: Iterator[bytes]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = part.start
    parser.EndElementHandler = part.end
    parser.CharacterDataHandler = part.text
    for piece in pieces:
        parser.Parse(piece)


class _Strings:
    """The sizes of the shared strings, in characters."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        """An element begins."""
        if name.rpartition(":")[2] == "si":
            self.sizes.append(0)

    def text(self, said: str) -> None:
        """Some text in an element."""
        if self.sizes:
            self.sizes[-1] += len(said)

    def end(self, _: str) -> None:
        """An element ends."""


class _Sheet:
    """The square around a sheet's cells, and the size of the shared strings that they name."""

    def __init__(self, sizes: list[int]) -> None:
        self.rows = self.columns = self.shared = 0
        self._row = self._column = 0
        self._sizes, self._names, self._said = sizes, False, ""

    def start(self, name: str, about: dict[str, str]) -> None:
        """A row or a cell begins; one that does not say where stands behind the last."""
        kind = name.rpartition(":")[2]
        if kind == "row":
            self._row, self._column = int(about.get("r", self._row + 1)), 0
        elif kind == "c":
            place = CELL.fullmatch(about.get("r", ""))
            self._column = _number(place[1]) if place else self._column + 1
            self.rows = max(self.rows, int(place[2]) if place else self._row)
            self.columns = max(self.columns, self._column)
            self._names = about.get("t") == "s"
        self._said = ""

    def text(self, said: str) -> None:
        """Some text in an element."""
        self._said += said

    def end(self, name: str) -> None:
        """A value ends: of a shared string, it is its number."""
        if self._names and name.rpartition(":")[2] == "v":
            self.shared += self._sizes[int(self._said)]


def _number(letters: str) -> int:
    """The number of a column: A is 1, XFD is 16,384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
