"""Recommendations: what is like what a person chose before, by others' choices, by content, by popularity."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Asked, Drawn

Matrix = NDArray[np.float32]
Weights = NDArray[np.float64]

FORM = "recommender"
FEATURES = ("factors", "content", "popularity")
CONFIDENCE, PENALTY = 10.0, 0.1  # of one choice against none; on the squares of factors (Hu et al. 2008)
POOL = 100  # best items that are drawn from
PEOPLE = "people.json"


class Encoder(Protocol):
    """The sentence encoder (encoder.py)."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Tastes(Struct, frozen=True):
    """What was learned: factors of items (n, f) and of people (m, f), the items' content as unit rows of
    shape (n, width) or zeros, and their popularity in [0, 1]. `weights` joins the `FEATURES`.
    """

    ids: tuple[str, ...]
    people: Mapping[str, int]
    factors: Matrix
    persons: Matrix
    content: Matrix
    popularity: Matrix
    weights: Weights


class Recommender:
    """Orders items for a person, a session or a text; draws from them where it is to explore.

    Scores are logits: of a listwise model of what is chosen next. `explore` is the share of draws that is
    uniform among the best 100, so that no propensity is below explore / 100.
    """

    def __init__(self, tastes: Tastes, encoder: Encoder, explore: float) -> None:
        self.tastes, self.explore, self._encoder = tastes, explore, encoder
        self._places = {item: place for place, item in enumerate(tastes.ids)}

    def best(self, asked: Sequence[Asked], k: int) -> list[list[tuple[str, float]]]:
        """For each the k best items with their scores, best first, without those of the session."""
        return [
            [(self.tastes.ids[place], float(scores[place])) for place in _first(scores, k)]
            for scores in self._scores(asked)
        ]

    def drawn(self, asked: Sequence[Asked], k: int, seed: int) -> list[list[Drawn]]:
        """For each k items drawn one after the other without replacement, by a softmax of the scores mixed
        with a uniform choice (Plackett-Luce: Plackett 1975), each with its propensity.

        The product of a list's propensities is the chance of the whole list. The same seed draws the same.
        """
        return [
            self._drawn(scores, k, np.random.default_rng([seed, place]))
            for place, scores in enumerate(self._scores(asked))
        ]

    def features(self, one: Asked) -> Matrix:
        """Of every item, shape (n, 3)."""
        (vector,) = self._texts([one])
        return self._features(one, vector)

    def _texts(self, asked: Sequence[Asked]) -> list[Matrix | None]:
        said = [one.text for one in asked if one.text.strip()]
        vectors = iter(self._encoder.encode(said) if said else ())
        return [next(vectors) if one.text.strip() else None for one in asked]

    def _scores(self, asked: Sequence[Asked]) -> list[Weights]:
        return [
            self._left(one, self._features(one, vector) @ self.tastes.weights)
            for one, vector in zip(asked, self._texts(asked), strict=True)
        ]

    def _left(self, one: Asked, scores: Weights) -> Weights:
        scores[self._session(one)] = -np.inf
        return scores

    def _session(self, one: Asked) -> list[int]:
        return [self._places[item] for item in one.session if item in self._places]

    def _features(self, one: Asked, text: Matrix | None) -> Matrix:
        tastes, session = self.tastes, self._session(one)
        return np.column_stack(
            [tastes.factors @ self._person(one, session), tastes.content @ self._profile(session, text),
             tastes.popularity]
        )  # fmt: skip

    def _person(self, one: Asked, session: Sequence[int]) -> Matrix:
        """Factors of who asks: those learned, those of the session, or their mean; zeros for a stranger."""
        known = self.tastes.people.get(one.subject)
        found = [self.tastes.persons[known]] if known is not None else []
        if session:
            found.append(self._folded(session))
        zeros = np.zeros(self.tastes.factors.shape[1], np.float32)
        return np.mean(found, axis=0, dtype=np.float32) if found else zeros

    def _folded(self, session: Sequence[int]) -> Matrix:
        """The factors that explain a session's choices best (Hu et al. 2008, equation 4)."""
        chosen = self.tastes.factors[session].astype(np.float64)
        left = self._all + (CONFIDENCE - 1) * chosen.T @ chosen
        folded: Matrix = np.linalg.solve(left, CONFIDENCE * chosen.sum(axis=0)).astype(np.float32)
        return folded

    @cached_property
    def _all(self) -> Weights:
        factors = self.tastes.factors.astype(np.float64)
        gram: Weights = factors.T @ factors + PENALTY * np.eye(factors.shape[1])
        return gram

    def _profile(self, session: Sequence[int], text: Matrix | None) -> Matrix:
        """The mean content of the session and of what is asked for, of length 1."""
        rows = [*self.tastes.content[session], *([] if text is None else [text])]
        total = np.sum(rows, axis=0) if rows else np.zeros(self.tastes.content.shape[1])
        return (total / max(float(np.linalg.norm(total)), 1e-9)).astype(np.float32)

    def _drawn(self, scores: Weights, k: int, random: np.random.Generator) -> list[Drawn]:
        left, out = list(_first(scores, POOL)), list[Drawn]()
        while left and len(out) < k:
            likely = np.exp(scores[left] - scores[left].max())
            chance = (1 - self.explore) * likely / likely.sum() + self.explore / len(left)
            taken = int(random.choice(len(left), p=chance / chance.sum()))
            place = left.pop(taken)
            out.append(Drawn(self.tastes.ids[place], float(scores[place]), float(chance[taken])))
        return out

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact; `manifest` is kept beside it. Content is kept as float16."""
        tastes = self.tastes
        said = {
            "form": FORM, "encoder": self._encoder.name, "items": tastes.ids, "explore": self.explore,
            "features": FEATURES, **manifest,
        }  # fmt: skip
        tensors: dict[str, NDArray[Any]] = {
            "factors": tastes.factors, "persons": tastes.persons, "popularity": tastes.popularity,
            "content": tastes.content.astype(np.float16), "weights": tastes.weights,
        }  # fmt: skip
        return artefact.keep(folder, said, tensors, {PEOPLE: msgspec.json.encode(list(tastes.people))})


def opened(place: Path, *, encoder: Encoder) -> Recommender:
    """A recommender that was kept. Raises StoreError, and EncoderError when its content has other vectors."""
    said, tensors = artefact.read(place)
    if said["encoder"] != encoder.name:
        raise EncoderError(
            f"the model {place.name} was taught on the encoder {said['encoder']!r}, this process has "
            f"{encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
        )
    people = msgspec.json.decode((place / PEOPLE).read_bytes())
    tastes = Tastes(
        ids=tuple(said["items"]),
        people={person: number for number, person in enumerate(people)},
        factors=tensors["factors"],
        persons=tensors["persons"],
        content=tensors["content"].astype(np.float32),
        popularity=tensors["popularity"],
        weights=tensors["weights"],
    )
    return Recommender(tastes, encoder, said["explore"])


def _first(scores: Weights, k: int) -> list[int]:
    """Places of the k best scores, best first, those that are left out not among them."""
    order = np.argsort(-scores, kind="stable")[:k]
    return [int(place) for place in order if scores[place] > -np.inf]
