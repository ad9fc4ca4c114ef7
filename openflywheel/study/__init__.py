"""Signal -> Gap: see what is missing; back to collect.

A student is one file here; it reads the evidence and writes orders for collect:

    def clusters(evidence, *, k=150) -> Iterable[Gap]

A Gap with a `budget` asks for that many labels, in the order of its `evidence`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.champion import champions
from openflywheel.base.holdout import DRAWN
from openflywheel.base.nouns import Arrow, Exchange, Gap, Model, Row, Signal, Step, Verdict
from openflywheel.base.room import Given

ARROW = Arrow(takes=Signal, gives=Gap, given=(Exchange, Row, Model, Verdict, Step))
TRUSTED = ("user", "expert")  # truth is people; what a model or a rule says never teaches


class Evidence(Struct, frozen=True):
    """What a student looks at.

    `fresh` are the exchanges since the last passage, oldest first; `exchanges` adds those that the new
    signals are about; `heard` maps an exchange to all its signals; `signals` are the new ones;
    `rows` are all curated rows; `contests` maps a task to its newest candidate and the champion, where they
    are two; `drawn` counts a task's questions for the holdout that this turn has asked already.
    """

    fresh: Sequence[Exchange]
    exchanges: Mapping[str, Exchange]
    heard: Mapping[str, Sequence[Signal]]
    signals: Sequence[Signal]
    rows: Sequence[Row]
    contests: Mapping[str, tuple[Model, Model]]
    drawn: Mapping[str, int]

    def answered(self, exchange: str) -> str:
        """The right answer that a person gave for an exchange, the newest; empty when nobody did."""
        said = [s.correction for s in self.heard.get(exchange, ()) if s.correction and s.source in TRUSTED]
        return said[-1] if said else ""

    def rating(self, exchange: str) -> float:
        """The newest rating that a person gave for an exchange, from -1 to 1; 0 when nobody did."""
        said = [s.value for s in self.heard.get(exchange, ()) if s.kind == "rating" and s.source in TRUSTED]
        return said[-1] if said else 0.0

    def taught(self, task: str) -> list[str]:
        """Texts that the task's training rows hold already, oldest first."""
        return [row.text for row in self.rows if row.role == "train" and task in row.labels]

    def unlabelled(self, task: str) -> list[Row]:
        """Sealed rows of a task whose right answer nobody has given yet, and whose text teaches nothing."""
        sealed = [row for row in self.rows if row.role == "holdout" and task in row.labels]
        known, taught = {row.uri for row in sealed if row.labels[task]}, set(self.taught(task))
        return [row for row in sealed if row.uri not in known and row.text not in taught]


Student = Callable[[Evidence], Iterable[Gap]]


def run(took: Sequence[Signal], given: Given, plugins: Sequence[Student]) -> Iterator[Gap]:
    """Let every student read the evidence that came since the last time."""
    fresh = given.new(Exchange)
    known = {e.id: e for e in fresh}
    known |= given.get(Exchange, [s.exchange for s in took if s.exchange and s.exchange not in known])
    heard, contests = given.heard(list(known)), _contests(given.all(Model), given.all(Verdict))
    drawn = _drawn(given.all(Gap), given.all(Step))
    evidence = Evidence(fresh, known, heard, took, given.all(Row), contests, drawn)
    for student in plugins:
        yield from student(evidence)


def _contests(models: Sequence[Model], verdicts: Sequence[Verdict]) -> dict[str, tuple[Model, Model]]:
    newest, known = {m.task: m for m in models}, {m.id: m for m in models}
    serving = champions(verdicts)
    return {
        task: (candidate, known[serving[task]])
        for task, candidate in newest.items()
        if task in serving and serving[task] != candidate.id
    }


def _drawn(gaps: Sequence[Gap], steps: Sequence[Step]) -> Counter[str]:
    """Questions for the holdout since the last turn ended with velocity: study may pass several times."""
    ended = max((step.at for step in steps if step.room == "velocity"), default=0.0)
    count: Counter[str] = Counter()
    for gap in gaps:
        if gap.why == DRAWN and gap.at > ended:
            count[gap.task] += gap.budget
    return count
