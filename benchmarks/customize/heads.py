"""Heads on the frozen encoder: how right at how many labels, what an update costs, whether intervals hold.

labels: of CLINC150's training part, n rows in a seeded order teach the head with its default settings; the
figures are shares of the 3,000 rows of `val` (the official test part is not there), the mean of `rounds`
seeds. The bars are what a prototype reached on the same parts, in draws of its own. The intervals are the
lowest and the highest draw. Beside it the discriminant, from whose sums rows can be taken out.

update: of all 15,000 rows those of one of 100 made-up people (150 rows) are taken out of the sums, against
fitting the discriminant and the default head anew without them. The difference is the largest in any score.
Then each of the 100 is left out in turn, look-ups of vectors in the cache included.

numbers: 3,000 headlines of SEntFiN with the mean of their sentiments (-1, 0, 1) teach, 3,000 others are the
test. 3,000 rows of STS-B's training part teach the similarity of two sentences (0 to 5), given as one text;
the rest of the part is the test, and so is `dev`, which has its sources in other shares, though intervals
promise something only for rows like those that taught. A frozen encoder knows little of a pair's
likeness: the intervals must hold all the same.

prices: a simulation. 50 items with elasticities about -1.8 (standard deviation .6), 20 weeks each, prices
that vary by 12 %, sales that swing by 30 % beyond chance: the share of true elasticities in the 90 %
intervals, and the root mean square error against that of each item by itself.
"""

import csv
import json
import re
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Row as Line
from benchmarks.report import at_least, at_most, say
from openflywheel.base.forms import opened
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.answers import Answers, Estimating
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.instruments.sums import Sums
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Dataset, Model, Row
from openflywheel.customize import Lesson
from openflywheel.customize._price.elasticity import Sale, fitted
from openflywheel.customize.head import head
from openflywheel.customize.price import elasticities
from openflywheel.store.vectors import CachedEncoder

# Rows -> the bar of the default head.
SIZES = {100: 0.381, 500: 0.767, 1_000: 0.867, 5_000: 0.939, 15_000: 0.957}
PEOPLE = 100
TAUGHT = 3_000
FEELINGS = {"positive": 1.0, "neutral": 0.0, "negative": -1.0}
FEELING = re.compile(r"'(positive|neutral|negative)'(?=[,}])")
ITEMS, WEEKS, MEAN, SPREAD = 50, 20, -1.8, 0.6
TASK = "task"
Pairs = Sequence[tuple[str, str]]


def measure(data: Path, folder: Path, rounds: int) -> list[Line]:
    """All rows. `data` is the folder of public data; vectors and models are kept in `folder`."""
    artefacts = folder / "models"
    artefacts.mkdir()
    with closing(CachedEncoder(open_encoder(), folder / "vectors.db")) as encoder, one_thread():
        read = json.loads((data / "clinc150/data_full.json").read_text(encoding="utf-8"))
        taught, tested = ([(text, label) for text, label in read[part]] for part in ("train", "val"))
        return [
            *labels(taught, tested, encoder, artefacts, rounds),
            *update(taught, encoder, artefacts),
            *numbers("SEntFiN", sentfin(data), encoder, artefacts),
            *numbers("STS-B", stsb(data), encoder, artefacts),
            *prices(rounds),
        ]


def lesson(pairs: Pairs, kind: str = "label") -> Lesson:
    """Texts and what is right as a training set."""
    rows = [Row(text=text, source="public", labels={TASK: right}) for text, right in pairs]
    return Lesson(Dataset(name=TASK, task=TASK, role="train", rows=(), recipe=""), rows, kind)


def labels(taught: Pairs, tested: Pairs, encoder: Encoder, artefacts: Path, rounds: int) -> list[Line]:
    """Accuracy at each size: the default head against its bar, the discriminant beside it."""
    lines = []
    for size, bar in SIZES.items():
        say(f"heads of {min(size, len(taught))} rows")
        seeds = range(rounds if size < len(taught) else 1)
        best, other = (
            [accuracy(drawn(taught, size, seed), tested, encoder, artefacts, **settings) for seed in seeds]
            for settings in ({}, {"method": "discriminant"})
        )
        name, unit = f"CLINC150, {size} labels", f"of {len(tested)}"
        lines.append(at_least(f"{name}: best head", float(np.mean(best)), bar, unit, (min(best), max(best))))
        lines.append(Line(row=f"{name}: discriminant", value=float(np.mean(other)), unit=unit))
    return lines


