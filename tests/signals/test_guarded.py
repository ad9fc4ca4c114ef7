from openflywheel.base.nouns import Verdict
from openflywheel.signals import Episode
from openflywheel.signals.guarded import guarded


def opinion(n):
    return Verdict(check="pii", about="", passed="yes", n=n, reason="1 email")


def test_what_a_guard_touched_is_marked_and_not_blamed(asked):
    hit, clean, passed = asked(verdicts=(opinion(1),)), asked(), asked(verdicts=(opinion(0),))
    (signal,) = guarded(Episode((hit, clean, passed), {}))
    assert (signal.exchange, signal.value, signal.source, signal.explicit) == (hit.id, 0.0, "code", False)
