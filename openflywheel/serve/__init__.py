"""Verdict -> Exchange: promote what passed; answer people.

In a turn this room promotes: a candidate takes over when every configured check has said yes about it.
Between turns it answers (see `_desk.py`). A plugin here decides who answers:

    def cascade(costs, *, least=None) -> float
"""

from collections.abc import Iterator, Mapping, Sequence

from openflywheel.base.champion import PROMOTION, champions
from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Arrow, Exchange, Model, Passed, Verdict
from openflywheel.base.room import Given

ARROW = Arrow(takes=Verdict, gives=Exchange, given=(Model,))


def run(
    took: Sequence[Verdict], given: Given, plugins: Sequence[object], *, checks: Sequence[str]
) -> Iterator[Verdict]:
    """Decide on every model that new verdicts are about; `checks` names those that must all say yes."""
    del plugins  # they answer between turns
    past = given.all(Verdict)
    serving = champions(past)
    for about in dict.fromkeys(v.about for v in took if v.check in checks):
        opinions = {v.check: v for v in past if v.about == about and v.check in checks}
        task = next(iter(opinions.values())).task
        if serving.get(task) != about:
            yield _decide(about, task, serving.get(task, ""), opinions, checks)


def _decide(
    about: str, task: str, champion: str, opinions: Mapping[str, Verdict], checks: Sequence[str]
) -> Verdict:
    """yes when all say yes; no when one says no; else inconclusive, with the reasons of who holds back."""
    silent = [f"{check} said nothing" for check in checks if check not in opinions]
    against = [v for v in opinions.values() if v.passed != "yes"]
    refused = any(v.passed == "no" for v in against)
    passed: Passed = "no" if refused else "inconclusive" if against or silent else "yes"
    reason = "; ".join([*(f"{v.check}: {v.reason}" for v in against), *silent])
    lead = opinions.get(checks[0])
    return Verdict(
        id=event_id(),  # a moment: promoting the same model again later must count again
        check=PROMOTION,
        about=about,
        task=task,
        against=champion,
        passed=passed,
        score=lead.score if lead else None,
        low=lead.low if lead else None,
        high=lead.high if lead else None,
        n=lead.n if lead else 0,
        reason=reason or (lead.reason if lead else ""),
    )
