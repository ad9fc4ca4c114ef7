"""Whose feedback counts: caps for each origin, no label that was given blindly, no campaign of ratings.

A correction teaches once it was judged and passed. One that was refused waits, and is judged again in every
passage: examples of its label, an expert's answer or a calmer hour may clear it. A rating is judged once.
See _blind.py and _campaigns.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Exchange, Passed, Row, Signal, Verdict
from openflywheel.base.quarantine import QUARANTINE, judged
from openflywheel.base.room import Given
from openflywheel.base.settings import Trust
from openflywheel.signals._campaigns import Voice, campaigns
from openflywheel.signals._votes import Encoder, Found, Vote, look

NEWEST = 2_000  # judged signals that are looked at again: bounds the work
RECENT = 1_000  # exchanges that stand for the traffic
CAUGHT = "caught: corrections of the same person were refused"
RATED = 2_000  # newest signals, the ratings among which are compared: a slow campaign adds up


def judge(given: Given, *, encoder: Encoder, trust: Trust) -> Iterator[Verdict]:
    """A Verdict for each new correction, each that is cleared now, and each new rating that is refused."""
    past = judged(given.all(Verdict))
    new = [s for s in given.new(Signal) if s.source == "user" and s.id not in past]
    votes = _votes(given, [s for s in new if s.correction], past)
    verdicts = _on_votes(votes, past, given, encoder, trust) if votes else []
    yield from (v for v in verdicts if v.passed != past.get(v.about))
    blind = {v.about for v in verdicts if v.passed == "no" and v.score is not None}
    caught = {v.signal.subject for v in votes if v.signal.id in blind} - {""}
    yield from _on_ratings([s for s in new if s.kind == "rating"], caught, _voices(given, votes, past), trust)


def _votes(given: Given, new: Sequence[Signal], past: Mapping[str, Passed]) -> list[Vote]:
    """What users said of right labels: the newest that were judged before, then what is new."""
    said = [s for s in given.get(Signal, list(past)[-NEWEST:]).values() if s.correction] + list(new)
    ids = [s.exchange for s in said if s.exchange]
    exchanges, heard = given.get(Exchange, ids), given.heard(ids)
    return [
        Vote(s, exchanges[s.exchange], _expert(heard.get(s.exchange, ())))
        for s in said
        if s.exchange in exchanges and exchanges[s.exchange].input  # a guard may have refused it
    ]


def _expert(signals: Iterable[Signal]) -> str:
    """What an expert said is right, the newest; empty when none did."""
    return next((s.correction for s in reversed(list(signals)) if s.source == "expert" and s.correction), "")


def _on_votes(
    votes: Sequence[Vote], past: Mapping[str, Passed], given: Given, encoder: Encoder, trust: Trust
) -> list[Verdict]:
    """A Verdict for every vote that does not count yet; what counts once, counts for good."""
    waiting = {v.signal.id: v.signal for v in votes if past.get(v.signal.id) != "yes"}
    over = _over_caps(list(waiting.values()), trust)
    left = [v for v in votes if v.signal.id not in over]
    found = look(left, given.all(Row), given.newest(Exchange, RECENT), encoder)
    return [_on_vote(f, trust) for f in found if f.vote.signal.id in waiting] + [
        _verdict(waiting[id], "no", cap) for id, cap in over.items()
    ]


def _on_vote(found: Found, trust: Trust) -> Verdict:
    vote, passed = found.vote, found.chance <= trust.blind
    reason = f"blind: {found.p:.0%} of the traffic is as near to {vote.label!r}; votes for it: {found.votes}"
    if vote.expert:
        reason = f"expert: {vote.expert!r} is right, the user said {vote.label!r}"
    return _verdict(vote.signal, "yes" if passed else "no", reason, found.chance, found.votes)


def _over_caps(signals: Sequence[Signal], trust: Trust) -> dict[str, str]:
    """Signal id -> the cap that it is over. The oldest count first."""
    count, out = Counter[str](), {}
    for signal in signals:
        caps = _caps(signal, trust, len(signals))
        broken = [f"{o.split()[0]}: {most} in a turn" for o, most in caps.items() if count[o] >= most]
        if broken:
            out[signal.id] = broken[0]
        else:
            count.update(caps.keys())
    return out


def _caps(signal: Signal, trust: Trust, total: int) -> dict[str, int]:
    """Origin -> how many of `total` signals it may give.

    A key stands for an application with many people: it has a cap only where it does not name them.
    """
    block = max(trust.per_block, int(trust.block_share * total))
    origins = {
        f"subject {signal.subject}": trust.per_subject if signal.subject else 0,
        f"key {signal.key}": block if signal.key and not signal.subject else 0,
        f"network {signal.network}": block if signal.network else 0,
    }
    return {origin: most for origin, most in origins.items() if most}


def _voices(given: Given, votes: Sequence[Vote], past: Mapping[str, Passed]) -> dict[str, Voice]:
    """Signal id -> who rates which answer how.

    Without what somebody corrected: whoever corrects rates that answer down, and this proves nothing more.
    """
    proved = {v.signal.subject for v in votes if past.get(v.signal.id) == "yes"} - {""}
    corrected = {v.exchange.id for v in votes}
    said = [s for s in given.newest(Signal, RATED) if s.kind == "rating" and s.source == "user" and s.value]
    exchanges = given.get(Exchange, [s.exchange for s in said if s.exchange and s.exchange not in corrected])
    pairs = [(s, exchanges[s.exchange]) for s in said if s.exchange in exchanges]
    return {
        s.id: Voice(e.task, e.output, s.value > 0, s.subject or s.key or s.network, s.subject in proved)
        for s, e in pairs
    }


def _on_ratings(
    ratings: Sequence[Signal], caught: set[str], voices: Mapping[str, Voice], trust: Trust
) -> Iterator[Verdict]:
    """A Verdict for each rating that is refused."""
    over = _over_caps(ratings, trust)
    found = campaigns(voices.values()) if trust.blind < 1 else {}  # else nobody's word was put to the proof
    for rating in ratings:
        voice = voices.get(rating.id)
        campaign = found.get((voice.task, voice.answer, voice.up)) if voice and not voice.proved else None
        reason = CAUGHT if rating.subject in caught else over.get(rating.id) or campaign
        if reason:
            yield _verdict(rating, "no", reason)


def _verdict(signal: Signal, passed: Passed, reason: str, chance: float | None = None, n: int = 0) -> Verdict:
    return Verdict(
        id=event_id(), check=QUARANTINE, about=signal.id, task=signal.task, passed=passed, score=chance,
        n=n, reason=reason,
    )  # fmt: skip
