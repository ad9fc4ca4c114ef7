"""The whole pipeline beside datatrove's: the same documents, the same steps, in turn.

Both sides read documents as they like them best (files; JSON Lines), prepared before, and write a dataset:
main text, language, the rules of Gopher, C4 and FineWeb, near-duplicates by MinHash with 128 permutations,
personal data. Ours compares candidates exactly, keeps every drop with its reason, and freezes a version.
CPU-seconds are those of all processes, start-up included.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct

from benchmarks.curate.corpus import Corpus, prepared
from benchmarks.curate.metered import Spent, metered
from benchmarks.curate.pages import HELD_OUT, Example, articles, f1
from benchmarks.report import Row, at_least, say
from openflywheel.curate._extract.pages import Tier, read

PROCESSES = 2
TIMES: Mapping[Tier, float] = {"careful": 5.0, "fast": 9.0}  # as fast as datatrove, at least
PEER = "datatrove"
MODULE = "benchmarks.curate.peers.datatrove_pipeline"
OURS = "benchmarks.curate.ours"


class Run(Struct, frozen=True):
    """One run of one side: CPU-seconds, and what it said of its result."""

    side: str
    cpu: float
    wall: float
    said: dict[str, Any]


def measure(
    documents: dict[str, Path], folder: Path, peers: Sequence[str], rounds: int, pages: Path
) -> tuple[list[Row], list[Run]]:
    """Rows, and the runs that they come from. `pages` is the folder of pages with a gold text."""
    corpus = prepared(documents, folder / "corpus", PROCESSES)
    sides = [*TIMES, *(peer for peer in peers if peer == PEER)]
    runs = list[Run]()
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}, {corpus.documents} documents")
        runs += [_run(side, corpus, folder / f"{number}-{side}") for side in sides]
    rows = [row for side in sides for row in _speed(side, runs, corpus.documents)]
    rows += [_same(tier, runs) for tier in TIMES]
    if PEER in sides:
        rows += [row for tier in TIMES for row in _against(tier, runs)]
        rows += _quality(articles(HELD_OUT, pages))
    return rows, runs


def _run(side: str, corpus: Corpus, folder: Path) -> Run:
    if side == PEER:
        arguments = [str(corpus.html), str(corpus.text), str(folder / "out"), str(PROCESSES)]
        spent = metered(MODULE, *arguments, folder=folder)
    else:
        spent = metered(OURS, side, str(corpus.files), str(folder / "out"), str(PROCESSES), folder=folder)
    return _told(side, spent)


def _told(side: str, spent: Spent) -> Run:
    run = Run(side, spent.cpu, spent.wall, json.loads(spent.said))
    say(f"{side}: {run.cpu:.1f} CPU-s, {run.wall:.1f} s, {run.said['kept']} documents kept")
    return run


def _speed(side: str, runs: Sequence[Run], documents: int) -> list[Row]:
    here = [run for run in runs if run.side == side]
    kept = [float(run.said["kept"]) for run in here]
    return [
        _spread(f"{side}: documents per CPU-s", [documents / run.cpu for run in here], ""),
        _spread(f"{side}: documents kept, of {documents}", kept, ""),
    ]


def _same(tier: str, runs: Sequence[Run]) -> Row:
    versions = {run.said["version"] for run in runs if run.side == tier}
    share = float(len(versions) == 1)
    return at_least(f"{tier}: one version in all rounds", share, 1, "")


def _against(tier: Tier, runs: Sequence[Run]) -> list[Row]:
    """Ratios within each round; once as if identifying languages had cost datatrove nothing."""
    pairs = list(zip(*([run for run in runs if run.side == side] for side in (tier, PEER)), strict=True))
    whole = [theirs.cpu / ours.cpu for ours, theirs in pairs]
    rest = [(theirs.cpu - theirs.said["language"]) / ours.cpu for ours, theirs in pairs]
    return [
        at_least(
            f"{tier}: times {PEER}", statistics.median(whole), TIMES[tier], "x", (min(whole), max(whole))
        ),
        _spread(f"{tier}: times {PEER} without its language step", rest, "x"),
    ]


def _quality(pages: Sequence[Example]) -> list[Row]:
    """Mean F1 of the main text on pages that taught nothing, by each side's own extraction."""
    theirs = import_module(MODULE).extracted([page.source.decode(errors="replace") for page in pages])
    base = _mean(theirs, pages)
    rows = [Row(row=f"{PEER}: F1 of extraction, {len(pages)} pages", value=base, unit="")]
    for tier in TIMES:
        found = _mean([page.text for page in read([page.source for page in pages], tier)], pages)
        rows.append(at_least(f"{tier}: F1 of extraction", found, round(base, 3), ""))
    return rows


def _mean(texts: Sequence[str], pages: Sequence[Example]) -> float:
    return statistics.mean(f1(text, page.text)[0] for text, page in zip(texts, pages, strict=True))


def _spread(row: str, values: Sequence[float], unit: str) -> Row:
    return Row(row=row, value=statistics.median(values), unit=unit, interval=(min(values), max(values)))
