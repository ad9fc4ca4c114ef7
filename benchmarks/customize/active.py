"""What experts should be asked: ways of choosing, by what their answers teach.

CLINC150 and Banking77 (the files of benchmarks.data; the test part judges). A cold start of two examples for
70 % of the intents, then ten turns of 1,000 messages whose intents follow Zipf's law. The head answers; 15 %
of the answers are rated, 7 % of the ratings say the opposite; then 30 messages are chosen and labelled, and a
new head is taught. All ways see the same traffic and ratings of a seed.
"""

import csv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.data import banking77, clinc150
from benchmarks.report import Row, say
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.calibration import fit_sharpness
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.instruments.vectors import Matrix
from openflywheel.customize._fitting import kernel_ridge
from openflywheel.store.vectors import CachedEncoder
from openflywheel.study._choosing import WAYS, Doubts
from openflywheel.study.active import doubt

TURNS, MESSAGES, LABELS, KNOWN = 10, 1_000, 30, 0.7
RATED, MISTAKEN = 0.15, 0.07
SETS = {"CLINC150": clinc150, "Banking77": banking77}
Places = NDArray[np.intp]


class Data(Struct, frozen=True):
    """Vectors and intents of what there is to ask about, and of the test."""

    x: Matrix
    y: Places
    test_x: Matrix
    test_y: Places


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """The mean accuracy on the test after the last turn, of each way and set."""
    rows = list[Row]()
    with closing(CachedEncoder(open_encoder(), folder / "vectors.db")) as encoder, one_thread():
        for name, write in SETS.items():
            if not (data / name.lower()).is_dir():
                rows.append(Row(row=f"active: {name} is missing", value=None, unit="share"))
                continue
            write(data, folder)
            rows += compared(name, _data(folder, name.lower(), encoder), rounds)
    return rows


def compared(name: str, data: Data, rounds: int) -> list[Row]:
    """One row a way, with the lowest and the highest of its seeds."""
    found: dict[str, list[float]] = {way: [] for way in ("random", "margin", *WAYS)}
    for seed in range(rounds):
        for way, accuracies in found.items():
            accuracies.append(lived(data, way, seed))
        say(f"{name}, seed {seed}: " + ", ".join(f"{way} {a[-1]:.3f}" for way, a in found.items()))
    return [
        Row(row=f"{name}, asked by {way}", value=float(np.mean(a)), unit="share", interval=(min(a), max(a)))
        for way, a in found.items()
    ]


def lived(data: Data, way: str, seed: int) -> float:
    """Accuracy on the test once all turns are over."""
    random = np.random.default_rng(seed)
    traffic, rows = _traffic(data.y, random), list(_start(data.y, random))
    ratings = np.random.default_rng(seed + 1_000)  # apart: the ways draw from their own
    for turn in traffic:
        head, names = _taught(data, rows)
        fresh = np.setdiff1d(turn, rows)
        said = head.probabilities(data.x[fresh])
        doubts = _doubts(said, names, data.y[fresh], ratings.random((2, len(data.y)))[:, fresh])
        places = _asked(way, data.x[fresh], said, doubts, data.x[rows], random)
        rows += [int(i) for i in fresh[places]]
    head, names = _taught(data, rows)
    return float(np.mean(names[head.scores(data.test_x).argmax(axis=1)] == data.test_y))


def _asked(
    way: str, x: Matrix, said: Matrix, doubts: Doubts, known: Matrix, random: np.random.Generator
) -> Sequence[int]:
    if way == "random":
        return [int(i) for i in random.permutation(len(x))[:LABELS]]
    if way == "margin":
        best = np.sort(said, axis=1)[:, -2:]
        return [int(i) for i in np.argsort(best[:, 1] - best[:, 0], kind="stable")[:LABELS]]
    return {str(name): choose for name, choose in WAYS.items()}[way](x, doubts, known, LABELS, random)


def _doubts(said: Matrix, names: Places, right: Places, drawn: NDArray[np.float64]) -> Doubts:
    """After ratings of some answers, some of them mistaken."""
    good = (names[said.argmax(axis=1)] == right) ^ (drawn[1] < MISTAKEN)
    rating = np.where(drawn[0] < RATED, np.where(good, 1.0, -1.0), 0.0)
    return np.array([doubt(float(c), float(r)) for c, r in zip(said.max(axis=1), rating, strict=True)])


def _taught(data: Data, rows: Sequence[int]) -> tuple[Head, Places]:
    """A kernel ridge on these rows, and the intents in the order of its columns."""
    names, y = np.unique(data.y[rows], return_inverse=True)
    fitted = kernel_ridge(data.x[rows], y, len(names), np.ones(len(rows), np.float32))
    assert fitted is not None
    sharpness, _ = fit_sharpness(fitted.held_out, y)
    labels = tuple(str(name) for name in names)
    return Head(labels, fitted.weights, fitted.bias, "", sharpness, fitted.support, fitted.gamma), names


def _start(y: Places, random: np.random.Generator) -> list[int]:
    """Two examples of some of the intents."""
    intents = random.permutation(np.unique(y))
    known = intents[: round(KNOWN * len(intents))]
    return [int(i) for intent in known for i in random.choice(np.flatnonzero(y == intent), 2, replace=False)]


def _traffic(y: Places, random: np.random.Generator) -> list[Places]:
    """Turns of messages; how often an intent is asked follows Zipf's law in a random order."""
    intents, place = np.unique(y, return_inverse=True)
    rank = random.permutation(len(intents)) + 1
    weight = 1 / rank[place] / np.bincount(place)[place]
    return [random.choice(len(y), MESSAGES, p=weight / weight.sum()) for _ in range(TURNS)]


def _data(folder: Path, name: str, encoder: CachedEncoder) -> Data:
    pairs = [_read(folder / f"{name}_{part}.csv") for part in ("train", "test")]
    places = {label: n for n, label in enumerate(sorted({label for _, label in pairs[0]}))}
    (x, y), (test_x, test_y) = (
        (encoder.encode([text for text, _ in part]), np.array([places[label] for _, label in part]))
        for part in pairs
    )
    return Data(x, y, test_x, test_y)


def _read(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [(row["text"], row["label"]) for row in csv.DictReader(lines)]
