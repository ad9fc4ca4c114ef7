"""Traffic from a labelled file against a running flywheel: conversations, experts, turn, and again."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from openflywheel.base.champion import PROMOTION
from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Row, Step, Verdict
from openflywheel.collect.files import read_rows
from openflywheel.store import Store
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Behaviour, Crowd, Message, Tally

ASKING = ("signals", "study", "collect")  # ask experts what to learn
TEACHING = ("study", "collect", "curate", "customize", "study", "collect")  # learn it, ask what judges it
PEOPLE = ("user", "expert")
WORDS = {"yes": "promoted", "no": "refused", "inconclusive": "inconclusive"}
LABEL_COLUMNS = ("label", "category", "intent")


class Cycle(Struct, frozen=True, kw_only=True):
    """What a cycle of conversations and a turn looked like; the shares are of the exchanges served.

    `accuracy` is the share of right answers among those that the model gave, measured against the truth
    that only the simulation knows. `cost_per_1000` counts calls, people and wrong answers; `labels` were
    given by people to learn from, `holdout` to judge by.
    """

    turn: int
    users: int
    served: int
    answered: float
    accuracy: float | None
    handed_over: float
    cost_per_1000: float
    labels: int
    holdout: int
    verdict: str
    reason: str
    seconds: float
    cpu_seconds: float
    bottleneck: str


def simulate(
    wheel: Flywheel,
    task: str,
    path: str | Path,
    *,
    turns: int = 8,
    conversations: int = 200,
    seed: int = 0,
    progress: Callable[[Cycle], None] = lambda _: None,
) -> list[Cycle]:
    """Send a file's messages to a wheel and let it turn; returns a Cycle a turn. Raises SettingsError."""
    crowd = Crowd(wheel, task, read_messages(path), Behaviour(rephrase=0.2, choose=0.3), seed)
    cycles = []
    for _ in range(turns):
        cycles.append(cycle(crowd, conversations))
        progress(cycles[-1])
    return cycles


def read_messages(path: str | Path) -> list[Message]:
    """Labelled messages of a CSV or JSON Lines file. Raises SettingsError when it has no text or label."""
    rows = list(read_rows(Path(path)))
    if not rows:
        raise SettingsError(f"{path} is empty; it needs rows with text and label")
    label = next((name for name in LABEL_COLUMNS if name in rows[0]), None)
    if label is None or "text" not in rows[0]:
        raise SettingsError(f"{path} needs the columns text and label; {suggest('label', rows[0])}")
    return [Message(str(r["text"]), str(r[label]), str(r.get("also") or "")) for r in rows]


def cycle(crowd: Crowd, conversations: int) -> Cycle:
    """Conversations, questions to experts about what to learn, then about the candidate, one turn."""
    wheel = crowd.wheel
    tally = crowd.converse(conversations)
    start, cpu = time.perf_counter(), time.process_time()
    mark = wheel.store.mark()
    for rooms in (ASKING, TEACHING):
        for room in rooms:
            wheel.advance(room)
        crowd.experts_answer()
    wheel.turn()
    return _cycle(tally, wheel.store, mark, (time.perf_counter() - start, time.process_time() - cpu))


def _cycle(tally: Tally, store: Store, mark: int, took: tuple[float, float]) -> Cycle:
    steps, rows = store.since(Step, mark), store.since(Row, mark)
    decision = next((v for v in store.since(Verdict, mark) if v.check == PROMOTION), None)
    seconds: defaultdict[str, float] = defaultdict(float)
    for step in steps:
        seconds[step.room] += step.seconds
    return Cycle(
        turn=store.last_turn(),
        users=tally.users,
        served=tally.served,
        answered=tally.answered / tally.served,
        accuracy=tally.right / tally.answered if tally.answered else None,
        handed_over=1 - tally.answered / tally.served,
        cost_per_1000=tally.cost / tally.served * 1000,
        labels=sum(r.role == "train" and r.labelled_by in PEOPLE for r in rows),
        holdout=sum(r.role == "holdout" and r.labelled_by in PEOPLE for r in rows),
        verdict=WORDS[decision.passed] if decision else "no candidate",
        reason=decision.reason if decision else "; ".join(s.error for s in steps if s.error),
        seconds=took[0],
        cpu_seconds=took[1],
        bottleneck=max(seconds, key=lambda room: seconds[room]),
    )