def drawn(pairs: Pairs, size: int, seed: int) -> Pairs:
    """So many of them, in a seeded order."""
    return [pairs[i] for i in np.random.default_rng(seed).permutation(len(pairs))[:size].tolist()]


def accuracy(taught: Pairs, tested: Pairs, encoder: Encoder, artefacts: Path, **settings: str) -> float:
    """Share of the tested that a head names rightly."""
    made = Head.read(place(teach(lesson(taught), encoder, artefacts, **settings), artefacts))
    said = made.predict(encoder.encode([text for text, _ in tested]))
    return float(np.mean([one == right for one, (_, right) in zip(said, tested, strict=True)]))


def teach(given: Lesson, encoder: Encoder, artefacts: Path, **settings: object) -> Model:
    """A head; the settings are those of flywheel.yaml."""
    return head(given, encoder=encoder, artefacts=artefacts, **settings)  # type: ignore[arg-type]


def place(model: Model, artefacts: Path) -> Path:
    """Where it was kept."""
    return artefacts / model.uri.rpartition("/")[2]


def update(pairs: Pairs, encoder: Encoder, artefacts: Path) -> list[Line]:
    """CPU-seconds for taking a person's rows out of the sums, and for fitting anew without them."""
    say("the cost of an update")
    mine = np.random.default_rng(0).permutation(len(pairs)) % PEOPLE == 0
    gone, rest = ([p for p, own in zip(pairs, mine, strict=True) if own == side] for side in (True, False))
    vectors = encoder.encode([text for text, _ in gone])
    encoder.encode([text for text, _ in rest])
    whole = Head.read(place(teach(lesson(pairs), encoder, artefacts, method="discriminant"), artefacts))
    start = time.process_time()
    indicators = whole.indicators([label for _, label in gone])
    less = whole.changed(_sums(whole).minus(vectors, indicators, np.ones(len(gone))))
    took = time.process_time() - start
    start = time.process_time()
    left_out(pairs, whole, encoder)
    each = time.process_time() - start
    anew = teach(lesson(rest), encoder, artefacts, method="discriminant")
    default = teach(lesson(rest), encoder, artefacts)
    away = np.abs(less.scores(vectors) - Head.read(place(anew, artefacts)).scores(vectors)).max()
    name = f"{len(gone)} of {len(pairs)} rows taken out"
    return [
        at_most(f"{name}: update", took, 0.5, "CPU-s"),
        at_most(f"{PEOPLE} people left out, one by one", each, 15, "CPU-s"),
        Line(row=f"{name}: discriminant anew", value=anew.cost, unit="CPU-s"),
        Line(row=f"{name}: default head anew", value=default.cost, unit="CPU-s"),
        at_most(f"{name}: difference to anew", float(away), 1e-3, "of a score"),
    ]


def left_out(pairs: Pairs, whole: Head, encoder: Encoder) -> list[Head]:
    """For each made-up person the head that the others teach; vectors are in the cache."""
    heads = []
    for person in range(PEOPLE):
        own = pairs[person::PEOPLE]
        vectors = encoder.encode([text for text, _ in own])
        indicators = whole.indicators([label for _, label in own])
        heads.append(whole.changed(_sums(whole).minus(vectors, indicators, np.ones(len(own)))))
    return heads


def _sums(made: Head) -> Sums:
    if made.sums is None:
        raise ValueError("a discriminant keeps its sums")
    return made.sums


def sentfin(data: Path) -> list[Pairs]:
    """Headlines with the mean of their sentiments: those that teach, and the test."""
    with (data / "sentfin/SEntFiN-dev.csv").open(encoding="utf-8", newline="") as lines:
        read = [(row["Title"], FEELING.findall(row["Decisions"])) for row in csv.DictReader(lines)]
    pairs = [(text, repr(float(np.mean([FEELINGS[one] for one in said])))) for text, said in read]
    mixed = drawn(pairs, 2 * TAUGHT, 0)
    return [mixed[:TAUGHT], mixed[TAUGHT:]]


