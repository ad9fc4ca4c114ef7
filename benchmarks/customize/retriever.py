"""A tuned retriever beside the untuned encoder, on questions about products and pages that taught nothing.

hetPQA (Shen et al. 2022): a question finds the evidence that answers it among the evidence of all products. A
quarter of the products is held out, with its questions; a tenth chooses. etcd's documentation, v3.5: a click
that we made up leads from a section's heading to its text, which is kept without it; parts by page. Settings
were chosen on the choosing part of hetPQA, and a part of its taught one; the held-out parts chose none.
"""

import csv
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from msgspec import Struct

from benchmarks.report import Row, at_least, say
from openflywheel.base.forms.retriever import Encoder, opened
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Dataset
from openflywheel.base.nouns import Row as Example
from openflywheel.customize import Lesson
from openflywheel.customize.retriever import retriever

HELD_OUT, CHOOSING = 0.25, 0.10
BAR = 5.0  # points of nDCG@10
DRAWS = 2_000  # of the bootstrap
HEADING = re.compile(r"^#{2,4}\s+(.+)$", re.MULTILINE)
SHORTEST = 80  # characters of a section; a shorter one is no answer
SEEDS = {"hetPQA": 1, "etcd": 3}  # at most, of the tuned encoder: one on hetPQA takes minutes
Found = tuple[str, str, str]  # group, question, item


class Trial(Struct, frozen=True):
    """What is taught, and the held-out questions: group, text, right items, untuned nDCG@10."""

    name: str
    lesson: Lesson
    encoder: Encoder
    groups: Sequence[str]
    texts: Sequence[str]
    rights: Sequence[set[str]]
    plain: Sequence[float]
    folder: Path


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """nDCG@10 before and after on both sets, at most `rounds` seeds, intervals by product or page."""
    sources = {
        "hetPQA": (data / "amazon_pqa" / "hetPQA", _evidence),
        "etcd": (data / "docs_etcd" / "v3.5", _sections),
    }
    rows = list[Row]()
    for name, (source, read) in sources.items():
        if source.is_dir():
            rows += _measured(name, list(dict.fromkeys(read(source))), folder, rounds)
        else:
            missing = f"skipped: {source} is missing"
            rows.append(Row(row=f"retriever, {name}", value=None, unit=missing, bar=f">= {BAR:g}"))
    return rows


def _evidence(source: Path) -> Iterator[Found]:
    """Product, question and evidence; evidence that is not right has no question."""
    for file in ("answer_generation/train.csv", "answer_generation/dev.csv", "evidence_ranking/dev.csv"):
        with (source / file).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                yield row["ASIN"], row["question"] if row.get("label", "1") == "1" else "", row["candidate"]


