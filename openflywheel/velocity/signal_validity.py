"""Do the signals that nobody said outright mean anything?"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from msgspec import Struct

from openflywheel.base.nouns import Reading, Signal
from openflywheel.base.quarantine import counting, judged
from openflywheel.base.validity import PREFIX
from openflywheel.velocity import Log
from openflywheel.velocity._association import correlation

LEVEL = 0.99  # ten kinds are looked at, again in each turn: at .95 one of them would often mislead


def signal_validity(log: Log, *, least: int = 30) -> Iterator[Reading]:
    """How well each kind of derived signal goes with what people say outright.

    signal_validity_KIND: correlation of the signal's value (0 where there is none; for marks, whose value
    is always 0, whether there is one) with people's ratings of the same exchanges, or episodes; interval of
    99 %, clustered by person. Rated exchanges count from the first to the last that drew the kind. While
    the interval holds 0, or with fewer than `least` ratings with or without the signal, the signal weighs
    nothing (base/validity.py). The newest 20,000 signals are looked at.
    """
    signals = counting(log.recent_signals, judged(log.verdicts))
    ratings = {s.about: s for s in signals if s.kind == "rating" and s.source in ("user", "expert")}
    kinds: dict[str, list[Signal]] = {}
    for signal in signals:
        if not signal.explicit:
            kinds.setdefault(signal.kind, []).append(signal)
    for kind in sorted(kinds):
        yield _reading(kind, _pairs(kinds[kind], ratings), least, log.turn)


class _Pair(Struct, frozen=True):
    """A rating, and the signal's value beside it; None when there was no signal."""

    rating: float
    value: float | None
    person: str


def _pairs(signals: Sequence[Signal], ratings: Mapping[str, Signal]) -> list[_Pair]:
    """Ratings of what could have drawn the kind, by time: that of an exchange is in its id."""
    values: dict[str, list[float]] = {}
    for s in signals:
        for about in (s.exchange, s.episode):
            values.setdefault(about, []).append(s.value)
    asked, since = [s.exchange for s in signals if s.exchange], min(s.at for s in signals)
    first, last = (min(asked), max(asked)) if asked else ("", "")
    return [
        _Pair(r.value, fmean(values[about]) if about in values else None, r.subject or r.episode or about)
        for about, r in ratings.items()
        if (first <= about <= last if r.exchange else r.at >= since)
    ]


def _reading(kind: str, pairs: Sequence[_Pair], least: int, turn: int) -> Reading:
    name, beside = PREFIX + kind, [p for p in pairs if p.value is not None]
    without = [p.rating for p in pairs if p.value is None]
    varies = len({p.value for p in beside}) > 1
    enough = len(beside) if varies else min(len(beside), len(without))
    if enough < least:
        note = f"not enough data: {enough} of {least} ratings"
        return Reading(name=name, value=0.0, low=-1.0, high=1.0, turn=turn, unit="correlation", note=note)
    marks = all(p.value == 0 for p in beside)
    x = [float(p.value is not None) if marks else p.value or 0.0 for p in pairs]
    value, low, high = correlation(x, [p.rating for p in pairs], [p.person for p in pairs], LEVEL)
    note = f"rated {fmean(p.rating for p in beside):+.2f} with it ({len(beside)})"
    note += f", {fmean(without):+.2f} without ({len(without)})" if without else ""
    return Reading(name=name, value=value, low=low, high=high, turn=turn, unit="correlation", note=note)
