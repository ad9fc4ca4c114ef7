"""Closing planted gaps: documents fetched in the order of their value, against breadth-first.

    python -m benchmarks.gap --json [--site DIR] [--half held-out] [--encoder ngrams]

The site is Debian's documentation of PostgreSQL, Python and SQLite (packages postgresql-doc-15,
python3.11-doc and sqlite3-doc, some 2,450 linked pages), served by a local HTTP server and fetched by the
real `crawl`. A gap is a topic with four questions, written by hand in the words of somebody who does not
know the pages (gap_questions.json); it is closed when, for each question, one of the pages that answer it
has come. The second of every two gaps is held out: nothing was tuned on it. Breadth-first takes the same way
for every gap, so it is crawled once: each manual by itself, and their pages are taken in turns.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import count, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.manuals import FOLDERS, SITE, served
from benchmarks.report import Row, at_most, finish, say
from openflywheel.base import door
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Gap, Record
from openflywheel.base.settings import Budget, WebSettings
from openflywheel.collect._web.web import Web

QUESTIONS = Path(__file__).with_name("gap_questions.json")
BAR = 1 / 3
RESAMPLES = 10_000
WEIGHT = 1.0  # one failure behind a gap, which costs 1: as much as 1,000 documents, for the rule that stops
ALL = 100_000  # pages: more than there are


class Encoder(Protocol):
    """Texts to unit vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class Remembering:
    """An encoder that encodes each text once, as the wheel's does."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float16]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (texts, width)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            vectors = self._encoder.encode(new).astype(np.float16)
            self._known.update(zip(new, vectors, strict=True))
        return np.array([self._known[text] for text in texts], np.float32)


class Nowhere:
    """Keeps no page: only the way to it is looked at."""

    def put(self, content: bytes) -> str:
        """A name for the bytes."""
        return str(len(content))


class Question(Struct, frozen=True):
    """What somebody asks, and the pages (paths) of which each one answers it."""

    text: str
    pages: tuple[str, ...]


class Planted(Struct, frozen=True):
    """A topic that a product's manual covers and the store does not."""

    product: str
    topic: str
    questions: tuple[Question, ...]


class Outcome(Struct, frozen=True):
    """One gap: documents until it was closed, by each way; after how many its crawl stopped, and why."""

    gap: Planted
    breadth: int
    targeted: int
    stopped: int
    why: str

    @property
    def ratio(self) -> float:
        return self.targeted / self.breadth


def planted(half: str) -> list[Planted]:
    """The gaps of the "tuning" or the "held-out" half."""
    gaps = msgspec.json.decode(QUESTIONS.read_bytes(), type=list[Planted])
    return gaps[{"tuning": 0, "held-out": 1}[half] :: 2]


def crawled(start: str, gap: Gap, encoder: Encoder, price: float, state: dict[str, Any]) -> Iterator[str]:
    """Paths of the documents that a crawl for the gap brings, in their order."""
    web = Web(WebSettings(allow=(urlsplit(start).netloc,), contact="benchmark@example.com", delay=0))
    with TemporaryDirectory() as folder:
        handed = {
            "web": web, "objects": Nowhere(), "workspace": Path(folder), "folder": Path(folder), "tasks": {},
            "encoder": encoder, "known": list, "exchanges": lambda ids: {},  # noqa: ARG005
            "subject": str, "budget": Budget(document=price),
        }  # fmt: skip
        settings = {
            "start": start,
            "pages": ALL,
            "seconds": "1h",
            "megabytes": 10_000,
            "basis": "no_personal_data",
        }
        source = door.load("collect", "crawl", settings, handed)
        called = handed | {"state": state, "progress": lambda figures: None}  # noqa: ARG005
        found = source(gap, **{name: called[name] for name in door.wants(source)})
        try:
            yield from (urlsplit(r.uri).path[1:] for r in found if isinstance(r, Record))
        finally:
            found.close()
            web.close()


