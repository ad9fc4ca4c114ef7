"""Signal -> Gap: see what is missing; back to collect.

A student is one file here; it reads the evidence and writes orders for collect:

    def clusters(evidence, *, k=150) -> Iterable[Gap]

A Gap with a `budget` asks for that many labels, in the order of its `evidence`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.champion import champions
from openflywheel.base.holdout import DRAWN, SPOT
from openflywheel.base.nouns import (
    EXCHANGE,
    Arrow,
    Exchange,
    Fault,
    Gap,
    Model,
    Reading,
    Row,
    Signal,
    Step,
    Verdict,
)
from openflywheel.base.quarantine import QUARANTINE, counting, judged
from openflywheel.base.room import Given
from openflywheel.base.validity import weights

ARROW = Arrow(takes=Signal, gives=Gap, given=(Exchange, Row, Model, Verdict, Step, Reading))
TRUSTED = ("user", "expert")  # truth is people; what a model or a rule says never teaches


class Evidence(Struct, frozen=True):
    """What a student looks at.

    `fresh` are the exchanges since the last passage, oldest first; `exchanges` adds those that the new
    signals are about; `heard` maps an exchange (or episode) to all its signals; `signals` are the new ones;
    `rows` are all curated rows; `contests` maps a task to its newest candidate and the champion, where they
    are two; `drawn` counts a task's questions for the holdout that this turn has asked already; `spotted`
    are the exchanges that were ever drawn for the cascade's threshold, by id; `weights` maps those kinds of
    derived signals that go with people's ratings to their correlation.
    """

    fresh: Sequence[Exchange]
    exchanges: Mapping[str, Exchange]
    heard: Mapping[str, Sequence[Signal]]
    signals: Sequence[Signal]
    rows: Sequence[Row]
    contests: Mapping[str, tuple[Model, Model]]
    drawn: Mapping[str, int]
    spotted: Mapping[str, Exchange] = {}
    weights: Mapping[str, float] = {}

    def answered(self, exchange: str) -> str:
        """The right answer that a person gave for an exchange, the newest; empty when nobody did."""
        said = [s.correction for s in self.heard.get(exchange, ()) if s.correction and s.source in TRUSTED]
        return said[-1] if said else ""

    def rating(self, exchange: str) -> float:
        """The newest rating that a person gave for an exchange, from -1 to 1; 0 when nobody did.

        Without one: what came of it (the newest outcome), else the same of its whole episode.
        """
        found = self.exchanges.get(exchange)
        for about in (exchange, found.episode if found else ""):
            said = self.heard.get(about, ())
            ratings = [s.value for s in said if s.kind == "rating" and s.source in TRUSTED]
            outcomes = [s.value for s in said if s.kind == "outcome" and s.explicit]
            if ratings or outcomes:
                return (ratings or outcomes)[-1]
        return 0.0

    def hint(self, exchange: str) -> float:
        """What derived signals say of an exchange, from -1 to 1, each by its weight: 0 without evidence."""
        newest = {s.kind: s.value for s in self.heard.get(exchange, ()) if not s.explicit}
        said = sum(self.weights[kind] * value for kind, value in newest.items() if kind in self.weights)
        return max(-1.0, min(1.0, said))

    def taught(self, task: str) -> list[str]:
        """Texts that the task's training rows hold already, oldest first."""
        return [row.text for row in self.rows if row.role == "train" and task in row.labels]

    def unlabelled(self, task: str) -> list[Row]:
        """Sealed rows of a task whose right answer nobody has given yet, and whose text teaches nothing.

        Without those that were drawn for the threshold: what is answered there judges no candidate.
        """
        sealed = [row for row in self.rows if row.role == "holdout" and task in row.labels]
        known, taught = {row.uri for row in sealed if row.labels[task]}, set(self.taught(task))
        known |= {f"{EXCHANGE}{id}" for id in self.spotted}
        return [row for row in sealed if row.uri not in known and row.text not in taught]


Student = Callable[[Evidence], Iterable[Gap | Fault]]


def run(took: Sequence[Signal], given: Given, plugins: Sequence[Student]) -> Iterator[Gap | Fault]:
    """Let every student read the evidence that came since the last time.

    Exchanges that no task asked for, or that were cut short, are not studied.
    """
    fresh = [e for e in given.new(Exchange) if e.task and not e.ended]
    known = {e.id: e for e in fresh}
    verdicts = given.all(Verdict)
    said = _said(took, given, verdicts)
    known |= given.get(Exchange, [s.exchange for s in said if s.exchange and s.exchange not in known])
    known |= _talks(said, given)
    names = [*known, *(e.episode for e in known.values())]
    heard, contests = _heard(given, names, verdicts), _contests(given.all(Model), verdicts)
    gaps = given.all(Gap)
    drawn = _drawn(gaps, given.all(Step))
    spotted = given.get(Exchange, [id for gap in gaps if gap.why == SPOT for id in gap.evidence])
    worth = weights(given.all(Reading))
    evidence = Evidence(fresh, known, heard, said, given.all(Row), contests, drawn, spotted, worth)
    for student in plugins:
        for thing in student(evidence):
            if isinstance(thing, Gap):
                drawn += _asked(thing)  # the next student sees what this one has taken of the budget
            yield thing


def _said(took: Sequence[Signal], given: Given, verdicts: Sequence[Verdict]) -> list[Signal]:
    """New signals that count, and older ones that count only now."""
    cleared = [v.about for v in given.new(Verdict) if v.check == QUARANTINE and v.passed == "yes"]
    both = {s.id: s for s in took} | given.get(Signal, cleared)
    return counting(both.values(), judged(verdicts))


def _talks(said: Sequence[Signal], given: Given) -> dict[str, Exchange]:
    """The exchanges of those episodes about which something was said."""
    episodes = [s.episode for s in said if not s.exchange]
    found = given.named(Exchange, episodes) if episodes else {}
    return {e.id: e for talk in found.values() for e in talk if e.task and not e.ended}


def _heard(given: Given, exchanges: Sequence[str], verdicts: Sequence[Verdict]) -> dict[str, list[Signal]]:
    passed = judged(verdicts)
    return {id: counting(said, passed) for id, said in given.heard(exchanges).items()}


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
    return sum((_asked(gap) for gap in gaps if gap.at > ended), Counter())


def _asked(gap: Gap) -> Counter[str]:
    return Counter({gap.task: gap.budget if gap.why in (DRAWN, SPOT) else 0})
