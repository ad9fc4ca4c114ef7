"""The rules of Gopher, C4 and FineWeb beside datatrove's filters: the same verdicts, and what they cost.

Texts: pages with their gold text and with all of theirs, manuals in Markdown and HTML, filings; to six of ten
a damaged copy is added (seeded, see damage.py), so that every filter has enough to keep and to drop. Both
sides get them as `normalise` leaves them, and as English. Our words were fitted to spaCy's on the texts whose
name has an even hash; measured is on the others (their rates, never their texts, were seen once before).
"""

import hashlib
import random
import re
import statistics
import time
from html import unescape
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.curate.corpus import real
from benchmarks.curate.damage import KINDS
from benchmarks.report import Row, at_least, say
from openflywheel.base.instruments.intervals import wilson
from openflywheel.curate._quality.stop_words import numbers
from openflywheel.curate.normalise import normalise
from openflywheel.curate.quality import ALL, PUBLISHED, measured

SIZE = 1_200  # documents, half of them held out
LONGEST = 100_000  # characters: a filing takes datatrove as long as a hundred pages
DAMAGED = 0.6
TAGS = re.compile(
    r"<(script|style|head)\b.*?</\1>|<!--.*?-->"
    r"|(</?(?:p|div|li|tr|h\d|pre|br|dt|dd|table|ul|ol|blockquote|section)\b[^>]*>)|<[^>]*>",
    re.DOTALL | re.IGNORECASE,
)

Verdicts = dict[str, NDArray[np.bool_]]
"""filter -> which texts it drops."""


class Judged(Struct, frozen=True):
    """Verdicts on some texts, and the CPU-seconds for all four filters together."""

    verdicts: Verdicts
    cpu: float


def sample(data: Path, manuals: Path, size: int) -> list[str]:
    """The held-out texts, whole and damaged."""
    documents = real(data, manuals, size)
    documents |= {f"gold/{p.parent.name}": p for p in data.glob("readability_pages/*/expected.html")}
    named = {name: plain(p) for name, p in sorted(documents.items()) if _held_out(name)}
    out = []
    for name, text in named.items():
        chance = random.Random(name)
        if text and len(text) < LONGEST:
            out += [text, chance.choice(KINDS)(text, chance)] if chance.random() < DAMAGED else [text]
    table = pa.table({"text": out, "drop": pa.nulls(len(out), pa.string())})
    texts: list[str] = normalise(table)["text"].to_pylist()
    return texts


def plain(path: Path) -> str:
    """A file's text; of HTML without markup, blocks as lines."""
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".md":
        return text
    text = unescape(TAGS.sub(lambda tag: "\n" if tag[2] else "", text))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t\xa0]*\n[ \t\xa0]*", "\n", text)).strip()


def _held_out(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def ours(texts: list[str]) -> Judged:
    """By our step's rules."""
    started = time.process_time()
    english = numbers(np.full(len(texts), "en", object))
    found = measured(pa.chunked_array([texts]), english, ALL, PUBLISHED)
    spent = time.process_time() - started
    masks = {rule: [mask for reason, mask in found.items() if reason.startswith(rule)] for rule in ALL}
    return Judged({rule: np.logical_or.reduce(some) for rule, some in masks.items()}, spent)


def theirs(texts: list[str]) -> Judged:
    """By datatrove's filters with their defaults; they share the words of a text."""
    document = import_module("datatrove.data").Document
    module = import_module("datatrove.pipeline.filters")
    filters = {
        "gopher": module.GopherQualityFilter(),
        "repetition": module.GopherRepetitionFilter(),
        "c4": module.C4QualityFilter(),
        "fineweb": module.FineWebQualityFilter(),
    }
    dropped: dict[str, list[bool]] = {rule: [] for rule in filters}
    started = time.process_time()
    for text in texts:
        for rule, judge in filters.items():
            dropped[rule].append(judge.filter(document(text=text, id="")) is not True)
    spent = time.process_time() - started
    return Judged({rule: np.array(some) for rule, some in dropped.items()}, spent)


def measure(data: Path, manuals: Path, rounds: int = 5, size: int = SIZE) -> list[Row]:
    """All rows. `data` is the folder of public data, `manuals` that of the unpacked Debian packages."""
    texts = sample(data, manuals, size)
    random.Random(0).shuffle(texts)
    try:
        theirs(texts[:2])  # models and tables are there from now on
    except (ModuleNotFoundError, ImportError) as error:
        missing = f"times datatrove: not installed: pip install datatrove spacy nltk ({error})"
        return [Row(row=missing, value=None, unit="x", bar=">= 10")]
    ours(texts[:2])
    pairs = []
    for number in range(rounds):
        say(f"part {number + 1} of {rounds}")
        part = texts[number::rounds]
        pairs.append((len(part), ours(part), theirs(part)))
    return [*(row for rule in ALL for row in agreement(rule, pairs)), *speed(pairs)]


def agreement(rule: str, pairs: list[tuple[int, Judged, Judged]]) -> list[Row]:
    """How often both say the same, of all texts and of those that datatrove keeps and drops."""
    mine = np.concatenate([own.verdicts[rule] for _, own, _ in pairs])
    gold = np.concatenate([other.verdicts[rule] for _, _, other in pairs])
    same = mine == gold
    rows = [at_least(f"{rule}: agreement", float(same.mean()), 0.97, f"of {len(same)}", _interval(same))]
    for name, part in (("kept", same[~gold]), ("dropped", same[gold])):
        row = f"{rule}: agreement where datatrove has {name}"
        value = float(part.mean()) if len(part) else None
        rows.append(Row(row=row, value=value, unit=f"of {len(part)}", interval=_interval(part)))
    return rows


def _interval(hits: NDArray[np.bool_]) -> tuple[float, float]:
    return wilson(int(hits.sum()), len(hits))


def speed(pairs: list[tuple[int, Judged, Judged]]) -> list[Row]:
    """Documents a CPU-second of the four filters together, part by part."""
    mine, gold = ([n / judged[side].cpu for n, *judged in pairs] for side in (0, 1))
    ratios = [a / b for a, b in zip(mine, gold, strict=True)]
    return [
        Row(row="docs per CPU-s: ours", value=statistics.median(mine), unit="docs", interval=_spread(mine)),
        Row(
            row="docs per CPU-s: datatrove",
            value=statistics.median(gold),
            unit="docs",
            interval=_spread(gold),
        ),
        at_least("times datatrove's four filters", statistics.median(ratios), 10, "x", _spread(ratios)),
    ]


def _spread(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)
