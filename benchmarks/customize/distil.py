"""A teacher that is wrong on 8 of 77 intents, and a few hundred answers that people checked.

Banking77's training file: 15 % of every intent (seed 0, as in benchmarks.data) is the test, looked at once
with the defaults that were chosen on the rest. Of the rest, 4,000 messages were answered by a teacher that
always calls each of 8 intents by the name of another one (drawn by the seed, both); people checked 400 of
these answers, drawn at random. Accuracy on the test of the frozen encoder's head, as a student that trusts
every row of the teacher, as `distil` teaches it, and taught with the people's 400 rows alone.
"""

import csv
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from msgspec import Struct, structs

from benchmarks.data import banking77
from benchmarks.report import Row as Line
from benchmarks.report import at_least, say
from openflywheel.base import forms
from openflywheel.base.instruments.answers import Labelling
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Dataset, Model, Row
from openflywheel.customize import Lesson
from openflywheel.customize.distil import distil
from openflywheel.customize.head import head
from openflywheel.store.vectors import CachedEncoder

TASK, ASKED, CHECKED, WRONG = "route", 4_000, 400, 8

Pairs = list[tuple[str, str]]


class Outcome(Struct, frozen=True):
    """Accuracy on the test of three students; `agreement` is of the trusting one, `report` of ours."""

    trusting: float
    agreement: float
    ours: float
    people: float
    report: Mapping[str, float]


def measure(data: Path, folder: Path, rounds: int) -> list[Line]:
    """All rows; vectors are kept in `folder`."""
    if not (data / "banking77" / "train.csv").is_file():
        return [Line(row="distil: Banking77 is missing", value=None, unit="share", bar="needed")]
    banking77(data, folder)
    train, test = _read(folder / "banking77_train.csv"), _read(folder / "banking77_test.csv")
    with closing(CachedEncoder(open_encoder(), folder / "vectors.db")) as encoder, one_thread():
        return rows([outcome(train, test, encoder, seed) for seed in range(rounds)])


def rows(found: Sequence[Outcome]) -> list[Line]:
    """The mean over seeds, with the lowest and the highest."""
    accuracies = {
        "trusts the teacher": [each.trusting for each in found],
        "people's 400 rows alone": [each.people for each in found],
    }
    ours = [each.ours for each in found]
    best = max(float(np.mean(values)) for values in accuracies.values())
    reached, ends = float(np.mean(ours)), (min(ours), max(ours))
    missed = [abs(each.report["accuracy"] - each.ours) for each in found]
    return [
        *(_line(f"distil: true accuracy, {name}", values) for name, values in accuracies.items()),
        at_least("distil: true accuracy, ours", reached, round(best, 4), "share", ends),
        _line("distil: agreement, trusts the teacher", [each.agreement for each in found]),
        _line("distil: error of the accuracy that ours reports", missed),
    ]


def _line(name: str, values: Sequence[float]) -> Line:
    return Line(row=name, value=float(np.mean(values)), unit="share", interval=(min(values), max(values)))


def outcome(train: Pairs, test: Pairs, encoder: Encoder, seed: int) -> Outcome:
    """One seed: the same teacher and the same people for all three."""
    calls = confused(train, seed)
    people, teacher = lessons(train, calls, seed)
    truth = [right for _, right in test]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)

        def said(model: Model) -> list[str]:
            opened = forms.opened(place / model.uri.rpartition("/")[2], {"encoder": encoder})
            assert isinstance(opened, Labelling)
            best = opened.probabilities([text for text, _ in test]).argmax(axis=1)
            return [opened.labels[label] for label in best.tolist()]

        trusting = said(head(_lesson([*people, *teacher]), encoder=encoder, artefacts=place))
        alone = said(head(_lesson(people), encoder=encoder, artefacts=place))
        [ours] = _models(distil(
            _lesson([*people, *teacher]), encoder=encoder, artefacts=place, workspace=place, folder=place,
            exchanges=lambda _: {}, heard=lambda _: {}, ask=_nobody, tasks={}, seed=seed,
            providers={}, progress=lambda _: None,
        ))  # fmt: skip
        found = Outcome(
            share(trusting, truth), share(trusting, [calls.get(right, right) for right in truth]),
            share(said(ours), truth), share(alone, truth), ours.report,
        )  # fmt: skip
    say(f"distil, seed {seed}: {structs.asdict(found)}")
    return found


def _models(gave: Iterable[object]) -> list[Model]:
    return [thing for thing in gave if isinstance(thing, Model)]


def share(said: Sequence[str], right: Sequence[str]) -> float:
    """How many are the same."""
    return float(np.mean([a == b for a, b in zip(said, right, strict=True)]))


def confused(train: Pairs, seed: int) -> dict[str, str]:
    """Intents that the teacher calls by another name, and this name."""
    names = sorted({label for _, label in train})
    drawn = np.random.default_rng(seed).permutation(len(names))[: 2 * WRONG].reshape(2, WRONG)
    return {names[a]: names[b] for a, b in drawn.T.tolist()}


def lessons(train: Pairs, calls: Mapping[str, str], seed: int) -> tuple[list[Row], list[Row]]:
    """People's rows, with what the teacher said to them, and the teacher's rows."""
    random = np.random.default_rng((seed, 1))
    asked = [train[place] for place in random.permutation(len(train))[:ASKED].tolist()]
    people = [
        Row(text=text, source="bank", labels={TASK: right}, labelled_by="expert",
            meta={"teacher": calls.get(right, right)})
        for text, right in asked[:CHECKED]
    ]  # fmt: skip
    teacher = [
        Row(text=text, source="bank", labels={TASK: calls.get(right, right)}, labelled_by="model")
        for text, right in asked[CHECKED:]
    ]
    return people, teacher


def _lesson(rows: Sequence[Row]) -> Lesson:
    ids = tuple(row.id for row in rows)
    return Lesson(Dataset(name="bank", task=TASK, role="train", rows=ids, recipe=""), rows)


def _read(file: Path) -> Pairs:
    with file.open(encoding="utf-8", newline="") as lines:
        return [(row["text"], row["label"]) for row in csv.DictReader(lines)]


def _nobody(prompt: str, /, *, model: str) -> str:
    raise AssertionError(f"no model is asked: {model}, {prompt[:20]!r}")
