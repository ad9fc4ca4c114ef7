"""Duplicates: what is found of natural and of planted ones, and what it costs beside others.

Gold is the Jaccard similarity of sets of five words, by a few lines of plain Python that share nothing with
our step; unlike ours they do not count a text's ends as words.
"""

import random
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from importlib import import_module
from itertools import combinations
from pathlib import Path

import pyarrow as pa

from benchmarks.curate import meanings
from benchmarks.curate.corpus import real
from benchmarks.curate.meanings import pairs_of, records
from benchmarks.report import Row, at_least, say
from openflywheel.curate._duplicates import minhash
from openflywheel.curate._whole import candidates, exploded
from openflywheel.curate.near_duplicates import near_duplicates

SIMILAR, SHINGLE = 0.8, 5
VERSIONS = ("v3.3", "v3.4", "v3.5")
SAMPLE = 300  # texts
PIECE = 1_000  # words: filings have 100 times as many
PLANTED, BACKGROUND = 1_000, 1_000
MARKUP = re.compile(r"<(script|style).*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)

_WORDS = [f"word{n}" for n in range(5_000)]

Pairs = set[tuple[int, int]]
Runs = set[tuple[str, ...]]


def runs(text: str) -> Runs:
    """The set of a text's runs of five words, or the text itself if it has fewer."""
    words = re.findall(r"\w+", text.casefold())
    return (
        {tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))} if words else set()
    )


def jaccard(a: Runs, b: Runs) -> float:
    """0 to 1; 0 if both are empty."""
    return len(a & b) / max(1, len(a | b))


def found(table: pa.Table) -> Pairs:
    """Pairs of our step, checked."""
    pairs = pairs_of(near_duplicates(similarity=SIMILAR, shingle=SHINGLE), table)
    return {(int(a), int(b)) for a, b in pairs}


def versions(etcd: Path) -> list[Row]:
    """etcd's manual in three versions: the same path in another version is a likely near-duplicate."""
    files = [p for version in VERSIONS for p in sorted((etcd / version).rglob("*.md"))]
    texts = [p.read_text(encoding="utf-8") for p in files]
    paths = [p.relative_to(etcd).parts[1:] for p in files]
    sets = [runs(text) for text in texts]
    every = set(combinations(range(len(files)), 2))
    same = {(a, b) for a, b in every if paths[a] == paths[b]}
    alike = {(a, b) for a, b in every if jaccard(sets[a], sets[b]) >= SIMILAR}
    ours = found(records(texts))
    return [
        at_least("etcd: recall, same path and J >= .8", _share(ours, same & alike), 0.95, _of(same & alike)),
        at_least("etcd: precision, same path or J >= .8", _share(same | alike, ours), 0.98, _of(ours)),
        _row("etcd: recall, J >= .8", _share(ours, alike), _of(alike)),
        _row("etcd: precision, J >= .8", _share(alike, ours), _of(ours)),
        _row("etcd: recall, same path", _share(ours, same), _of(same)),
        _row("etcd: precision, same path", _share(same, ours), _of(ours)),
    ]


def _share(of: Pairs, among: Pairs) -> float:
    return len(of & among) / len(among)


def _of(among: Pairs) -> str:
    return f"of {len(among)}"


def _row(row: str, value: float, unit: str) -> Row:
    return Row(row=row, value=value, unit=unit)


