"""The rows of a CSV, as long as they are; what cannot be read is a Drop, and the next row is read."""

import csv
from collections.abc import Iterable, Iterator

from openflywheel.base.nouns import Drop

LONGEST = 16 << 20  # characters of a row: a whole page's HTML; csv's own limit of a field is 131,072


def table(
    lines: Iterable[str], *, delimiter: str = ",", longest: int = LONGEST
) -> Iterator[list[str] | Drop]:
    """Rows of a CSV in order, the header and empty ones too. Never raises but what `lines` raises.

    A row of more than `longest` characters (at most LONGEST) is Drop("line too long"): the most often a
    quote that is never closed; reading goes on behind the line in which it became too long.
    """
    csv.field_size_limit(LONGEST)  # the process has one for all: everyone says the same and counts rows here
    bounded = _Lines(lines, longest)
    rows = csv.reader(bounded, delimiter=delimiter)
    while True:
        bounded.length = 0
        try:
            row = next(rows)
        except StopIteration:
            return
        except _TooLong:
            yield Drop("line too long")
        except csv.Error:
            yield Drop("broken row")
        else:
            yield row


class _TooLong(Exception):
    """A row goes on and on."""


class _Lines(Iterator[str]):
    """Lines, until those of one row are too long; `length` is the row's so far, in characters."""

    def __init__(self, lines: Iterable[str], longest: int) -> None:
        self._lines, self._longest, self.length = iter(lines), longest, 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.length += len(line)
        if self.length > self._longest:
            raise _TooLong
        return line
