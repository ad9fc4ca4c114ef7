"""Jobs over processes of this machine. A worker that dies is noticed, and its job goes to another one."""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

import pyarrow as pa

from openflywheel.base.errors import FlywheelError
from openflywheel.base.instruments.threads import one_thread
from openflywheel.curate._engine.step import StepFailed, answered

J = TypeVar("J")
D = TypeVar("D")
TRIES = 3  # how often a job may take its worker with it
DYING = 5  # seconds between the end of its pipe and its own
THREADS = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}  # of libraries that ask when they are first used


class Local:
    """Spawned processes, one thread each; as many as there are cores unless told. They live until `close`."""

    def __init__(self, processes: int | None = None) -> None:
        self._most = processes or len(os.sched_getaffinity(0))
        self._idle: list[_Worker] = []

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the processes."""
        for worker in self._idle:
            worker.stop()
        self._idle.clear()

    def each(self, function: Callable[[J], D], jobs: Sequence[J], *, model: bool = False) -> Iterator[D]:  # noqa: ARG002
        """See `Engine.each`; models stay open. Raises StepFailed for a job that kills its workers."""
        waiting, tries = list(reversed(range(len(jobs)))), [0] * len(jobs)
        busy: dict[Connection, tuple[_Worker, int]] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < self._most:
                    worker, number = self._idle.pop() if self._idle else _Worker(), waiting.pop()
                    busy[worker.pipe] = worker, number
                    worker.give(function, jobs[number])
                for pipe in wait(list(busy)):
                    worker, number = busy.pop(cast(Connection, pipe))
                    answer = worker.answer()
                    if answer is None:
                        tries[number] += 1
                        _check_tries(jobs[number], tries[number], worker.stop())
                        waiting.append(number)
                        continue
                    self._idle.append(worker)
                    if isinstance(answer[0], FlywheelError):
                        raise answer[0]
                    yield answer[0]
        finally:
            for worker, _ in busy.values():
                worker.stop()


def _check_tries(job: object, tries: int, code: int | None) -> None:
    if tries == TRIES:
        raise StepFailed(
            f"{job} killed its worker {TRIES} times (exit code {code}; -9 is often a lack of memory): look at"
            " its largest rows, or give the engine fewer processes"
        )


class _Worker:
    """One process, and the pipe to it."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=_work, args=(far,), daemon=True)
        self._process.start()
        far.close()

    def give(self, function: Callable[[Any], Any], job: Any) -> None:
        """Let it do a job. One that has just died answers that it did."""
        try:
            self.pipe.send_bytes(pickle.dumps((function, job)))
        except BrokenPipeError:
            self._process.join()

    def answer(self) -> tuple[Any] | None:
        """What the job gave or raised, in a tuple; None when the process died."""
        try:
            answer: tuple[Any] = pickle.loads(self.pipe.recv_bytes())  # noqa: S301  from our own process
            return answer
        except (EOFError, ConnectionResetError):
            self._process.join(DYING)
            return None

    def stop(self) -> int | None:
        """Kill the process; returns how it ended."""
        self._process.kill()
        self._process.join()
        self.pipe.close()
        return self._process.exitcode


def _work(pipe: Connection) -> None:
    """The life of a process: job after job, until nobody listens any more."""
    os.environ.update(THREADS)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with one_thread():
        while True:
            try:
                pipe.send_bytes(answered(*pickle.loads(pipe.recv_bytes())))  # noqa: S301  from our own process
                pa.default_memory_pool().release_unused()
            except (EOFError, BrokenPipeError, KeyboardInterrupt):
                return