def _sections(source: Path) -> Iterator[Found]:
    """Page, its title with a heading, and the text under the heading.

    Pages that differ in a version alone (upgrade_3_3, upgrade_3_4) say the same and stay together.
    """
    for file in sorted(source.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        title = re.search(r"^title: (.+)$", text, re.MULTILINE)
        parts, family = HEADING.split(text)[1:], re.sub(r"[\d_.-]+", " ", file.stem).strip()
        for heading, body in zip(parts[::2], parts[1::2], strict=True):
            if title and len(body.strip()) >= SHORTEST:
                yield family, f"{title[1]}: {heading}", body.strip()


def _measured(name: str, found: Sequence[Found], folder: Path, rounds: int) -> list[Row]:
    ids = {item: str(place) for place, item in enumerate(dict.fromkeys(f[2] for f in found))}
    parts = {p: [e for e in found if _part(e[0]) == p and e[1]] for p in ("taught", "choosing", "held out")}
    lesson = Lesson(
        Dataset(name=name, task="find", role="train", rows=(), recipe=""),
        _clicks(parts["taught"], ids),
        "rank",
        _clicks(parts["choosing"], ids),
        items=[Example(text=item, source="b", meta={"item": id}) for item, id in ids.items()],
    )
    groups, texts, rights = _asked(parts["held out"], ids)
    encoder = open_encoder()
    trial = Trial(
        name, lesson, encoder, groups, texts, rights, _plain(encoder, list(ids), texts, rights), folder
    )
    plain, held_out = float(np.mean(trial.plain)), f"held-out questions of {len(set(groups))} groups"
    return [
        Row(row=f"retriever, {name}: {held_out}", value=len(texts), unit=""),
        Row(row=f"retriever, {name}: nDCG@10 of the untuned encoder", value=plain, unit=""),
        *_taught(trial, rounds, lora=False),
        *_taught(trial, min(rounds, SEEDS[name]), lora=True),
    ]


def _taught(trial: Trial, rounds: int, *, lora: bool) -> list[Row]:
    """What the trainer reaches, the mean of `rounds` seeds."""
    ran = [_ran(trial, seed, lora=lora) for seed in range(rounds)]
    reached, seconds = np.mean([one for one, _ in ran], axis=0), max(one for _, one in ran)
    gained = reached - trial.plain
    low, high = _interval(gained, trial.groups)
    way = f"retriever, {trial.name}, {'the encoder tuned (lora)' if lora else 'the encoder frozen'}"
    gain, interval = 100 * float(gained.mean()), (100 * low, 100 * high)
    return [
        Row(row=f"{way}: nDCG@10", value=float(reached.mean()), unit=""),
        at_least(f"{way}: gain", gain, BAR, "points", interval),
        Row(row=f"{way}: training, with embedding, a seed of {rounds}", value=seconds, unit="CPU-s"),
    ]


def _ran(trial: Trial, seed: int, *, lora: bool) -> tuple[list[float], float]:
    """nDCG@10 of every held-out question, and the CPU-seconds of training."""
    start, encoder = time.process_time(), trial.encoder
    model = retriever(
        trial.lesson,
        lora=lora,
        encoder=encoder,
        folder=trial.folder,
        artefacts=trial.folder,
        seed=seed,
        progress=lambda _: None,
    )
    seconds = time.process_time() - start
    say(f"{trial.name} {model.method} {model.report}")
    made = opened(trial.folder / Path(model.uri).name, encoder=encoder)
    best = made.best([Asked(text=text) for text in trial.texts], 10)
    said = zip(best, trial.rights, strict=True)
    return [ndcg([item for item, _ in one], right) for one, right in said], seconds


def _part(group: str) -> str:
    """By a hash of the product or the page."""
    place = int(sha256(group.encode()).hexdigest()[:8], 16) / 2**32
    return "held out" if place < HELD_OUT else "choosing" if place < HELD_OUT + CHOOSING else "taught"


def _clicks(found: Sequence[Found], ids: Mapping[str, str]) -> list[Example]:
    return [Example(text=text, source="b", labels={"find": ids[item]}) for _, text, item in found]


def _asked(found: Sequence[Found], ids: Mapping[str, str]) -> tuple[list[str], list[str], list[set[str]]]:
    """Groups, questions and the items that are right, a question of a group once."""
    rights: dict[tuple[str, str], set[str]] = {}
    for group, text, item in found:
        rights.setdefault((group, text), set()).add(ids[item])
    return [group for group, _ in rights], [text for _, text in rights], list(rights.values())


def _plain(
    encoder: Encoder, items: Sequence[str], texts: Sequence[str], rights: Sequence[set[str]]
) -> list[float]:
    """nDCG@10 of every question by the cosine of the untuned encoder."""
    order = np.argsort(-(encoder.encode(texts) @ encoder.encode(items).T), axis=1, kind="stable")[:, :10]
    return [ndcg([str(place) for place in row], right) for row, right in zip(order, rights, strict=True)]


def _interval(
    gained: np.ndarray[tuple[int], np.dtype[np.float64]], groups: Sequence[str]
) -> tuple[float, float]:
    """95 % interval of the mean by a bootstrap over groups."""
    names, places = np.unique(groups, return_inverse=True)
    total, count = np.bincount(places, gained), np.bincount(places)
    drawn = np.random.default_rng(0).integers(len(names), size=(DRAWS, len(names)))
    low, high = np.percentile(total[drawn].sum(axis=1) / count[drawn].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)
