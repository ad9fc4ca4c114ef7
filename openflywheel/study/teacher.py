"""What a provider's model answered in our model's place: it may teach a student, where people bear it out."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from openflywheel.base.nouns import Gap
from openflywheel.base.settings import Task
from openflywheel.base.thumbs import TEACHER
from openflywheel.study import Evidence


def teacher(evidence: Evidence, *, tasks: Mapping[str, Task]) -> Iterator[Gap]:
    """One Gap a label task, of its new exchanges that the cascade's `else` answered.

    Collect makes Records of them (see collect/traffic.py) that no trainer takes for what is right; distil, of
    customize, learns from them. What a person answered is left out: `taught` sends it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for exchange in evidence.fresh:
        label = exchange.task in tasks and tasks[exchange.task].kind == "label"
        if label and exchange.output and "/" in exchange.variant and not evidence.answered(exchange.id):
            found[exchange.task].append(exchange.id)
    for task, ids in found.items():
        yield Gap(topic=task, why=TEACHER, task=task, evidence=tuple(ids))
