"""Does the cascade's threshold keep its promise, and how much may be answered?  python -m benchmarks.cascade

Calibration samples are drawn again and again from questions of which everything is known. Validity: in how
many of the samples is the true error of the part that may be answered above the target? At most 5 % may be.
Power: what share of the questions may be answered, where an oracle would answer so much?

The relations between confidence and error are simulated (some of them far from calibrated), and, where
CLINC150 and Banking77 are found in --from, those of real heads on questions that taught them nothing.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from math import ceil, log2
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks import data
from benchmarks.report import Row, finish, say
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Dataset
from openflywheel.base.nouns import Row as Taught
from openflywheel.customize import Lesson
from openflywheel.customize.head import head
from openflywheel.serve._risk import LEVEL, at_most, control, fewest
from openflywheel.window.simulate import read_messages

SETS, SIZES, TARGETS = 2_000, (100, 300, 1_000), (0.01, 0.02, 0.05)
QUESTIONS = 100_000
TAUGHT, EXAMINED = 1_500, 1_500
Numbers = NDArray[np.float64]
DEPTH = (np.arange(QUESTIONS) + 0.5) / QUESTIONS  # share of the questions that are surer


class World(Struct, frozen=True):
    """Questions, the surest first: the model's confidence, and the chance that its answer is wrong."""

    name: str
    confidence: Numbers
    risk: Numbers

    @property
    def selective(self) -> Numbers:
        """Error of the part that is answered if the k surest are, at k - 1."""
        out: Numbers = np.cumsum(self.risk) / np.arange(1, len(self.risk) + 1)
        return out


SIMULATED = (
    World("calibrated", 1 - 0.3 * DEPTH**3, 0.3 * DEPTH**3),
    World("overconfident", 1 - 0.02 * DEPTH, 0.4 * DEPTH**3),
    World("underconfident", 0.5 - 0.4 * DEPTH, 0.2 * DEPTH**4),
    World("confidence says little", 1 - 0.5 * DEPTH, 0.02 + 0.06 * DEPTH),
    World("just above 1 % throughout", 1 - DEPTH, np.full(QUESTIONS, 0.0101)),
    World("just above 5 % throughout", 1 - DEPTH, np.full(QUESTIONS, 0.0501)),
    World("most wrong where surest", 1 - DEPTH, np.where(DEPTH < 0.05, 0.15, 0.15 * DEPTH**4)),
    World("a bad stretch amidst", 1 - DEPTH, np.where(abs(DEPTH - 0.35) < 0.05, 0.15, 0.2 * DEPTH**4)),
    World("ten levels of confidence", np.ceil(10 - 10 * DEPTH) / 10, 0.3 * DEPTH**3),
)


class Trial(Struct, frozen=True):
    """Many samples of one size: the share of them that broke the promise; the mean share answered."""

    n: int
    target: float
    broken: float
    answered: float


def trials(world: World, sets: int, random: np.random.Generator) -> list[Trial]:
    """One of each target and sample size."""
    return [trial(world, n, target, sets, random) for target in TARGETS for n in SIZES]


def trial(world: World, n: int, target: float, sets: int, random: np.random.Generator) -> Trial:
    """Draw samples, certify each, and look up the truth."""
    reach = [_reach(world, _sample(world, n, target, random)) for _ in range(sets)]
    selective = world.selective
    broken = [bool(r) and selective[r - 1] > target for r in reach]
    return Trial(n, target, float(np.mean(broken)), float(np.mean(reach)) / len(world.risk))


def _sample(world: World, n: int, target: float, random: np.random.Generator) -> float | None:
    """The threshold that one sample of n questions certifies."""
    drawn = random.integers(len(world.risk), size=n)
    wrong = random.random(n) < world.risk[drawn]
    return control(world.confidence[drawn].tolist(), wrong.tolist(), target).threshold


def _reach(world: World, threshold: float | None) -> int:
    """How many questions a threshold lets the model answer."""
    if threshold is None:
        return 0
    return int(np.searchsorted(-world.confidence, -threshold, side="right"))


def oracle(world: World, target: float) -> float:
    """The largest share that could be answered by one who knows every risk."""
    within = np.nonzero(world.selective <= target)[0]
    return float(within[-1] + 1) / len(world.risk) if len(within) else 0.0


def promise(world: World, found: Sequence[Trial], sets: int) -> Row:
    """The worst of all sample sizes and targets: in what share of the samples the promise broke."""
    worst = max(found, key=lambda t: t.broken)
    at = f" ({worst.n} labels, target {100 * worst.target:g} %)" if worst.broken else ""
    return _kept(f"{world.name}: samples that broke the promise{at}", worst.broken, sets)


def _kept(row: str, broken: float, sets: int) -> Row:
    low, high = wilson(broken * sets, sets)
    bar = f"<= {1 - LEVEL:.2g}, within its interval"
    return Row(row=row, value=broken, unit="share", interval=(low, high), bar=bar, holds=low <= 1 - LEVEL)


def power(world: World, found: Sequence[Trial]) -> Iterator[Row]:
    """A row a target and sample size: the mean share that may be answered."""
    for t in found:
        best = oracle(world, t.target)
        what = f"{world.name}: answered with {t.n} labels at {100 * t.target:g} % (an oracle: {best:.2f})"
        yield Row(row=what, value=t.answered, unit="share")


