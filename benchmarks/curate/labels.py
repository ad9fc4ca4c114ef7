"""The steps on labels: wrong labels that were planted, and labellers of unlike skill.

label_errors: of the training files of Banking77 and CLINC150, in a seeded order, the 4,000 rows after the
first 6,000, on which the step's constants were not chosen. 1,000 of them are the test. Of the labels of the
other 3,000, which belong to 900 people, a share is moved: to any other label, or to a like one (one of two
whose mean vectors are nearest). What the step marks is held against what was moved; the sets hold errors of
their own, which count against it. Gain: accuracy on the test of kernel ridge (customize/_fitting.py) on the
weighed rows, less that on the same rows unweighed. Shown is the mean over both sets and three seeds, with the
lowest and the highest run.

labellers: a simulation. Three of 60 people label each of 3,000 texts with one of 77 labels; a person's chance
to be right is drawn from Beta(6, 2) within .3 and .99, every tenth has .3, and who is wrong names one of
three like labels. The label of most weight is held against the one of most votes (by lot among equals).
"""

import csv
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.report import Row, say
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.instruments.vectors import Matrix, similarity
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import settled
from openflywheel.curate.label_errors import label_errors
from openflywheel.curate.labellers import labellers
from openflywheel.customize._fitting import kernel_ridge
from openflywheel.store.vectors import CachedEncoder

SEEN, ROWS, TESTED = 6_000, 4_000, 0.25
PEOPLE, SEEDS = 900, 3
PLANTED = (("any", 0.05), ("any", 0.1), ("like", 0.05), ("like", 0.1), ("like", 0.2), ("like", 0.3))
TEXTS, LABELS, LABELLERS, EACH, LIKE = 3_000, 77, 60, 3, 3
TASK = "route"

Places = NDArray[np.int64]


class Messages(Struct, frozen=True):
    """Texts, their vectors, shape (n, width), and their labels, numbers of `names`."""

    texts: list[str]
    vectors: Matrix
    labels: Places
    names: list[str]

    def part(self, rows: Places) -> "Messages":
        """Some of them."""
        texts = [self.texts[row] for row in rows.tolist()]
        return Messages(texts, self.vectors[rows], self.labels[rows], self.names)


class Outcome(Struct, frozen=True):
    """Of the labels that were moved, what share is marked; of the marked ones, what share was moved.

    named: of the marked and moved, with the right label. gain: in points of accuracy.
    """

    recall: float
    precision: float
    named: float
    gain: float


def measure(data: Path, folder: Path, rows: int = ROWS, seeds: int = SEEDS) -> list[Row]:
    """All rows. `data` is the folder of public data; vectors are kept in `folder`."""
    with closing(CachedEncoder(open_encoder(), folder / "vectors.db")) as encoder:
        read = {"Banking77": banking77(data), "CLINC150": clinc150(data)}
        sets = {name: messages(pairs, encoder, rows) for name, pairs in read.items()}
        return [*errors(sets, encoder, seeds), *simulated(seeds)]


