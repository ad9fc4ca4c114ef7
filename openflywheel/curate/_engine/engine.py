"""Where jobs are done. All that passes between them lies in files, so any engine may go on for another."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

J = TypeVar("J")
D = TypeVar("D")


class Engine(Protocol):
    """Does jobs, in any order and place that sees the work folder."""

    def each(self, function: Callable[[J], D], jobs: Sequence[J], *, model: bool = False) -> Iterator[D]:
        """What `function` gives for each job, as they are done.

        `function` stands at the top of a module, jobs can be pickled, what they give is small. `model` says
        that the steps hold a model: workers that opened one are to be kept. Closing the iterator stops what
        is running. An exception of a job ends the run with that exception.
        """
        ...


class Inline:
    """Does them here, one after another: for the few records of a turn."""

    def each(self, function: Callable[[J], D], jobs: Sequence[J], *, model: bool = False) -> Iterator[D]:  # noqa: ARG002
        """See `Engine.each`; models live in this process anyway."""
        return map(function, jobs)
