"""Own traffic: exchanges whose right answer a person gave become Records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from openflywheel.base.holdout import DRAWN, SEALED, held_out
from openflywheel.base.nouns import EXCHANGE, Exchange, Gap, Record, Signal
from openflywheel.base.thumbs import COUNTS, MODEL, REJECTED, TEACHER, THUMB, WHY

Heard = Mapping[str, Sequence[Signal]]


class Queue(Protocol):
    """The experts' queue (store/experts.py)."""

    def why(self, exchange: str) -> str: ...


def traffic(
    gap: Gap,
    *,
    exchanges: Callable[[Sequence[str]], Mapping[str, Exchange]],
    heard: Callable[[Sequence[str]], Heard],
    experts: Queue,
    holdout: float,
) -> Iterator[Record]:
    """Records of the gap's evidence that carry a person's answer, or the answer that
    was given where the gap asks for that: people liked it or not, or a teacher gave it.

    Exchanges of held-out people may serve evaluation alone. They are sealed without an answer, and take the
    one that an expert was asked for: what people volunteer comes where the model is wrong or unsure, and
    would bias the holdout.
    """
    said = heard(gap.evidence)
    for id, exchange in exchanges(gap.evidence).items():
        if not exchange.input:  # a guard refused it
            continue
        held = held_out(exchange, holdout)
        if gap.why in WHY or gap.why == TEACHER:
            yield from [] if held else [_given(exchange, gap)]
            continue
        answer = _answer(said.get(id, ()), experts_only=held)
        if answer is not None and (not held or experts.why(id) == DRAWN):
            yield _record(exchange, answer, held)
        elif held and gap.why == SEALED:
            yield _sealed(exchange)


def _answer(signals: Sequence[Signal], *, experts_only: bool) -> Signal | None:
    """The most trusted answer: an expert's before a user's, the newest of them."""
    sources = ("expert",) if experts_only else ("user", "expert")
    said = [s for s in signals if s.correction and s.source in sources]
    return max(said, key=lambda s: (s.source == "expert", s.at), default=None)


def _record(exchange: Exchange, answer: Signal, held: bool) -> Record:
    return Record(
        text=exchange.input,
        source="traffic",
        uri=f"{EXCHANGE}{exchange.id}",
        subject=exchange.subject,
        purposes=("evaluation",) if held else ("training",),
        labels={exchange.task: answer.correction},
        labelled_by=answer.source,
        meta={REJECTED: exchange.output} if exchange.output not in ("", answer.correction) else {},
        parents=(exchange.id, answer.id),
    )


def _given(exchange: Exchange, gap: Gap) -> Record:
    """The answer that was given, which no person said is right, and whether people liked it."""
    thumb = {THUMB: WHY[gap.why], COUNTS: f"{gap.weight:g}"} if gap.why in WHY else {}
    return Record(
        text=exchange.input,
        source="traffic",
        uri=f"{EXCHANGE}{exchange.id}",
        subject=exchange.subject,
        purposes=("training",),
        labels={exchange.task: exchange.output},
        labelled_by=MODEL,
        meta=thumb,
        parents=(exchange.id,),
    )


def _sealed(exchange: Exchange) -> Record:
    """A question for candidates and champions whose answer nobody knows yet: its label is empty."""
    return Record(
        text=exchange.input,
        source="traffic",
        uri=f"{EXCHANGE}{exchange.id}",
        subject=exchange.subject,
        purposes=("evaluation",),
        labels={exchange.task: ""},
        parents=(exchange.id,),
    )
