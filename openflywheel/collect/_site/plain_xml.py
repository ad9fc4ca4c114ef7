"""XML as strangers send it: no DTD, no entities of its own, nothing external (expat loads nothing)."""

from collections.abc import Iterable, Iterator
from xml.parsers import expat

PIECE = 65_536  # bytes handed to the parser at once


class XmlRefused(Exception):
    """`reason` says why an XML file is not read on, in a few stable words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parser() -> expat.XMLParserType:
    """A parser that raises XmlRefused where a DTD declares something: billion laughs, external entities."""
    made = expat.ParserCreate()
    made.buffer_text = True
    made.StartDoctypeDeclHandler = _doctype
    return made


def parsed(made: expat.XMLParserType, pieces: Iterable[bytes]) -> Iterator[None]:
    """Parse piece by piece; its handlers keep what they find. Raises XmlRefused, also for broken XML."""
    try:
        for piece in pieces:
            made.Parse(piece, False)
            yield
        made.Parse(b"", True)
    except expat.ExpatError:
        raise XmlRefused("XML broken off") from None


def check_prolog(body: bytes) -> None:
    """Raises XmlRefused for what declares entities before its first element, or has none.

    What comes after it may be broken: feeds are, and their parser knows how to forgive.
    """
    made = parser()
    elements: list[object] = []
    made.StartElementHandler = lambda *element: elements.append(element)
    pieces = (body[at : at + PIECE] for at in range(0, len(body), PIECE))
    try:
        for _ in parsed(made, pieces):
            if elements:
                return
    except XmlRefused as refused:
        if elements and refused.reason == "XML broken off":
            return
        raise
    raise XmlRefused("XML broken off")


def _doctype(*declared: object) -> None:
    """Name, system id, public id, and whether there is an internal subset, the only one that is read."""
    if declared[-1]:
        raise XmlRefused("XML with a DTD")