def stsb(data: Path) -> list[Pairs]:
    """Two sentences as one text with their likeness: those that teach, the test, and `dev`."""
    train, dev = (_likeness(data / f"stsb/stsb-en-{part}.csv") for part in ("train", "dev"))
    mixed = drawn(train, len(train), 0)
    return [mixed[:TAUGHT], mixed[TAUGHT:], dev]


def _likeness(path: Path) -> Pairs:
    with path.open(encoding="utf-8", newline="") as lines:
        return [(f"{one} {other}", score) for one, other, score in csv.reader(lines)]


def numbers(name: str, parts: Sequence[Pairs], encoder: Encoder, artefacts: Path) -> list[Line]:
    """Of numbers that taught nothing: how far off, against their mean, and how many lie in the intervals.

    parts: rows that teach, rows like them, and perhaps others, which have no bar.
    """
    say(f"numbers of {name}")
    taught, tested, *others = parts
    encoder.encode([text for text, _ in taught])
    model = teach(lesson(taught, "number"), encoder, artefacts)
    answers = opened(place(model, artefacts), {"encoder": encoder})
    error, inside, width = missed(answers, tested)
    known = np.mean([float(number) for _, number in taught])
    plain = float(np.mean([abs(known - float(number)) for _, number in tested]))
    half, unit = 1.96 * (inside * (1 - inside) / len(tested)) ** 0.5, f"of {len(tested)}"
    return [
        Line(row=f"{name}: mean absolute error", value=error, unit="points"),
        Line(row=f"{name}: the same of the mean", value=plain, unit="points"),
        at_least(f"{name}: inside the 90 % interval", inside, 0.88, unit, (inside - half, inside + half)),
        *(
            at_least(f"{name}, dev: inside it", missed(answers, part)[1], 0.88, f"of {len(part)}")
            for part in others
        ),
        Line(row=f"{name}: width of the interval", value=width, unit="points"),
        Line(row=f"{name}: taught with {len(taught)} rows", value=model.cost, unit="CPU-s"),
    ]


def missed(answers: Answers, pairs: Pairs) -> tuple[float, float, float]:
    """Mean absolute error, the share inside the interval, and its mean width."""
    if not isinstance(answers, Estimating):
        raise TypeError("a number task is answered by an Estimating")
    value, low, high = answers.estimates([text for text, _ in pairs]).T
    right = np.array([float(number) for _, number in pairs])
    inside = (low <= right) & (right <= high)
    return float(np.abs(value - right).mean()), float(inside.mean()), float((high - low).mean())


def prices(rounds: int) -> list[Line]:
    """Simulated items: whether intervals hold the true elasticity, and what pooling gains."""
    say("simulated prices")
    inside, pooled, alone = list[bool](), list[float](), list[float]()
    for seed in range(4 * rounds):
        random = np.random.default_rng(seed)
        truth = random.normal(MEAN, SPREAD, ITEMS)
        sales = {str(item): sold(slope, random) for item, slope in enumerate(truth)}
        found, _ = elasticities(sales)
        for item, right in enumerate(truth):
            mean, deviation = found[str(item)]
            inside.append(abs(mean - right) < 1.645 * deviation)
            pooled.append((mean - right) ** 2)
            alone.append((fitted(sales[str(item)]).slope - right) ** 2)
    return [
        at_least(
            "prices: elasticities in their 90 % interval", float(np.mean(inside)), 0.87, f"of {len(inside)}"
        ),
        Line(
            row="prices: error of an elasticity",
            value=float(np.mean(pooled)) ** 0.5,
            unit="(root mean square)",
        ),
        Line(
            row="prices: the same, each item alone",
            value=float(np.mean(alone)) ** 0.5,
            unit="(root mean square)",
        ),
    ]


def sold(slope: float, random: np.random.Generator) -> list[Sale]:
    """The weeks of one item."""
    level, usual = 20 * np.exp(random.normal()), 10 * np.exp(0.5 * random.normal())
    price: NDArray[np.float64] = usual * np.exp(0.12 * random.normal(size=WEEKS))
    swing = np.exp(0.3 * random.normal(size=WEEKS) - 0.3**2 / 2)
    quantity = random.poisson(level * (price / usual) ** slope * swing)
    return [Sale(float(p), float(q)) for p, q in zip(price, quantity, strict=True)]
