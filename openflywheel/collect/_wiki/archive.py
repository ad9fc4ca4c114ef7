"""The files of an export that is a zip, under the caps that hold for all archives (_files)."""

import zipfile
from collections.abc import Iterator
from os import fstat
from typing import BinaryIO

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import zip
from openflywheel.collect._files.file import File, Refused


def members(file: BinaryIO) -> Iterator[tuple[str, bytes] | Drop]:
    """Name and content of each file, also of zips inside, or why it is not read."""
    try:
        yield from _members(File("export.zip", file, fstat(file.fileno()).st_size))
    except Refused as refused:
        yield Drop(str(refused))
    except (zipfile.BadZipFile, EOFError):
        yield Drop("broken zip file")


def _members(file: File) -> Iterator[tuple[str, bytes] | Drop]:
    for found in zip.read(file):
        if not isinstance(found, File):
            if isinstance(found, Drop):
                yield found
            continue
        try:
            if found.name.lower().endswith(".zip"):
                yield from _members(found)
            else:
                yield found.name.rpartition("!/")[2], found.whole()
        finally:
            found.stream.close()
