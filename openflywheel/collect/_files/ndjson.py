"""JSON Lines (NDJSON): a row a line. A line that is broken costs that line."""

import json
from collections.abc import Iterator
from typing import IO

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.charset import stream_of
from openflywheel.collect._files.file import File, Found

LONGEST = 16 << 20  # characters of a line


def read(file: File) -> Iterator[Found | Drop]:
    """Rows; blank lines are none."""
    with stream_of(file) as stream:
        while line := stream.readline(LONGEST):
            if len(line) == LONGEST:
                _skip(stream)
                yield Drop("row too long")
            elif line.strip():
                yield _row(line)


def _skip(stream: IO[str]) -> None:
    """Go to the end of a line."""
    while (rest := stream.readline(LONGEST)) and not rest.endswith("\n"):
        pass


def _row(line: str) -> Found | Drop:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return Drop("broken row")
    return Found(row=row) if isinstance(row, dict) else Drop("row is not an object")
