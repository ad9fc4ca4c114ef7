"""MediaWiki's XML dumps (pages-articles.xml, also .bz2 and .gz): read as a stream, whatever their size.

https://www.mediawiki.org/wiki/Help:Export#Export_format
"""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from openflywheel.base.nouns import Drop
from openflywheel.collect._site.plain_xml import PIECE, XmlRefused, parsed, parser
from openflywheel.collect._wiki.page import Page
from openflywheel.collect._wiki.wikitext import plain, redirects

LONGEST = 4_000_000  # characters of a page's markup; MediaWiki allows 2 MB
DEEPEST = 12  # elements inside each other; dumps have 6
RATIO, FLOOR = 200, 64_000_000  # bytes unpacked from one; dumps have 4 to 10
FIELDS = frozenset({"title", "ns", "id", "timestamp", "text", "base"})


def pages(file: BinaryIO, space: str) -> Iterator[Page | Drop]:
    """The pages of a namespace (`space`, 0 without one), each in its newest version."""
    reading = _Reading(space or "0")
    try:
        for _ in parsed(reading.parser, _unpacked(file)):
            yield from reading.taken()
        yield from reading.taken()
    except XmlRefused as refused:
        yield from reading.taken()
        yield Drop(refused.reason)
    except (OSError, EOFError, zlib.error):
        yield Drop("dump broken off")


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    head = file.read(3)
    file.seek(0)
    stream = {b"BZh": bz2.BZ2File, b"\x1f\x8b\x08": gzip.GzipFile}.get(head)
    source = stream(file) if stream is bz2.BZ2File else gzip.GzipFile(fileobj=file) if stream else file
    given = 0
    while piece := source.read(PIECE):
        given += len(piece)
        if stream and given > max(FLOOR, RATIO * file.tell()):
            raise XmlRefused("unpacks to too much")
        yield piece


class _Reading:
    """What expat's handlers collect: the fields of the page that is being read, and the finished pages."""

    def __init__(self, space: str) -> None:
        self.parser = parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._space, self._path, self._base = space, list[str](), ""
        self._done: list[Page | Drop] = []
        self._page: dict[str, str] = {}
        self._pieces: list[str] = []
        self._size = 0

    def taken(self) -> list[Page | Drop]:
        """The pages that were finished since the last time."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self._path.append(name)
        if len(self._path) > DEEPEST:
            raise XmlRefused("XML nested too deep")
        if name == "page":
            self._page = {}
        self._pieces, self._size = [], 0

    def _text(self, said: str) -> None:
        if self._path and self._path[-1] in FIELDS:
            self._size += len(said)
            if self._size <= LONGEST:
                self._pieces.append(said)

    def _end(self, name: str) -> None:
        self._path.pop()
        inside = self._path[-1] if self._path else ""
        if name == "redirect":
            self._page["redirect"] = "yes"
        elif name == "base":
            self._base = "".join(self._pieces).strip().rpartition("/")[0]
        elif name in FIELDS and inside == "page":
            self._page[name] = "".join(self._pieces).strip()
        elif name in ("timestamp", "text") and inside == "revision":
            self._page[f"next {name}"] = "".join(self._pieces)
            self._page["too long"] = "yes" if self._size > LONGEST else self._page.get("too long", "")
        elif name == "revision":
            self._newer()
        elif name == "page":
            self._finish()

    def _newer(self) -> None:
        """A version was read; the newest one stays."""
        moment, text = self._page.pop("next timestamp", ""), self._page.pop("next text", "")
        if moment >= self._page.get("timestamp", ""):
            self._page |= {"timestamp": moment.strip(), "text": text}

    def _finish(self) -> None:
        page, self._page = self._page, {}
        if page.get("ns", "0") != self._space:
            return
        if page.get("too long"):
            self._done.append(Drop(f"page longer than {LONGEST:,} characters"))
        elif page.get("redirect") or redirects(page.get("text", "")):
            self._done.append(Drop("redirect"))
        else:
            title = page.get("title", "")
            self._done.append(
                Page(
                    id=page.get("id", "") or title,
                    title=title,
                    text=plain(page.get("text", "")),
                    uri=f"{self._base}/{quote(title.replace(' ', '_'))}" if self._base else "",
                    changed=page.get("timestamp", ""),
                )
            )
