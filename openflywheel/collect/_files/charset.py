"""Bytes as text, in whatever encoding they come."""

import codecs
import io
from typing import IO

from openflywheel.collect._files.file import CHUNK, File

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding(file: File) -> str:
    """By the byte order mark, else UTF-8 if all of it is, else windows-1252, as browsers do."""
    head = file.head(4)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    return "utf-8" if _is_utf8(file.stream) else "windows-1252"


def _is_utf8(stream: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream.seek(0)
    try:
        while chunk := stream.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def text_of(file: File) -> str:
    """The whole text, with line ends as \\n."""
    said = file.whole().decode(encoding(file), "replace")
    return said.replace("\r\n", "\n").replace("\r", "\n")


def stream_of(file: File) -> io.TextIOWrapper:
    """The text as a stream, with line ends as they are; closing it closes the file."""
    name = encoding(file)
    file.stream.seek(0)
    return io.TextIOWrapper(file.stream, name, errors="replace", newline="")
