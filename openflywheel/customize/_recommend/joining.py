"""How much factors, content and popularity count: by each person's last choice, which taught none of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from openflywheel.base.forms.recommender import Recommender, Weights
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.customize._listwise import Listed, fitted, held_out
from openflywheel.customize._recommend.choices import Choice, Choices, by_person

MIXED, POPULAR = "mixed", "popular"
FIXED: Mapping[str, tuple[float, ...]] = {"factors": (1, 0, 0), "content": (0, 1, 0), POPULAR: (0, 0, 1)}
FAINTEST = 1e-3  # weight of a feature that foretells nothing: it orders, and draws are nearly uniform
LEAST = 20  # people with two choices; with fewer popularity stays alone
SESSION = 20  # newest choices that stand for a session
CELLS = 2_000_000  # of features that are held in memory, for all lists together


class Way(Struct, frozen=True):
    """A way of ordering items, its weights of the features, and its mean nDCG@10."""

    name: str
    weights: Weights
    figure: float


class Last(Struct, frozen=True):
    """What somebody asked before their last choice, and that choice."""

    asked: Asked
    item: int


def apart(known: Choices) -> tuple[list[Choice], list[Last]]:
    """The choices that teach, and the last one of everybody with more than one.

    Every other person stays unknown and is judged by the session alone, as a stranger will be.
    """
    people, taught, last = by_person(known.chosen), [c for c in known.chosen if not c.person], list[Last]()
    most = max(LEAST, CELLS // len(known.ids))
    for number, (person, chosen) in enumerate(people.items()):
        if len(chosen) < 2 or len(last) == most:
            taught += chosen
            continue
        session = tuple(known.ids[choice.item] for choice in chosen[:-1][-SESSION:])
        stranger = number % 2 == 1
        last.append(Last(Asked(subject="" if stranger else person, session=session), chosen[-1].item))
        taught += chosen[:-1]
    return taught, last


def ways(model: Recommender, last: Sequence[Last]) -> list[Way]:
    """Every way with its figure; that of the learned mixture is out of fold."""
    lists = [_listed(model, one) for one in last]
    scored = {name: [one.features @ np.array(w) for one in lists] for name, w in FIXED.items()}
    scored[MIXED] = held_out(lists)
    weights = {**{name: _logits(lists, np.array(w)) for name, w in FIXED.items()}, MIXED: fitted(lists)}
    return [
        Way(name, weights[name], float(np.mean([_gain(*each) for each in zip(lists, scores, strict=True)])))
        for name, scores in scored.items()
    ]


def _logits(lists: Sequence[Listed], feature: Weights) -> Weights:
    """The weights of one feature alone, as strong as the choices were sure: draws are a softmax of scores."""
    alone = [Listed((one.features @ np.float32(feature))[:, None], one.right) for one in lists]
    logits: Weights = feature * max(float(fitted(alone)[0]), FAINTEST)
    return logits


def _listed(model: Recommender, one: Last) -> Listed:
    """All items but those of the session."""
    left = ~np.isin(np.array(model.tastes.ids, object), np.array(one.asked.session, object))
    right = np.zeros(len(left), np.float32)
    right[one.item] = 1
    return Listed(model.features(one.asked)[left], right[left])


def _gain(one: Listed, scores: Weights) -> float:
    order = np.argsort(-scores, kind="stable")[:10]
    return ndcg([str(place) for place in order], {str(int(one.right.argmax()))})
