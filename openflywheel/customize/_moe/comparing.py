"""A mixture of adapters, and one adapter for all domains, judged by the same rows."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openflywheel.base.instruments.checkpoint import beside, loaded
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Row
from openflywheel.customize._moe.domains import Routed
from openflywheel.customize._moe.judging import losses
from openflywheel.customize._moe.settings import Job
from openflywheel.customize._tuning.answering import Taught
from openflywheel.customize._tuning.chats import examples
from openflywheel.customize._tuning.checkpoint import tokenizer
from openflywheel.customize._tuning.running import Plan
from openflywheel.customize._tuning.telling import quiet
from openflywheel.customize._tuning.tuning import Progress


def mixed(taught: Sequence[Taught], judging: Sequence[Row], found: Routed, task: str) -> dict[str, float]:
    """The loss on rows that judge, each by the adapter that the router sends it to; nothing without rows."""
    plan, total, counted = taught[0].plan, 0.0, 0
    adapters = {str(number): each.plan.adapter for number, each in enumerate(taught)}
    with quiet():
        network = beside(loaded(Path(plan.base.place))[0], adapters)
        for number, domain in enumerate(found.router.labels):
            network.set_adapter(str(number))
            rows = [row for row, to in zip(judging, found.judging, strict=True) if to == domain]
            loss, tokens = _losses(network, plan, rows, task)
            total, counted = total + loss, counted + tokens
    if not counted:
        return {}
    return {"validation_loss": total / counted, "perplexity": math.exp(total / counted)}


def single(job: Job, judging: Sequence[Row], times: int, progress: Progress) -> dict[str, float]:
    """What one adapter of the same rank reaches on all domains, with as many steps as all of theirs."""
    plan = job.planned(job.lesson, times).plan
    figures = job.run(plan, progress).figures
    with quiet():
        network, _ = loaded(Path(plan.base.place), plan.adapter)
        loss, tokens = _losses(network, plan, judging, job.lesson.dataset.task)
    found = {"single_loss": figures["loss"], "single_trained": figures["trained"]}
    return {**found, "single_validation_loss": loss / tokens} if tokens else found


def _losses(network: Any, plan: Plan, rows: Sequence[Row], task: str) -> tuple[float, int]:
    template = Template(tokenizer(plan.base, plan.tuning.template))
    kept = examples(rows, task, template, plan.tuning.most_tokens).kept
    total, counted = losses(network, kept)
    return total, counted
