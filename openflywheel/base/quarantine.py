"""Which signals of users count: the newest verdict of the check "quarantine" about a signal says so."""

from collections import Counter
from collections.abc import Iterable, Mapping

from openflywheel.base.nouns import Passed, Signal, Verdict

QUARANTINE = "quarantine"


def judged(verdicts: Iterable[Verdict]) -> dict[str, Passed]:
    """Signal id -> does it count; `verdicts` come oldest first."""
    return {v.about: v.passed for v in verdicts if v.check == QUARANTINE}


def quarantined(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Why (the first word of the reason) -> signals that do not count now, the most frequent first."""
    newest = {v.about: v for v in verdicts if v.check == QUARANTINE}
    refused = (v.reason.partition(":")[0] for v in newest.values() if v.passed == "no")
    return dict(Counter(refused).most_common())


def counting(signals: Iterable[Signal], judged: Mapping[str, Passed]) -> list[Signal]:
    """The signals that count.

    An answer that a user calls right counts once it was judged and passed; what else a user says, unless it
    was refused. Experts, rules and models are not judged here.
    """
    return [s for s in signals if s.source != "user" or _passes(s, judged.get(s.id))]


def _passes(signal: Signal, passed: Passed | None) -> bool:
    return passed == "yes" if signal.correction else passed != "no"
