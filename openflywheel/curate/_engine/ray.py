"""Jobs over a Ray cluster, by Ray Data. All nodes must see the work folder and have this package installed.

A job of a node that dies is done again on another one, as is one that lost its worker, up to `TRIES` times.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import ray
import ray.data
from ray.exceptions import RayError

from openflywheel.base.errors import FlywheelError
from openflywheel.base.instruments.cluster import joined
from openflywheel.base.instruments.threads import one_thread
from openflywheel.curate._engine.step import StepFailed, answered

J = TypeVar("J")
D = TypeVar("D")
TRIES = 3  # how often a job may take its worker with it


class Ray:
    """Workers of a Ray cluster until `close`: plain tasks, and for models an autoscaling pool of actors.

    address: as `joined` has it. Raises SettingsError when no cluster answers there.
    """

    def __init__(self, address: str | None = None) -> None:
        self._until_closed = ExitStack()
        self._until_closed.enter_context(joined(address))
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False

    def __enter__(self) -> "Ray":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster, unless the program was in it before; stop it if it was started here."""
        self._until_closed.close()

    def each(self, function: Callable[[J], D], jobs: Sequence[J], *, model: bool = False) -> Iterator[D]:
        """See `Engine.each`. Raises StepFailed for a job that fails or that kills its workers."""
        if not jobs:
            return
        packed = [{"job": pickle.dumps((function, job))} for job in jobs]
        one_a_task = ray.data.from_items(packed, override_num_blocks=len(packed))
        try:
            for answer in _answers(_sent(one_a_task, model)):
                if isinstance(answer, FlywheelError):
                    raise answer
                yield answer
        except RayError as error:
            raise StepFailed(f"the cluster failed: {type(error).__name__}: {error}") from error


def _sent(jobs: "ray.data.Dataset", model: bool) -> "ray.data.Dataset":
    """The jobs with what they gave, as a plan that runs when it is read."""
    if model:
        # One call at a time all the same; but in the thread that knows which attempt it is.
        pool = ray.data.ActorPoolStrategy(min_size=1, enable_true_multi_threading=True)
        return jobs.map_batches(_Worker, num_cpus=1, compute=pool)
    return jobs.map_batches(_work, num_cpus=1)


def _answers(sent: "ray.data.Dataset") -> Iterator[Any]:
    """As they come. Ray's iterators of rows read ahead in a thread, which waits for a job before it ends."""
    for bundle in sent.iter_internal_ref_bundles():
        for block in bundle.blocks:
            for answer in ray.get(block.ref)["answer"].to_pylist():
                yield pickle.loads(answer)[0]  # noqa: S301  from our own process


class _Worker:
    """An actor, which lives as long as there are jobs, with the models that its process has opened."""

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The jobs' answers."""
        return _work(batch)


def _work(batch: Mapping[str, Any]) -> dict[str, Any]:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with one_thread():
        answers = [_answer(job) for job in batch["job"]]
    return {"answer": np.array(answers, object)}


def _answer(job: bytes) -> bytes:
    """What the job gave or raised: an error of ours is not worth another try."""
    function, asked = pickle.loads(job)  # noqa: S301  from our own driver
    return answered(function if _deaths() < TRIES else _given_up, asked)


def _given_up(job: object) -> None:
    raise StepFailed(
        f"{job} killed its worker, or lost its node, {TRIES} times: look at its largest rows, or give the"
        " nodes more memory"
    )


def _deaths() -> int:
    """How often the job that runs here was begun before. Ray itself would begin it again without end."""
    worker: Any = ray._private.worker.global_worker
    return int(worker.core_worker.get_current_task_attempt_number())
