"""How many documents does it take to close a gap?"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from openflywheel.base.nouns import Exchange, Gap, Reading, Signal, Verdict
from openflywheel.base.quarantine import counting, judged

CLOSED, FETCHED = "gap_closed", "documents_fetched"
NEWEST = 500  # gaps that are looked at: bounds the work to some .1 CPU-s
ALIKE = 0.6  # MiniLM cosine of two questions of one kind
LEVEL = 0.95


class Look(Protocol):
    """What is looked at of the velocity room's Log.

    `gaps` are all gaps; `documents` counts the records without labels that other sources than the own traffic
    brought since the last look; `recent_exchanges` are the newest, oldest first.
    """

    @property
    def turn(self) -> int: ...
    @property
    def readings(self) -> Sequence[Reading]: ...
    @property
    def verdicts(self) -> Sequence[Verdict]: ...
    @property
    def recent_signals(self) -> Sequence[Signal]: ...
    @property
    def recent_exchanges(self) -> Sequence[Exchange]: ...
    @property
    def gaps(self) -> Sequence[Gap]: ...
    @property
    def documents(self) -> int: ...


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def documents_per_gap(
    log: Look, *, least: int = 5, failing: float = 0.2, encoder: Encoder
) -> Iterator[Reading]:
    """Documents fetched for each gap that was closed, over the wheel's whole life.

    A gap asks for documents when it has queries. It is closed at the first look where at least `least` recent
    exchanges of its kind came after it, and of the newest 4 `least` of them at most the share `failing`
    failed: no answer, or a person's newest word against it. Of its kind is an exchange of its task whose
    question has a cosine of .6 or more to one of the queries. A gap that was closed stays counted; if its
    topic fails again, study makes another.

    documents_fetched: since the last look, from the first such gap on. gap_closed: one for each gap, with the
    documents fetched since it came (whatever they were fetched for); the note begins with its id.
    documents_per_gap: all documents / all closed gaps, 95 % interval with the closed as a Poisson count
    (Garwood 1936); none while no gap is closed.
    """
    asking = [g for g in log.gaps if g.queries][-NEWEST:]
    if not asking:  # what came before the first gap was fetched for none
        return
    reading = partial(Reading, turn=log.turn)
    fetched = [(r.at, r.value) for r in log.readings if r.name == FETCHED]
    yield reading(name=FETCHED, value=log.documents, unit="documents")
    before = {r.note.partition(":")[0] for r in log.readings if r.name == CLOSED}
    now = _closed([g for g in asking if g.id not in before], log, least, failing, encoder)
    for gap in now:
        since = log.documents + sum(n for at, n in fetched if at > gap.at)
        yield reading(
            name=CLOSED, value=since, task=gap.task, unit="documents", note=f"{gap.id}: {gap.topic}"
        )
    closed, documents = len(before) + len(now), log.documents + sum(n for _, n in fetched)
    if closed:
        still = len([g for g in asking if g.id not in before]) - len(now)
        low, high = _interval(documents, closed)
        note = f"{documents:.0f} documents, {closed} gaps closed, {still} open"
        yield reading(
            name="documents_per_gap",
            value=documents / closed,
            low=low,
            high=high,
            unit="documents",
            note=note,
        )


def _closed(gaps: Sequence[Gap], log: Look, least: int, failing: float, encoder: Encoder) -> list[Gap]:
    """Those of the gaps whose kind of question is answered now."""
    asked = [e for e in log.recent_exchanges if e.input and not e.ended]
    if not asked:
        return []
    vectors, bad = encoder.encode([e.input for e in asked]), _failures(asked, log)
    times, tasks = np.array([e.at for e in asked]), np.array([e.task for e in asked])
    closed = []
    for gap in gaps:
        alike = (vectors @ encoder.encode(gap.queries).T).max(axis=1) >= ALIKE
        kind = np.flatnonzero(alike & (tasks == gap.task) & (times > gap.at))[-4 * least :]
        if len(kind) >= least and bad[kind].mean() <= failing:
            closed.append(gap)
    return closed


def _failures(asked: Sequence[Exchange], log: Look) -> NDArray[np.bool_]:
    """Which of the exchanges failed, by all signals that count."""
    said: dict[str, list[Signal]] = {}
    for signal in counting(log.recent_signals, judged(log.verdicts)):
        said.setdefault(signal.about, []).append(signal)
    return np.array([_failed(e, said) for e in asked])


def _failed(exchange: Exchange, said: Mapping[str, Sequence[Signal]]) -> bool:
    """Not answered; or corrected, or met with displeasure, by a person's newest word."""
    people = [s for s in said.get(exchange.id, ()) if s.source in ("user", "expert")]
    right = [s.correction for s in people if s.correction]
    if right:
        return right[-1] != exchange.output
    return not exchange.output or bool(people and people[-1].value < 0)


def _interval(documents: float, closed: int) -> tuple[float, float]:
    """Of documents / closed, where the closed ones are a Poisson count."""
    tail = (1 - LEVEL) / 2
    few, many = chi2.ppf(tail, 2 * closed) / 2, chi2.ppf(1 - tail, 2 * closed + 2) / 2
    return documents / float(many), documents / float(few)
