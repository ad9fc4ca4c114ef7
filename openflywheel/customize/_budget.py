"""What a run will take is told before it starts; above a limit somebody must agree to it."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from openflywheel.base.door import function_of, name_of
from openflywheel.base.nouns import Reading


class Estimate(Struct, frozen=True, kw_only=True):
    """What a run will take: `tokens` of all epochs, seconds of this process or of a GPU, dollars for them."""

    tokens: int = 0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    dollars: float = 0.0
    note: str = ""


Allow = Callable[[str, Estimate], bool]


def foreseen(trainer: Callable[..., Any], lesson: object) -> Estimate | None:
    """What a loaded trainer says that a lesson will take; None where it says nothing.

    That is called with all that the trainer would be: def estimate(lesson, **given) -> Estimate
    """
    estimate = getattr(sys.modules[function_of(trainer).__module__], "estimate", None)
    if estimate is None:
        return None
    found: Estimate | None = estimate(lesson, **(trainer.keywords if isinstance(trainer, partial) else {}))
    return found


def settings(trainer: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """All that a trainer would be called with beside the lesson: what is given, and its own defaults.

    So an `estimate` has no settings of its own to keep in step. Raises TypeError for an unknown name.
    """
    bound = inspect.signature(trainer).bind_partial(**given)
    bound.apply_defaults()
    return dict(bound.arguments)


def told(trainer: Callable[..., Any], task: str, estimate: Estimate) -> Iterator[Reading]:
    """The estimate as Readings, to be held against the Model's cost."""
    name, note = f"customize.{name_of(trainer)}", estimate.note
    seconds = estimate.cpu_seconds or estimate.gpu_seconds
    yield Reading(name=f"{name}.estimated_seconds", value=seconds, task=task, unit="s", note=note)
    if estimate.dollars:
        yield Reading(name=f"{name}.estimated_cost", value=estimate.dollars, task=task, unit="$", note=note)


def refused(trainer: Callable[..., Any], estimate: Estimate) -> str:
    """Why a run waits, and what to do."""
    took = f"{estimate.cpu_seconds or estimate.gpu_seconds:,.0f} s and {estimate.dollars:.2f} dollars"
    name = name_of(trainer)
    return f"{name} would take {took}, more than wheel.budget allows; agree with: flywheel turn --yes"
