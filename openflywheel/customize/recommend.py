"""Recommendations from what people chose: factors, content and popularity, with exploration."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.recommender import Recommender
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._recommend.choices import Choices, choices, once
from openflywheel.customize._recommend.factors import tastes
from openflywheel.customize._recommend.joining import LEAST, POPULAR, apart, ways

KINDS = ("rank",)

Matrix = NDArray[np.float32]


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


def recommend(
    lesson: Lesson, *, factors: int = 32, explore: float = 0.05, encoder: Encoder, artefacts: Path, seed: int
) -> Model:
    """Orders items for people by what they and others chose.

    Rows with a label are choices: the label is the item's id, the subject who chose; rows whose meta says
    "item" give items their text. `factors` numbers of taste a person and an item; `explore`, in [0, 1], is
    the share of draws that is uniform. Factors, content and popularity are weighed by each person's last
    choice; where fewer than 20 people chose twice, popularity stays alone. The report holds each one's
    "ndcg@10" on those last choices. However often a person chose an item, it counts once. Raises
    SettingsError where there is nothing to choose between, or a setting is out of its range.
    """
    _check(factors, explore)
    start, task = time.process_time(), lesson.dataset.task
    known = choices(lesson)
    made, way, report = _made(known, encoder, factors, explore, seed)
    place = made.keep(
        artefacts, task=task, kind=lesson.kind, method=way, base={"name": encoder.name},
        taught_by=lesson.taught_by, report=report,
    )  # fmt: skip
    return lesson.model(f"recommend.{way}", place, base=encoder.name, report=report, start=start)


def _check(factors: int, explore: float) -> None:
    if not 0 <= explore <= 1:
        raise SettingsError(f"customize.recommend: explore = {explore}: a share from 0 to 1 is wanted")
    if factors < 1:
        raise SettingsError(f"customize.recommend: factors = {factors}; give 1 or more, such as 32")


def _made(
    known: Choices, encoder: Encoder, factors: int, explore: float, seed: int
) -> tuple[Recommender, str, dict[str, float]]:
    """The recommender taught by all choices, as those were that judged, joined as the ones set apart say."""
    content = _content(known, encoder)
    taught, last = apart(known)
    every = {}
    if len(last) >= LEAST:
        first = Recommender(tastes(known, taught, content, factors, seed), encoder, explore)
        every = {way.name: way for way in ways(first, last)}
    best = max(every.values(), key=lambda way: way.figure, default=None)
    whole = tastes(known, once(known.chosen), content, factors, seed)
    joined = replace(whole, weights=best.weights) if best else whole
    report = {
        **({"ndcg@10": best.figure} if best else {}),
        **{f"ndcg@10 {name}": way.figure for name, way in every.items()},
        "items": float(len(known.ids)),
        "people": float(len(whole.people)),
        "rows": float(len(known.chosen)),
        "last choices": float(len(last)),
    }
    return Recommender(joined, encoder, explore), best.name if best else POPULAR, report


def _content(known: Choices, encoder: Encoder) -> Matrix:
    """A vector of each item's text; zeros where it has none."""
    out = np.zeros((len(known.ids), encoder.width), np.float32)
    having = [place for place, text in enumerate(known.texts) if text.strip()]
    if having:
        out[having] = encoder.encode([known.texts[place] for place in having])
    return out