def banking77(data: Path) -> list[tuple[str, str]]:
    """Text and label of each line of the training file."""
    with (data / "banking77/train.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["text"], row["category"]) for row in csv.DictReader(lines)]


def clinc150(data: Path) -> list[tuple[str, str]]:
    """Text and label of each example of the training part."""
    read = json.loads((data / "clinc150/data_full.json").read_text(encoding="utf-8"))
    return [(text, label) for text, label in read["train"]]


def messages(pairs: list[tuple[str, str]], encoder: Encoder, rows: int) -> Messages:
    """So many of them, in a seeded order, after the first 6,000."""
    order = np.random.default_rng(0).permutation(len(pairs))[SEEN:][:rows]
    texts, said = zip(*(pairs[place] for place in order.tolist()), strict=True)
    names, labels = np.unique(said, return_inverse=True)
    return Messages(list(texts), encoder.encode(texts), labels, names.tolist())


def errors(sets: dict[str, Messages], encoder: Encoder, seeds: int) -> list[Row]:
    """Rows of label_errors: with nothing planted, then of each kind and share."""
    halves = {name: halved(found) for name, found in sets.items()}
    before = {name: accuracy(train, train.labels, test) for name, (train, test) in halves.items()}
    rows = [
        Row(row=f"{name}: accuracy, nothing planted", value=before[name], unit=f"of {len(test.texts)}")
        for name, (_, test) in halves.items()
    ]
    for name, (train, _) in halves.items():
        doubted, _ = judged(train, train.labels, encoder)
        row = f"{name}: marked, nothing planted"
        rows.append(Row(row=row, value=float(doubted.mean()), unit=f"of {len(train.texts)}"))
    for kind, share in PLANTED:
        say(f"{share:.0%} of the labels moved to {kind} other")
        drawn = [(parts, seed) for parts in halves.values() for seed in range(seeds)]
        outcomes = [outcome(*parts, kind, share, seed, encoder) for parts, seed in drawn]
        rows += summed(f"{share:.0%}, {kind} label", outcomes)
    return rows


def halved(found: Messages) -> tuple[Messages, Messages]:
    """What is learned from, and the test."""
    order = np.random.default_rng(1).permutation(len(found.texts))
    tested = round(TESTED * len(order))
    return found.part(order[tested:]), found.part(order[:tested])


def outcome(train: Messages, test: Messages, kind: str, share: float, seed: int, encoder: Encoder) -> Outcome:
    """Move a share of the labels, and look for them."""
    given = moved(train, kind, share, np.random.default_rng(seed))
    wrong = given != train.labels
    marked, instead = judged(train, given, encoder)
    hits = marked & wrong
    weight = np.where(marked, np.float32(0.1), np.float32(1))
    gain = accuracy(train, given, test, weight) - accuracy(train, given, test)
    return Outcome(
        recall=float(hits.sum() / max(wrong.sum(), 1)),
        precision=float(hits.sum() / max(marked.sum(), 1)),
        named=float((instead == train.labels)[hits].mean()) if hits.any() else 0.0,
        gain=100 * gain,
    )


def moved(train: Messages, kind: str, share: float, random: np.random.Generator) -> Places:
    """The labels, about a share of them moved to "any" other or to a "like" one."""
    k = len(train.names)
    means = np.stack([train.vectors[train.labels == label].sum(axis=0) for label in range(k)])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    near = means @ means.T
    near[np.diag_indices(k)] = -np.inf
    others = np.argsort(-near, axis=1)[:, : 2 if kind == "like" else k - 1]
    drawn = others[train.labels, random.integers(others.shape[1], size=len(train.labels))]
    return np.where(random.random(len(train.labels)) < share, drawn, train.labels)


def judged(train: Messages, given: Places, encoder: Encoder) -> tuple[NDArray[np.bool_], Places]:
    """Which labels the step marks, and the labels that it names instead; -1 for none."""
    records = [
        _record(text, train.names[label], row % PEOPLE)
        for row, (text, label) in enumerate(zip(train.texts, given.tolist(), strict=True))
    ]
    table = settled(label_errors(encoder=encoder), _table(records))
    said = {f"{TASK}: {name}": number for number, name in enumerate(train.names)}
    doubts = table["meta.label_doubt"].to_pylist()
    instead = np.array([-1 if doubt is None else said[doubt] for doubt in doubts])
    return instead >= 0, instead


def _record(text: str, label: str, person: int) -> Record:
    return Record(
        text=text,
        source="people",
        subject=f"p{person}",
        labels={TASK: label},
        labelled_by="user",
        purposes=("training",),
    )


def _table(records: list[Record]) -> pa.Table:
    table = pa.Table.from_batches([to_batch(records, Record)])
    return table.append_column("drop", pa.nulls(len(records), pa.string()))


def accuracy(train: Messages, given: Places, test: Messages, weight: Matrix | None = None) -> float:
    """On the test, of a head that learned the given labels; rows weigh 1 unless it is said."""
    weight = np.ones(len(given), np.float32) if weight is None else weight
    with one_thread():
        fitted = kernel_ridge(train.vectors, given, len(train.names), weight)
        if fitted is None:
            raise ValueError(f"{len(given)} rows: more than kernel ridge takes")
        scores = similarity(test.vectors, train.vectors, fitted.gamma) @ fitted.weights
    return float(np.mean(scores.argmax(axis=1) == test.labels))


def summed(about: str, outcomes: list[Outcome]) -> list[Row]:
    """Means over the runs."""
    return [
        _spread(f"{about}: found", [o.recall for o in outcomes], "of the moved"),
        _spread(f"{about}: was moved", [o.precision for o in outcomes], "of the marked"),
        _spread(f"{about}: right label named", [o.named for o in outcomes], "of the found"),
        _spread(f"{about}: gain of weighing", [o.gain for o in outcomes], "points"),
    ]


def simulated(seeds: int) -> list[Row]:
    """Rows of labellers."""
    drawn = [labelled_by_many(np.random.default_rng(seed)) for seed in range(seeds)]
    about = ("right label, most weight", "right label, most votes", "labels that are right", "off by")
    units = ("of the texts", "of the texts", "of the labels", "in a labeller's reliability, mean")
    return [
        _spread(f"labellers: {what}", list(values), unit)
        for what, unit, values in zip(about, units, zip(*drawn, strict=True), strict=True)
    ]


def labelled_by_many(random: np.random.Generator) -> tuple[float, float, float, float]:
    """Texts right by weight and by votes, labels right, and the mean error of labellers' reliability."""
    truth = random.integers(LABELS, size=TEXTS)[:, None]
    skill = np.clip(random.beta(6, 2, LABELLERS), 0.3, 0.99)
    skill[: LABELLERS // 10] = 0.3
    who = np.argsort(random.random((TEXTS, LABELLERS)), axis=1)[:, :EACH]
    wrong = (truth + random.integers(1, LIKE + 1, size=who.shape)) % LABELS
    said = np.where(random.random(who.shape) < skill[who], truth, wrong)
    records = [
        _record(f"text {row // EACH}", str(said.flat[row]), int(who.flat[row])) for row in range(who.size)
    ]
    table = settled(labellers(), _table(records))
    weight = table["weight"].to_numpy().reshape(who.shape)
    votes = (said[:, :, None] == said[:, None, :]).sum(axis=2) + random.random(who.shape) / 2
    reliability = table["meta.reliability"].to_numpy().astype(float)
    firsts = np.unique(who, return_index=True)
    right = said == truth
    rows = np.arange(TEXTS)
    return (
        float(right[rows, weight.argmax(axis=1)].mean()),
        float(right[rows, votes.argmax(axis=1)].mean()),
        float(right.mean()),
        float(np.abs(reliability[firsts[1]] - skill[firsts[0]]).mean()),
    )


def _spread(row: str, values: list[float], unit: str) -> Row:
    return Row(row=row, value=float(np.mean(values)), unit=unit, interval=(min(values), max(values)))
