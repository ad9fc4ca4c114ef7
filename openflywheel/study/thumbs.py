"""Answers of text tasks that people liked or did not, for those who teach preferences."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from openflywheel.base.nouns import Gap
from openflywheel.base.settings import Task
from openflywheel.base.thumbs import DOWN, UP, WHY
from openflywheel.study import Evidence

Found = tuple[str, str, float]  # task, thumb, weight


def thumbs(evidence: Evidence, *, tasks: Mapping[str, Task], least: float = 0.2) -> Iterator[Gap]:
    """A Gap a task, thumb and weight: collect turns its evidence into Records (see collect/traffic.py).

    A person's rating or an outcome weighs 1. Without one, derived signals say it, where their kinds go with
    people's ratings (velocity's signal_validity) and what they say together is at least `least`: it weighs as
    much as they say, in tenths. What a person corrected is left out: the correction says more.
    """
    whys = {thumb: why for why, thumb in WHY.items()}
    found: dict[Found, list[str]] = defaultdict(list)
    for id, exchange in evidence.exchanges.items():
        if exchange.task in tasks and tasks[exchange.task].kind == "text" and exchange.output:
            said = evidence.rating(id) or evidence.hint(id)
            weight = 1.0 if evidence.rating(id) else round(abs(said), 1)
            if abs(said) >= least and weight and not evidence.answered(id):
                found[exchange.task, UP if said > 0 else DOWN, weight].append(id)
    for (task, thumb, weight), ids in found.items():
        yield Gap(topic=task, why=whys[thumb], task=task, weight=weight, evidence=tuple(ids))