def planted(texts: Sequence[str], seed: int = 0) -> list[Row]:
    """Copies with words replaced, left out and put in, up to J = .8, among texts that have no copy."""
    chance = random.Random(seed)
    parts = [words for text in texts for words in _pieces(text.split(), 400) if len(words) >= 50]
    parts = chance.sample(parts, min(len(parts), PLANTED + BACKGROUND))
    some = [" ".join(words) for words in parts]
    copies = [_edited(words, chance.uniform(SIMILAR - 0.05, 1), chance) for words in parts[: len(parts) // 2]]
    gold = {n: jaccard(runs(copy), runs(some[n])) for n, copy in enumerate(copies)}
    ours = found(records([*some, *copies]))
    hits = {n for n in gold if (n, len(some) + n) in ours}
    near, just = ({n for n, j in gold.items() if SIMILAR <= j < top} for top in (2, 0.85))
    return [
        at_least("planted: recall, J >= .8", len(hits & near) / len(near), 0.98, f"of {len(near)}"),
        _row("planted: recall, .8 <= J < .85", len(hits & just) / len(just), f"of {len(just)}"),
    ]


def _pieces(words: list[str], size: int) -> list[list[str]]:
    return [words[start : start + size] for start in range(0, len(words), size)]


def _edited(words: Sequence[str], similarity: float, chance: random.Random) -> str:
    """About so many edits as leave that similarity: each changes five runs on either side."""
    out = list(words)
    for _ in range(round(len(words) * (1 - similarity) / (SHINGLE * (1 + similarity)))):
        at = chance.randrange(len(out))
        out[at : at + chance.choice((0, 1, 1))] = chance.choice(([], [f"new{chance.randrange(10**6)}"]))
    return " ".join(out)


def speed(texts: Sequence[str], rounds: int) -> list[Row]:
    """CPU-seconds of ours and the peers' in turn, on the same texts; ratios within each round.

    Sets: both start from the same sets of hashed shingles and end with candidates of the same bands. Texts:
    ours includes words, shingles, signatures, candidates and their exact check, datasketch words by `re`,
    shingles as bytes, signatures and candidates, and datatrove its first stage alone (signatures into files).
    """
    try:
        works = _works(texts)
    except ModuleNotFoundError as error:
        missing = f"times datasketch and datatrove: not installed: pip install {error.name}"
        return [Row(row=missing, value=None, unit="x", bar=">= 5, >= 50")]
    for work in works.values():
        work()  # tables, models and caches are there from now on
    spent = list[dict[str, float]]()
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        spent.append({name: _cpu(work) for name, work in works.items()})
    sets, their_sets, ours, theirs, signatures = works
    return [
        *(
            _spread(f"docs per CPU-s: {name}", [len(texts) / r[name] for r in spent], "docs")
            for name in works
        ),
        _spread("times datasketch, from sets", [r[their_sets] / r[sets] for r in spent], "x", 5),
        _spread("times datasketch, from texts", [r[theirs] / r[ours] for r in spent], "x"),
        _spread(
            "times datatrove's signatures, from texts", [r[signatures] / r[ours] for r in spent], "x", 50
        ),
    ]


def _works(texts: Sequence[str]) -> Mapping[str, Callable[[], object]]:
    peers = import_module("benchmarks.curate.peers.signatures")
    rows = minhash.band_rows(SIMILAR)
    bands = minhash.SLOTS // rows
    sets = minhash.shingles(pa.array(texts), SHINGLE)
    table, hashes = records(texts), sets.to_pylist()
    return {
        "ours, from sets": lambda: candidates(*exploded(pa.table({"keys": minhash.keys(sets, SIMILAR)}))),
        "datasketch, from sets": lambda: peers.datasketch(hashes, bands, rows),
        "ours, from texts": lambda: found(table),
        "datasketch, from texts": lambda: peers.datasketch([_strings(text) for text in texts], bands, rows),
        "datatrove's signatures, from texts": lambda: peers.datatrove(texts),
    }


def _strings(text: str) -> list[bytes]:
    return [" ".join(run).encode() for run in runs(text)]


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _spread(row: str, values: Sequence[float], unit: str, bar: float | None = None) -> Row:
    middle, spread = statistics.median(values), (min(values), max(values))
    if bar is not None:
        return at_least(row, middle, bar, unit, spread)
    return Row(row=row, value=middle, unit=unit, interval=spread)


def measure(data: Path, manuals: Path, rounds: int = 5, size: int = SAMPLE) -> list[Row]:
    """All rows. `data` is the folder of public data, `manuals` that of the unpacked Debian packages."""
    texts = sample(data, manuals, size)
    return [*versions(data / "docs_etcd"), *planted(texts), *meanings.measure(data), *speed(texts, rounds)]


def sample(data: Path, manuals: Path, size: int, seed: int = 0) -> list[str]:
    """`size` real texts without markup, a sixth of them pieces of filings; and a tenth as many made up."""
    documents = real(data, manuals, size)
    plain = {
        name: unescape(MARKUP.sub(" ", p.read_text("utf-8", "replace"))) for name, p in documents.items()
    }
    chance = random.Random(seed)
    filings = [
        " ".join(p) for n, t in plain.items() if n.startswith("sec") for p in _pieces(t.split(), PIECE)
    ]
    others = [text for name, text in plain.items() if not name.startswith("sec") and text.split()]
    filings = chance.sample(filings, min(len(filings), size // 6))
    made = [" ".join(chance.choices(_WORDS, k=chance.randrange(20, 1_000))) for _ in range(size // 10)]
    return [*chance.sample(others, min(len(others), size - len(filings))), *filings, *made]
