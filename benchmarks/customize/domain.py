"""A language model from scratch on Banking77: 7,000 rows of its training file teach, the other 3,003 judge.

The official test part isn't at hand. Settings were chosen on 800 of the 7,000; the 3,003 chose nothing. They
are scratch's own but for the width, 256 there: words of fewer than three people are no tokens any more, and
2 million parameters are asked for.
"""

import csv
import time
from pathlib import Path
from statistics import fmean
from typing import cast

import numpy as np

from benchmarks.report import Row, at_least, at_most, say
from openflywheel.base.instruments.calibration import calibration_error
from openflywheel.base.nouns import Dataset
from openflywheel.base.nouns import Row as Example
from openflywheel.customize import Lesson

TAUGHT, PARAMETERS, WIDTH = 7_000, (2e6, 1e7), 272
BAR, SECONDS = 0.85, 250


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """Accuracy (mean of `rounds` splits), calibration, CPU-seconds of training, speed of answers."""
    source = data / "banking77" / "train.csv"
    if not source.is_file():
        return [Row(row="domain", value=None, unit=f"skipped: {source} is missing", bar=f">= {BAR}")]
    with source.open(encoding="utf-8", newline="") as lines:
        pairs = [(row["text"], row["category"]) for row in csv.DictReader(lines)]
    found = [_once(pairs, folder, seed) for seed in range(rounds)]
    accuracy, seconds, ece, speed, size = (list(figures) for figures in zip(*found, strict=True))
    return [
        at_least("domain LM, Banking77: accuracy", fmean(accuracy), BAR, "", (min(accuracy), max(accuracy))),
        at_most("domain LM: training", max(seconds), SECONDS, "CPU-s"),
        at_least("domain LM: parameters", min(size), PARAMETERS[0], ""),
        at_most("domain LM: parameters", max(size), PARAMETERS[1], ""),
        Row(row="domain LM: calibration error", value=fmean(ece), unit=""),
        Row(row="domain LM: an answer, 64 at a time", value=fmean(speed), unit="CPU-ms"),
    ]


def _once(pairs: list[tuple[str, str]], folder: Path, seed: int) -> tuple[float, ...]:
    """Accuracy, CPU-seconds, calibration error, CPU-ms an answer and parameters, of one split."""
    import torch  # noqa: PLC0415  other parts do without

    from openflywheel.base.forms.generator import LabellingGenerator, opened  # noqa: PLC0415
    from openflywheel.customize.scratch import scratch  # noqa: PLC0415

    torch.set_num_threads(1)  # CPU-seconds count; a second thread mostly waits
    order = np.random.default_rng(seed).permutation(len(pairs))
    taught, tested = [pairs[i] for i in order[:TAUGHT]], [pairs[i] for i in order[TAUGHT:]]
    lesson = _lesson(taught)
    start = time.process_time()
    model = scratch(
        lesson, width=WIDTH, artefacts=folder, seed=seed, progress=lambda facts: say(f"domain {facts}")
    )
    seconds = time.process_time() - start
    answers = cast(LabellingGenerator, opened(folder / Path(model.uri).name, folder=folder))
    start = time.process_time()
    probabilities = np.concatenate(
        [answers.probabilities([text for text, _ in tested[i : i + 64]]) for i in range(0, len(tested), 64)]
    )
    each = (time.process_time() - start) / len(tested) * 1000
    right = np.array([answers.labels.index(label) for _, label in tested])
    hit = probabilities.argmax(axis=1) == right
    error = calibration_error(np.log(probabilities), right, 1.0)
    return float(hit.mean()), seconds, error, each, model.report["parameters"]


def _lesson(pairs: list[tuple[str, str]]) -> Lesson:
    rows = [Example(text=text, source="banking77", labels={"intent": label}) for text, label in pairs]
    ids = tuple(row.id for row in rows)
    return Lesson(Dataset(name="banking77", task="intent", role="train", rows=ids, recipe=""), rows)