def crowds(sets: int, random: np.random.Generator) -> Iterator[Row]:
    """Why a person counts once: the model misunderstands half of what one person in ten says.

    Of the others it gets 1 % wrong, 5.9 % in all, and its confidence knows nothing of it: at a target of 5 %
    nothing may be answered.
    """
    for people, each in ((30, 10), (300, 1)):
        broken = 0
        for _ in range(sets):
            risk = np.where(random.random(people) < 0.1, 0.5, 0.01).repeat(each)
            wrong = random.random(len(risk)) < risk
            broken += control(random.random(len(risk)).tolist(), wrong.tolist(), 0.05).threshold is not None
        row = _kept(f"{people} people with {each} labels each: broken", broken / sets, sets)
        yield row if each == 1 else Row(row=row.row, value=row.value, unit=row.unit, interval=row.interval)


def equal_steps(mistakes: Sequence[int], target: float) -> int:
    """Fixed-sequence testing at every tenth of the sample: how many answers it certifies."""
    steps = takewhile(lambda k: at_most(mistakes[k], k, target) <= 1 - LEVEL, _tenths(mistakes, target))
    return max(steps, default=0)


def bonferroni(mistakes: Sequence[int], target: float) -> int:
    """Every tenth of the sample, each at its part of the 5 %."""
    tenths = _tenths(mistakes, target)
    return max((k for k in tenths if at_most(mistakes[k], k, target) <= (1 - LEVEL) / len(tenths)), default=0)


def bisection(mistakes: Sequence[int], target: float) -> int:
    """Selection with guaranteed risk (Geifman & El-Yaniv 2017): log2(n) steps that share the 5 %."""
    low, high, found = 1, len(mistakes) - 1, 0
    steps = ceil(log2(high))
    for _ in range(steps):
        middle = (low + high) // 2
        if at_most(mistakes[middle], middle, target) <= (1 - LEVEL) / steps:
            low = found = middle
        else:
            high = middle
    return found


def _tenths(mistakes: Sequence[int], target: float) -> list[int]:
    n = len(mistakes) - 1
    return [k for k in (n * i // 10 for i in range(1, 11)) if k >= fewest(0, target)]


def rivals(sets: int, random: np.random.Generator, n: int = 300, target: float = 0.05) -> Iterator[Row]:
    """Other ways to set the threshold, in the first world: the mean share of a sample that is certified."""
    world, sums = SIMULATED[0], Counter[str]()
    for _ in range(sets):
        drawn = np.sort(random.integers(len(world.risk), size=n))
        wrong = random.random(n) < world.risk[drawn]
        found = control(world.confidence[drawn].tolist(), wrong.tolist(), target)
        sums["ours"] += found.answered * (found.threshold is not None)
        mistakes = [0, *np.cumsum(wrong).tolist()]
        for rival in (equal_steps, bonferroni, bisection):
            sums[rival.__name__] += rival(mistakes, target)
    for name, total in sums.items():
        what = f"{n} labels at {100 * target:g} %, {world.name}, {name}: part of the sample certified"
        yield Row(row=what, value=total / n / sets, unit="share")


def real(source: Path) -> Iterator[World]:
    """The worlds of heads that were taught a part of CLINC150 and of Banking77."""
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "models").mkdir()
        for name, make in (("clinc150", data.clinc150), ("banking77", data.banking77)):
            make(source, Path(made))
            say(f"{name}: teaching a head {TAUGHT} questions")
            yield _taught(name, Path(made))


def _taught(name: str, folder: Path) -> World:
    """The answers of a head to questions that it was not taught."""
    random, encoder = np.random.default_rng(0), open_encoder(None)
    train, test = (read_messages(folder / f"{name}_{part}.csv") for part in ("train", "test"))
    chosen = [train[i] for i in random.permutation(len(train))[:TAUGHT]]
    taught = [Taught(text=m.text, source="benchmark", labels={name: m.label}) for m in chosen]
    ids = tuple(row.id for row in taught)
    lesson = Lesson(Dataset(name=name, task=name, role="train", rows=ids, recipe=""), taught)
    model = head(lesson, encoder=encoder, artefacts=folder / "models")
    asked = [test[i] for i in random.permutation(len(test))[:EXAMINED]]
    answers = Head.read(folder / model.uri)
    probabilities = answers.probabilities(encoder.encode([m.text for m in asked]))
    right = [answers.labels[i] == m.label for i, m in zip(probabilities.argmax(axis=1), asked, strict=True)]
    sure = probabilities.max(axis=1).astype(np.float64)
    order = np.argsort(-sure, kind="stable")
    return World(f"{name}, {model.method}", sure[order], 1.0 - np.array(right, float)[order])


def main() -> None:
    """Simulated worlds, crowds, and real heads where the data are there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    random, rows = np.random.default_rng(1), list[Row]()
    for world in SIMULATED:
        say(world.name)
        found = trials(world, args.sets, random)
        rows += [promise(world, found, args.sets), *(power(world, found) if world is SIMULATED[0] else ())]
    rows += [*crowds(args.sets, random), *rivals(args.sets, random)]
    if all((args.source / name).is_dir() for name in ("clinc150", "banking77")):
        for world in real(args.source):
            found = trials(world, args.sets, random)
            rows += [promise(world, found, args.sets), *power(world, found)]
    else:
        skipped = f"real heads: skipped, no CLINC150 and Banking77 in {args.source}"
        rows.append(Row(row=skipped, value=None, unit=""))
    finish("cascade", rows, 1, as_json=args.json, sets=args.sets)


if __name__ == "__main__":
    main()
