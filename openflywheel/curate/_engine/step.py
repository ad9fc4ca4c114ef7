"""The steps of a run, and how each process opens them once."""

import pickle
import traceback
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import pyarrow as pa
from msgspec import Struct

from openflywheel.base.errors import FlywheelError
from openflywheel.curate._whole import Whole


class StepFailed(FlywheelError):
    """A step raised; says which, on which shard, and why."""


def answered(function: Callable[[Any], Any], job: object) -> bytes:
    """What a job gave or raised, pickled in a tuple for the process that asked for it."""
    try:
        return pickle.dumps((function(job),))
    except FlywheelError as error:
        error.add_note(traceback.format_exc())
        return pickle.dumps((error,))
    except Exception as error:  # told by name in the process that asked for the job
        failed = StepFailed(f"{job} failed: {type(error).__name__}: {error}")
        failed.add_note(traceback.format_exc())
        return pickle.dumps((failed,))


class Step(Struct, frozen=True):
    """One step as it was loaded: a function from batch to table, or a Whole. `model`: it holds a model."""

    name: str
    does: Callable[[pa.Table], pa.Table] | Whole
    model: bool = False


Opener: TypeAlias = Callable[[], Sequence[Step]]
"""Loads the steps, in their order; it is pickled into every process (a function at the top of a module, or a
functools.partial of one) and called once in each. On the engine Inline it is not pickled."""


class Stage(Struct, frozen=True):
    """Batch steps, then the whole steps after them, up to the next batch step."""

    batch: tuple[Step, ...] = ()
    whole: tuple[Step, ...] = ()

    @property
    def wholes(self) -> tuple[Whole, ...]:
        return tuple(step.does for step in self.whole if isinstance(step.does, Whole))


def stages(steps: Sequence[Step]) -> list[Stage]:
    """The steps cut where a batch step follows a whole one; at least one stage."""
    cut: list[Stage] = []
    for whole, run in groupby(steps, lambda step: isinstance(step.does, Whole)):
        if not whole:
            cut.append(Stage(batch=tuple(run)))
        else:
            before = cut.pop() if cut else Stage()
            cut.append(Stage(batch=before.batch, whole=tuple(run)))
    return cut or [Stage()]


class Plan(Struct, frozen=True):
    """The steps of one run, in whatever process it is unpickled; `run` names the run."""

    run: str
    opener: Opener

    def stages(self) -> list[Stage]:
        """Opened at the first call in each process and kept until another run's are."""
        if self.run not in _opened:
            _opened.clear()
            _opened[self.run] = stages(self.opener())
        return _opened[self.run]

    def close(self) -> None:
        """Let go of this process's steps with all that they hold."""
        _opened.pop(self.run, None)


_opened: dict[str, list[Stage]] = {}
