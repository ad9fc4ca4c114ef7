"""Which variant answers: by weight, and the same one for the same subject."""

import random
from itertools import accumulate
from typing import NamedTuple

from openflywheel.base.ids import share_of
from openflywheel.serve.routes import Route


class Drawn(NamedTuple):
    """A variant, and the chance with which it was drawn."""

    variant: str
    propensity: float


def draw(task: str, route: Route, subject: str) -> Drawn:
    """A variant of a route. A subject stays with its own as long as the weights stay.

    Variants keep their order, so that a shift of weights moves only the subjects that must move.
    """
    names = list(route.variants)
    weights = [route.variants[name].weight for name in names]
    total = sum(weights)
    point = (share_of(subject, f"variant of {task}") if subject else random.random()) * total
    edges = list(accumulate(weights))
    place = next((i for i, edge in enumerate(edges) if point < edge), len(names) - 1)
    return Drawn(names[place], weights[place] / total)
