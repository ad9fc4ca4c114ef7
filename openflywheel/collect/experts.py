"""Ask people who know: a gap that asks for labels becomes questions in the experts' queue.

What they answer comes back as signals, and through study and traffic as Records.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from openflywheel.base.nouns import Gap, Record, Signal


class Queue(Protocol):
    """The experts' queue (store/experts.py)."""

    def ask(self, exchanges: Sequence[str], *, task: str, why: str, known: Sequence[str]) -> None: ...


def experts(
    gap: Gap, *, experts: Queue, heard: Callable[[Sequence[str]], Mapping[str, Sequence[Signal]]]
) -> Iterator[Record]:
    """Ask for the first `gap.budget` exchanges of the evidence; yields nothing by itself.

    What an expert has said already (a person resolved it) is noted, and not asked again.
    """
    wanted = gap.evidence[: gap.budget]
    said = heard(wanted)
    known = [e for e in wanted if any(s.source == "expert" and s.correction for s in said.get(e, ()))]
    experts.ask(wanted, task=gap.task, why=gap.why, known=known)
    return iter(())
