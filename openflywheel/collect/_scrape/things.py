"""What a page says of itself for machines, in one shape: JSON-LD, microdata, RDFa Lite and OpenGraph.

The formats are read by extruct, from a tree that lxml has parsed without network, entities or DTDs, and with
at most 256 levels.
"""

import re
from typing import Any

import lxml.etree
import lxml.html
from msgspec import Struct

from openflywheel.collect._scrape.attributes import micro, open_graph
from openflywheel.collect._scrape.linked import linked
from openflywheel.collect._scrape.thing import Thing, TooMuchError, walk

MOST_TAG = 2_000  # characters of a tag without its values: 100,000 attributes take 23 s
LONG_TAG = re.compile(rf"<[A-Za-z][^<>]{{{MOST_TAG},}}")
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


class Found(Struct, frozen=True):
    """The things of a page, outermost first, and what could not be read (reasons for a Drop, each once)."""

    things: list[Thing]
    faults: list[str]


def find(tree: Any, url: str) -> Found:
    """Everything that a page declares; never raises for what it holds. Changes the tree's attributes."""
    found = Found([], [])
    for read in (linked, micro):
        try:
            found.things.extend(read(tree, url, found.faults))
        except TooMuchError as error:
            found.faults.append(str(error))
        except RecursionError:
            found.faults.append("structured data too deep")
    known = {kind for thing, _ in walk(found.things) for kind in thing.kinds}
    found.things.extend(t for t in open_graph(tree) if known.isdisjoint(t.kinds))
    return Found(found.things, list(dict.fromkeys(found.faults)))


def parse(text: str) -> Any:
    """A page's tree; None when there is nothing but white space or comments.

    Parsed as bytes: lxml refuses a str that declares an encoding, as XHTML does.
    """
    text = LONG_TAG.sub(lambda tag: "" if len(QUOTED.sub("", tag[0])) > MOST_TAG else tag[0], text)
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        return lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except lxml.etree.ParserError:
        return None
