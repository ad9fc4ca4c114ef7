"""Main text of real pages: F1 and CPU-seconds beside trafilatura and resiliparse, on pages that taught none.

`python -m benchmarks.curate.extraction [--half tuning]`. F1 is that of the words, counted, of each page
against the expected text of mozilla/readability, and the mean over pages. Ours starts from the bytes, the
peers from text that was decoded for them. trafilatura reads comments by default, which the expected texts
leave out: it is measured without them as well.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.curate.pages import DATA, HELD_OUT, TUNING, Example, articles, f1
from benchmarks.report import Row, at_least, finish, say
from openflywheel.curate._extract.pages import Tier, read

BELOW, TIMES = -0.005, 3.0  # F1 that may be lost, and speed, against trafilatura's standard setting
STANDARD = "trafilatura"
Extract = Callable[[Sequence[Example]], list[str]]


def _ours(tier: Tier) -> Extract:
    return lambda pages: [found.text for found in read([page.source for page in pages], tier)]


def _trafilatura(**settings: bool) -> Extract:
    extract = import_module("trafilatura").extract
    return lambda pages: [extract(_text(page), **settings) or "" for page in pages]


def _resiliparse() -> Extract:
    extract = import_module("resiliparse.extract.html2text").extract_plain_text
    return lambda pages: [extract(_text(page), main_content=True, comments=False) for page in pages]


_DECODED: dict[str, str] = {}


def _text(page: Example) -> str:
    """The page's source as text, decoded once and outside of what is measured."""
    if page.name not in _DECODED:
        _DECODED[page.name] = page.source.decode("utf-8", "replace")
    return _DECODED[page.name]


def peers() -> tuple[Mapping[str, Extract], list[Row]]:
    """The peers that are installed here, and a row for each that is not."""
    made = {
        STANDARD: _trafilatura,
        "trafilatura without comments": lambda: _trafilatura(include_comments=False),
        "trafilatura fast": lambda: _trafilatura(fast=True),
        "resiliparse": _resiliparse,
    }
    there: dict[str, Extract] = {}
    missing: list[Row] = []
    for name, make in made.items():
        try:
            there[name] = make()
        except ModuleNotFoundError as error:
            missing.append(Row(row=f"{name}: not installed: pip install {error.name}", value=None, unit="F1"))
    return there, missing


def quality(pages: Sequence[Example], ways: Mapping[str, Extract]) -> list[Row]:
    """Mean F1 of each way, and what ours gains on trafilatura's, with a 95 % interval (bootstrap)."""
    expected = [page.text for page in pages]
    scores = {
        name: [f1(text, right) for text, right in zip(way(pages), expected, strict=True)]
        for name, way in ways.items()
    }
    rows = [
        Row(row=f"{name} (P {_mean(s, 1):.3f}, R {_mean(s, 2):.3f})", value=_mean(s, 0), unit="F1")
        for name, s in scores.items()
    ]
    if STANDARD in scores:
        for name in ("ours", "ours, fast"):
            gains = [a[0] - b[0] for a, b in zip(scores[name], scores[STANDARD], strict=True)]
            row = f"{name}: F1 above {STANDARD}'s, {len(pages)} pages"
            rows.append(at_least(row, statistics.mean(gains), BELOW, "F1", _interval(gains)))
    return rows


def _mean(scores: Sequence[tuple[float, float, float]], which: int) -> float:
    return statistics.mean(score[which] for score in scores)


def _interval(values: Sequence[float], draws: int = 2_000) -> tuple[float, float]:
    chance = random.Random(0)
    means = sorted(statistics.mean(chance.choices(values, k=len(values))) for _ in range(draws))
    return means[draws // 40], means[-draws // 40]


def speed(pages: Sequence[Example], ways: Mapping[str, Extract], rounds: int) -> list[Row]:
    """Pages per CPU-second, and ratios within each round; the ways take turns."""
    spent: list[dict[str, float]] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        spent.append({name: _cpu(way, pages) for name, way in ways.items()})
    rows = [_spread(f"{name}: pages per CPU-s", [len(pages) / r[name] for r in spent], "") for name in ways]
    for peer in ways:
        if not peer.startswith("ours"):
            bar = TIMES if peer == STANDARD else None
            rows += [
                _spread(f"{name}: times {peer}", [r[peer] / r[name] for r in spent], "x", bar)
                for name in ("ours", "ours, fast")
            ]
    return rows


def _cpu(way: Extract, pages: Sequence[Example]) -> float:
    started = time.process_time()
    way(pages)
    return time.process_time() - started


def _spread(row: str, values: Sequence[float], unit: str, bar: float | None = None) -> Row:
    middle, spread = statistics.median(values), (min(values), max(values))
    if bar is not None:
        return at_least(row, middle, bar, unit, spread)
    return Row(row=row, value=middle, unit=unit, interval=spread)


def measure(data: Path = DATA, rounds: int = 5, half: int = HELD_OUT) -> list[Row]:
    """All rows, on one half of the pages in the folder `data`."""
    there, missing = peers()
    ways = {"ours": _ours("careful"), "ours, fast": _ours("fast"), **there}
    pages = articles(half, data)
    return [*quality(pages, ways), *speed(pages, ways, rounds), *missing]


def main() -> None:
    """Command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--half", choices=("held-out", "tuning"), default="held-out")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    half = HELD_OUT if chosen.half == "held-out" else TUNING
    rows = measure(rounds=chosen.rounds, half=half)
    finish("extraction", rows, 1, as_json=chosen.json, half=chosen.half)


if __name__ == "__main__":
    main()