def closes(gap: Planted, paths: Iterator[str] | Sequence[str]) -> int:
    """Documents until one page of each question has come; 0 when the way ends before."""
    open_ = [set(question.pages) for question in gap.questions]
    for n, path in zip(count(1), paths, strict=False):
        open_ = [pages for pages in open_ if path not in pages]
        if not open_:
            return n
    return 0


def breadth_first(start: str, encoder: Encoder) -> list[str]:
    """Paths in breadth-first order: of each manual, and of those in turns.

    From one start page the manual whose index happens to answer first would go first: closing the same gap
    took 352 documents in one run and 1,355 in another.
    """
    everything = Gap(topic="all", why="planted")
    ways = [
        [
            path
            for path in crawled(f"{start}{folder}/index.html", everything, encoder, 0.0, {})
            if path.startswith(folder)
        ]
        for folder in FOLDERS.values()
    ]
    return [path for turn in zip_longest(*ways) for path in turn if path]


def gap_of(gap: Planted) -> Gap:
    """The gap as study would write it."""
    queries = tuple(question.text for question in gap.questions)
    return Gap(topic=gap.topic, why="planted", queries=queries, weight=WEIGHT)


def close(gap: Planted, start: str, encoder: Encoder, breadth: Sequence[str]) -> Outcome:
    """Crawl for one gap until nothing is worth its price; and until it is closed, if that is later."""
    state: dict[str, Any] = {}
    way = list(crawled(start, gap_of(gap), encoder, Budget().document, state))
    targeted = closes(gap, way) or closes(gap, crawled(start, gap_of(gap), encoder, 0.0, {}))
    all_ = len(breadth)
    outcome = Outcome(
        gap, closes(gap, breadth) or all_, targeted or all_, len(way), str(state.get("stopped", ""))
    )
    say(f"{gap.topic}: {outcome.targeted} of {outcome.breadth}, stopped at {len(way)} ({outcome.why})")
    return outcome


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """What is published of the outcomes."""
    ratios = np.array([o.ratio for o in outcomes])
    early = [o for o in outcomes if o.stopped < o.targeted]
    after = [float(o.stopped - o.targeted) for o in outcomes if o.stopped >= o.targeted]
    bounds = [_bounds(ratios, np.median), _bounds(ratios, np.mean)]
    return [
        at_most("targeted / breadth-first, median of gaps", float(np.median(ratios)), BAR, "", bounds[0]),
        at_most("targeted / breadth-first, mean of gaps", float(ratios.mean()), BAR, "", bounds[1]),
        Row(row="documents, targeted, median", value=_median([o.targeted for o in outcomes]), unit=""),
        Row(row="documents, breadth-first, median", value=_median([o.breadth for o in outcomes]), unit=""),
        Row(row="stopped before the gap was closed", value=len(early), unit=f"of {len(outcomes)} gaps"),
        Row(row="documents after it was closed, median", value=_median(after), unit="documents"),
    ]


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _bounds(ratios: NDArray[np.float64], figure: Callable[..., Any]) -> tuple[float, float]:
    """95 % interval of a figure of the gaps: percentile bootstrap (Efron 1979)."""
    drawn = np.random.default_rng(0).choice(ratios, (RESAMPLES, len(ratios)))
    low, high = np.quantile(figure(drawn, axis=1), (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """Crawl for the gaps of one half."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--half", choices=("held-out", "tuning"), default="held-out")
    parser.add_argument("--encoder", default=None)
    args = parser.parse_args()
    encoder = Remembering(open_encoder(args.encoder))
    with served(args.site) as start:
        breadth = breadth_first(start, encoder)
        say(f"breadth-first: {len(breadth)} documents")
        outcomes = [close(gap, start, encoder, breadth) for gap in planted(args.half)]
    gaps = [[o.gap.topic, o.breadth, o.targeted, o.stopped] for o in outcomes]
    finish("gap", rows(outcomes), 1, as_json=args.json, half=args.half, pages=len(breadth), gaps=gaps)


if __name__ == "__main__":
    main()
