from openflywheel.base.nouns import Signal, Verdict
from openflywheel.base.quarantine import QUARANTINE, counting, judged, quarantined


def said(kind="correction", source="user", right="refund"):
    return Signal(exchange=kind, kind=kind, value=0.0, source=source, explicit=True, correction=right)


def verdict(signal, passed, check=QUARANTINE):
    return Verdict(check=check, about=signal.id, passed=passed)


def test_the_newest_verdict_about_a_signal_counts_and_other_checks_do_not():
    one = said()
    assert judged([verdict(one, "no"), verdict(one, "yes"), verdict(one, "no", "guard")]) == {one.id: "yes"}
    assert judged([]) == {}


def test_an_answer_of_a_user_counts_only_once_it_passed():
    one = said()
    assert counting([one], {}) == []
    assert counting([one], {one.id: "no"}) == []
    assert counting([one], {one.id: "inconclusive"}) == []
    assert counting([one], {one.id: "yes"}) == [one]


def test_what_else_a_user_says_counts_until_it_is_refused():
    rating = said("rating", right="")
    assert counting([rating], {}) == [rating]
    assert counting([rating], {rating.id: "no"}) == []


def test_experts_rules_and_models_are_not_judged():
    others = [said("label", "expert"), said("rephrase", "code", ""), said("uncertainty", "model", "")]
    assert counting(others, {s.id: "no" for s in others}) == others


def test_what_does_not_count_now_is_counted_by_the_rule_that_refused_it():
    def refused(about, reason, passed="no", check=QUARANTINE):
        return Verdict(check=check, about=about, passed=passed, reason=reason)

    said = [
        refused("a", "subject: 10 in a turn"),
        refused("b", "blind: 60% of the traffic is as near"),
        refused("c", "blind: 70% of the traffic is as near"),
        refused("d", "blind: 80% of the traffic is as near"),
        refused("d", "blind: 1% of the traffic is as near", passed="yes"),
        refused("e", "pii: an address", check="guard"),
    ]
    assert list(quarantined(said).items()) == [("blind", 2), ("subject", 1)]
    assert quarantined([]) == {}
