"""Verdict -> Exchange: promote what passed; answer people.

In a turn this room promotes: a candidate takes over when every configured check has said yes about it, the
best one where several did for a task (see `_rivals.py`). Then it certifies from which confidence on the
champions may answer. Between turns it answers (see `_desk.py`). A plugin here says who answers:

    def cascade(tasks, /, **limits) -> dict[str, Rule]
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from openflywheel.base.champion import CASCADE, PROMOTION, champions
from openflywheel.base.errors import said
from openflywheel.base.holdout import SPOT
from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Arrow, Exchange, Fault, Gap, Model, Passed, Signal, Verdict
from openflywheel.base.room import Given
from openflywheel.serve._risk import control, reason
from openflywheel.serve._rivals import best_of_each
from openflywheel.serve.cascade import certified

ARROW = Arrow(takes=Verdict, gives=Exchange, given=(Model, Gap, Signal))
NEWEST = 2_000  # spot checks that count: older ones tell of older traffic, and cost time in every turn
Scores = Callable[[Model, Sequence[str]], Sequence[tuple[str, float]]]

log = logging.getLogger("openflywheel")


def run(
    took: Sequence[Verdict],
    given: Given,
    plugins: Sequence[object],
    *,
    checks: Mapping[str, Sequence[str]],
    errors: Mapping[str, float],
    scores: Scores,
) -> Iterator[Verdict | Fault]:
    """Decide on every model that new verdicts are about, then on the thresholds of all that serve.

    `checks` maps a task to the names of the verdicts that must all say yes. `errors` maps a task to the share
    of the champion's answers that may be wrong; `scores` gives a model's answers to texts with their
    confidences. A champion that can't answer keeps the threshold that it has, and stops no other.
    """
    del plugins  # they answer between turns
    past = given.all(Verdict)
    decided = list(_promotions(took, past, checks))
    promoted = list(best_of_each(decided, given.get(Model, [verdict.about for verdict in decided])))
    yield from promoted
    serving, before = champions([*past, *promoted]), certified(past)
    for task, error in errors.items():
        if task in serving:
            verdict = _tried(serving[task], task, error, given, scores)
            if isinstance(verdict, Fault) or not _same(verdict, before.get(serving[task])):
                yield verdict


def _promotions(
    took: Sequence[Verdict], past: Sequence[Verdict], checks: Mapping[str, Sequence[str]]
) -> Iterator[Verdict]:
    serving = champions(past)
    for about, task in dict.fromkeys((v.about, v.task) for v in took if v.check in checks.get(v.task, ())):
        opinions = {v.check: v for v in past if v.about == about and v.check in checks[task]}
        if serving.get(task) != about:
            yield _decide(about, task, serving.get(task, ""), opinions, checks[task])


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


def _tried(about: str, task: str, error: float, given: Given, scores: Scores) -> Verdict | Fault:
    try:
        return _certify(about, task, error, given, scores)
    except Exception as failed:  # whatever befalls a model must not stop promotions, turn after turn
        log.warning("serve: the champion of %s", task, exc_info=failed)
        return Fault(f"the champion of {task}: {said(failed)}")


def _certify(about: str, task: str, error: float, given: Given, scores: Scores) -> Verdict:
    """yes with the threshold as its score and the error as its upper bound; else inconclusive, and why.

    Judged on the spot checks alone: no other decision was made on their answers, so no luck is in them. They
    are answered anew by the model that serves now. The 95 % hold for each such decision by itself.
    """
    asked, right = _spot_checks(task, given)
    said = scores(given.get(Model, [about])[about], [e.input for e in asked])
    wrong = [label != truth for (label, _), truth in zip(said, right, strict=True)]
    found = control([sure for _, sure in said], wrong, error)
    yes = found.threshold is not None
    return Verdict(
        id=event_id(),  # a moment: the same finding after another one must count again
        check=CASCADE,
        about=about,
        task=task,
        passed="yes" if yes else "inconclusive",
        score=found.threshold,
        high=error if yes else None,
        n=found.n,
        reason=reason(found, error),
    )


def _spot_checks(task: str, given: Given) -> tuple[list[Exchange], list[str]]:
    """The newest exchanges that were drawn at random and answered by an expert, and his newest answers."""
    drawn = [id for gap in given.all(Gap) if gap.why == SPOT and gap.task == task for id in gap.evidence]
    drawn = drawn[-NEWEST:]
    heard = given.heard(drawn)
    said = {
        id: [s.correction for s in heard.get(id, ()) if s.source == "expert" and s.correction] for id in drawn
    }
    asked = [e for id, e in given.get(Exchange, drawn).items() if said[id]]
    return asked, [said[e.id][-1] for e in asked]


def _same(verdict: Verdict, before: Verdict | None) -> bool:
    """Does it say what was said before?"""
    if before is None:
        return False
    return all(getattr(verdict, f) == getattr(before, f) for f in ("passed", "score", "high", "n", "reason"))
