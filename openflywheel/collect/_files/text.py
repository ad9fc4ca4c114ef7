"""Plain text: one text a file; of a file that the user named itself, one a line (seeds to begin with)."""

from collections.abc import Iterator

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.charset import text_of
from openflywheel.collect._files.file import File, Found


def read(file: File) -> Iterator[Found | Drop]:
    """The whole text, or its lines that are not blank."""
    text = text_of(file)
    if file.single:
        yield from (Found(text=line.strip()) for line in text.split("\n") if line.strip())
    else:
        yield Found(text=text)
