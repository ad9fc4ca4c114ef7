"""The tuned sentence encoder beside the best head on the frozen one, on CLINC150.

Test: 1,500 rows of `val` on which no setting of the trainer was chosen (the other 1,500 chose them, with
draws of other seeds), and 3,000 rows of `train`, of which none is drawn; the official test part is not there.
A round draws n of the other 12,000 rows; the trainers `head` and `encoder_lora` learn from them, one after
the other, the latter with default settings. "Best head" is whichever of `head`'s ways does best on the test,
so the head is chosen with knowledge that the encoder has not. One thread; CPU-seconds are those of the whole
training, with rehearsal, export and head. Other sizes than 1,000 are of one draw.

Serving: 500 texts asked one by one, of both encoders in turns.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from msgspec import Struct

from benchmarks.report import Row as Line
from benchmarks.report import at_least, at_most, say
from openflywheel.base.errors import SettingsError
from openflywheel.base.forms import encoder as tuned_encoder
from openflywheel.base.forms.head import Head, HeadOnEncoder
from openflywheel.base.instruments.calibration import calibration_error
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Dataset, Model, Row
from openflywheel.customize import Lesson
from openflywheel.customize._encoder.adapter import WEIGHTS
from openflywheel.customize._head.labels import Method
from openflywheel.customize.encoder_lora import encoder_lora
from openflywheel.customize.head import head

Pairs = Sequence[tuple[str, str]]
TASK, LABELS, OTHERS = "intent", 1_000, (100, 300, 5_000)
METHODS: tuple[Method, ...] = ("centroid", "kernel_ridge", "logistic")
CHOSEN, HELD, ASKED = 1_500, 3_000, 500  # rows: of val that chose settings, of train that test, of serving


class Outcome(Struct, frozen=True):
    """Shares of the test that are right, calibration error of the tuned model, CPU-s, adapter in MB."""

    frozen: float
    tuned: float
    ece: float
    cost: float
    size: float
    place: str


def measure(data: Path, folder: Path, rounds: int) -> list[Line]:
    """All rows. `data` is the folder of public data; models are kept in `folder`."""
    path = data / "clinc150/data_full.json"
    if not path.is_file():
        return [Line(row=f"encoder: {path} is missing", value=None, unit="", bar=">= 2")]
    taught, tested = parts(path)
    encoder, threads = open_encoder(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            return _lines(taught, tested, encoder, folder, rounds)
    finally:
        torch.set_num_threads(threads)


def parts(path: Path) -> tuple[Pairs, Pairs]:
    """Rows to draw from, and the test."""
    read = json.loads(path.read_text(encoding="utf-8"))
    val = [read["val"][row] for row in np.random.default_rng(7).permutation(len(read["val"]))[CHOSEN:]]
    train = [read["train"][row] for row in np.random.default_rng(11).permutation(len(read["train"]))]
    return train[HELD:], [*val, *train[:HELD]]


def _lines(taught: Pairs, tested: Pairs, encoder: Encoder, folder: Path, rounds: int) -> list[Line]:
    drawn = [outcome(taught, tested, LABELS, seed, encoder, folder) for seed in range(rounds)]
    lines = [*against_bars(drawn, len(tested)), *serving(drawn[-1], tested, encoder)]
    for size in OTHERS:
        found = outcome(taught, tested, size, 0, encoder, folder)
        name, unit = f"CLINC150, {size} labels", f"of {len(tested)}"
        lines += [
            Line(row=f"{name}: best head, frozen", value=found.frozen, unit=unit),
            Line(row=f"{name}: encoder_lora", value=found.tuned, unit=unit),
            Line(row=f"{name}: encoder_lora taught in", value=found.cost, unit="CPU-s"),
        ]
    return lines


def outcome(taught: Pairs, tested: Pairs, size: int, seed: int, encoder: Encoder, folder: Path) -> Outcome:
    """One draw: both trainers, and what they reach."""
    rows = [taught[row] for row in np.random.default_rng(seed).permutation(len(taught))[:size]]
    frozen = max(
        accuracy(HeadOnEncoder(Head.read(_place(model, folder)), encoder), tested)[0]
        for model in heads(lesson(rows), encoder, folder)
    )
    model = encoder_lora(
        lesson(rows), folder=folder, artefacts=folder, seed=seed, progress=list[object]().append
    )
    place = _place(model, folder)
    tuned, ece = accuracy(tuned_encoder.opened(place), tested)
    say(f"{size} labels, draw {seed}: {frozen:.4f} {tuned:.4f}, told {model.report}, {model.cost:.1f} CPU-s")
    return Outcome(frozen, tuned, ece, model.cost, (place / WEIGHTS).stat().st_size / 1e6, str(place))


def lesson(pairs: Pairs) -> Lesson:
    """Texts with their labels as a training set."""
    rows = [Row(text=text, source="public", labels={TASK: label}) for text, label in pairs]
    return Lesson(Dataset(name=TASK, task=TASK, role="train", rows=(), recipe=""), rows)


def heads(taught: Lesson, encoder: Encoder, folder: Path) -> list[Model]:
    """One by each way that goes with so many rows."""
    made = list[Model]()
    for method in METHODS:
        try:
            made.append(head(taught, method=method, encoder=encoder, artefacts=folder))
        except SettingsError as error:
            say(str(error))
    return made


def accuracy(answers: HeadOnEncoder, tested: Pairs) -> tuple[float, float]:
    """The share that is right, and the calibration error."""
    chances = answers.probabilities([text for text, _ in tested])
    place = {label: number for number, label in enumerate(answers.labels)}
    right = np.array([place.get(label, -1) for _, label in tested])
    return float(np.mean(chances.argmax(axis=1) == right)), calibration_error(np.log(chances), right, 1.0)


def _place(model: Model, folder: Path) -> Path:
    return folder / model.uri.rpartition("/")[2]


def against_bars(drawn: Sequence[Outcome], tested: int) -> list[Line]:
    """Means, with the lowest and the highest draw."""
    frozen, tuned, ece, cost = (
        [getattr(found, name) for found in drawn] for name in ("frozen", "tuned", "ece", "cost")
    )
    gain = [100 * (found.tuned - found.frozen) for found in drawn]
    name, unit = f"CLINC150, {LABELS} labels", f"of {tested}"
    return [
        Line(row=f"{name}: best head, frozen", value=_mean(frozen), unit=unit, interval=_ends(frozen)),
        Line(row=f"{name}: encoder_lora", value=_mean(tuned), unit=unit, interval=_ends(tuned)),
        at_least(f"{name}: gain", _mean(gain), 2, "points", _ends(gain)),
        Line(row=f"{name}: calibration error", value=_mean(ece), unit="", interval=_ends(ece)),
        at_most(f"{name}: taught in", max(cost), 90, "CPU-s", _ends(cost)),
        at_most("adapter", max(found.size for found in drawn), 3, "MB"),
    ]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def serving(found: Outcome, tested: Pairs, frozen: Encoder) -> list[Line]:
    """CPU-ms a text, each asked by itself: the median of five turns."""
    tuned = tuned_encoder.opened(Path(found.place)).encoder
    sides: dict[str, tuple[Encoder, list[float]]] = {"frozen": (frozen, []), "tuned": (tuned, [])}  # type: ignore[dict-item]
    for _ in range(5):
        for encoder, took in sides.values():
            start = time.process_time()
            for text, _ in tested[: ASKED // 5]:
                encoder.encode([text])
            took.append((time.process_time() - start) / (ASKED // 5) * 1e3)
    return [
        Line(row=f"a text's vector, {name}", value=float(np.median(took)), unit="CPU-ms")
        for name, (_, took) in sides.items()
    ]
