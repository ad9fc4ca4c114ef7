"""Real pages with their main text: which half may teach, how an extraction is scored, labels for blocks.

`readability_pages` (mozilla/readability, Apache-2.0) is cut in two by the sha256 of a page's folder: the
tuning half teaches and chooses settings, the held-out half is for the final measurement alone. Manuals
that Debian and Rust install have known boilerplate; they teach what articles cannot (code, tables,
references).
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser

from openflywheel.curate._extract.blocks import Page, blocks, tree_of
from openflywheel.curate._extract.source import markup

DATA = Path(__file__).parents[3] / "shared" / "data" / "readability_pages"
TUNING, HELD_OUT = 0, 1
SAME = 4  # words: from here on a block is compared by its runs of three words
_WORD = re.compile(r"\w+")
_RUST = Path.home() / ".rustup/toolchains/stable-x86_64-unknown-linux-gnu/share/doc/rust/html"
# Folder of documentation, the element that holds its text, and what is no text in there.
MANUALS: tuple[tuple[Path, str, str], ...] = (
    (Path("/usr/share/doc/python3.11/html"), "div.body", ".headerlink"),
    (Path("/usr/share/doc/postgresql-doc-15/html"), "body", ".navheader,.navfooter,.toc"),
    (Path("/usr/share/doc/sqlite3"), "body", "div.nosearch,.fancy_toc"),
    (_RUST / "std", "#main-content", ".rustdoc-breadcrumbs,rustdoc-toolbar,.src,.anchor,.doc-anchor,button"),
    (_RUST / "reference", "main", ".rule-link"),
    (Path("/usr/share/doc/nodejs/api"), "#apicontent", ".mark,.srclink"),
    (Path("/usr/lib/node_modules/npm/docs/output"), "#content", "#table_of_contents,footer"),
    (Path("/usr/share/doc/valgrind/html"), "body", "table.nav,.toc"),
    (Path("/usr/share/doc/libxslt1-dev/html"), 'td[valign="top"][bgcolor="#8b7765"]:not([width])', "script"),
    (Path("/usr/share/doc/libffi8/html"), "body", ".header"),
    (Path("/usr/share/doc/libxslt1-dev/gtk-doc/html"), "body", "table.navigation"),
)


class Example(Struct, frozen=True):
    """A page, its source, its main text, and the folder of manuals that it is from (else "")."""

    name: str
    source: bytes
    expected: str  # HTML
    group: str = ""

    @property
    def text(self) -> str:
        """The expected text; tags part words."""
        tree = LexborHTMLParser(self.expected)
        tree.strip_tags(["script", "style", "button", "select", "template", "svg"])
        return tree.body.text(separator=" ") if tree.body else ""


def articles(half: int, folder: Path = DATA) -> list[Example]:
    """One half of the pages of mozilla/readability."""
    places = sorted(place for place in folder.iterdir() if place.is_dir())
    return [
        Example(place.name, (place / "source.html").read_bytes(), (place / "expected.html").read_text())
        for place in places
        if int(sha256(place.name.encode()).hexdigest(), 16) % 2 == half
    ]


def manuals(root: Path, each: int, seed: int = 5) -> Iterator[Example]:
    """Some pages of each manual that is installed here, or unpacked under `root`."""
    for folder, holds, noise in MANUALS:
        place = root / folder.relative_to("/") if (root / folder.relative_to("/")).exists() else folder
        files = sorted(p for p in place.rglob("*.html") if 3_000 < p.stat().st_size < 300_000)
        for file in random.Random(seed).sample(files, min(each, len(files))):
            source = file.read_bytes()
            found = LexborHTMLParser(source.decode("utf-8", "replace")).css_first(holds)
            for node in found.css(noise) if found else ():
                node.decompose()
            if found and found.html and len(found.text()) >= 300:
                yield Example(str(folder / file.relative_to(place)), source, found.html, str(folder))


def f1(found: str, expected: str) -> tuple[float, float, float]:
    """F1, precision and recall of the words, counted (a bag), in lower case."""
    ours, theirs = Counter(_words(found)), Counter(_words(expected))
    both = (ours & theirs).total()
    if not ours or not theirs:
        return (float(not ours and not theirs),) * 3
    precision, recall = both / ours.total(), both / theirs.total()
    return (2 * both / (ours.total() + theirs.total()), precision, recall)


def labels(page: Page, expected: str) -> list[float]:
    """Per block, the share of it that stands in the expected text."""
    gold = blocks(tree_of(markup(expected.encode())))
    whole = {text.lower() for text in gold.texts}
    runs = set(_runs(_words(" ".join(gold.texts))))
    return [_share(text.lower(), whole, runs) for text in page.texts]


def _share(text: str, whole: set[str], runs: set[tuple[str, ...]]) -> float:
    words = _words(text)
    if text in whole or len(words) < SAME:
        return float(text in whole)
    own = _runs(words)
    return sum(run in runs for run in own) / len(own)


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return list(zip(words, words[1:], words[2:], strict=False))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
