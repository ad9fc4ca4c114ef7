"""Semantic duplicates: what is found of sentences that people called equivalent, and what the keys miss.

The threshold was chosen on the training part of STS-B; the development part is held out.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.report import Row
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.nouns import Record
from openflywheel.curate._duplicates import cosine
from openflywheel.curate._whole import Pairs, Whole, candidates, checked, exploded
from openflywheel.curate.semantic_duplicates import semantic_duplicates

SIMILAR = 0.97
SAME, EQUIVALENT = 4.0, 5.0  # of STS-B's scores, 0 to 5: the same but for details, wholly equivalent


def measure(data: Path) -> list[Row]:
    """Rows of STS-B's two parts and of messages (CLINC150, Banking77)."""
    encoder = open_encoder()
    return [
        *sentences(data / "stsb/stsb-en-train.csv", "training", encoder),
        *sentences(data / "stsb/stsb-en-dev.csv", "development", encoder),
        messages(_messages(data), encoder),
    ]


def records(texts: Sequence[str]) -> pa.Table:
    """Texts as a step takes them."""
    return pa.Table.from_batches([to_batch([Record(text=text, source="") for text in texts], Record)])


def pairs_of(step: Whole, table: pa.Table) -> Pairs:
    """What a step takes for duplicates, before it decides which of them stays."""
    sketches = step.sketch(table)
    return checked(step, sketches, candidates(*exploded(sketches)))


def sentences(path: Path, part: str, encoder: Encoder) -> list[Row]:
    """Precision and recall on pairs of sentences with people's scores."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    scores = np.array([float(score) for _, _, score in rows])
    texts = [*(one for one, _, _ in rows), *(other for _, other, _ in rows)]
    pairs = pairs_of(semantic_duplicates(encoder=encoder, similarity=SIMILAR), records(texts))
    found = np.zeros(len(rows), bool)
    found[pairs[pairs[:, 1] == pairs[:, 0] + len(rows), 0]] = True
    return [
        _row(f"STS-B, {part}: of the found, score >= 4", scores[found] >= SAME),
        _row(f"STS-B, {part}: found of score 5", found[scores == EQUIVALENT]),
    ]


def messages(texts: Sequence[str], encoder: Encoder) -> Row:
    """Of all pairs at or above the threshold, those that have a key in common."""
    vectors = encoder.encode(texts).astype(np.float16).astype(np.float32)
    keys = cosine.keys(vectors, SIMILAR)
    met = candidates(np.repeat(np.arange(len(texts)), keys.shape[1]), keys.ravel())
    near = np.argwhere(np.triu(vectors @ vectors.T >= SIMILAR, 1))
    return _row("messages: pairs at .97 that meet", np.isin(_one(near, len(texts)), _one(met, len(texts))))


def _one(pairs: Pairs, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return pairs[:, 0] * count + pairs[:, 1]


def _row(row: str, hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Row:
    return Row(row=row, value=float(hits.mean()), unit=f"of {len(hits)}")


def _messages(data: Path) -> list[str]:
    """Every second message of the two sets."""
    clinc = json.loads((data / "clinc150/data_full.json").read_text(encoding="utf-8"))["train"]
    with (data / "banking77/train.csv").open(encoding="utf-8", newline="") as lines:
        banking = [row["text"] for row in csv.DictReader(lines)]
    return sorted({text for text, _ in clinc[::2]} | set(banking[::2]))
