"""What is kept of a request: the Exchange that the rooms read, and the Call, byte for byte."""

import time
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.nouns import Attempt, Call, Exchange
from openflywheel.serve._gateway import asked as asking
from openflywheel.serve._gateway.answered import Answered
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.targets import Plan
from openflywheel.serve._upstream.chain import Target

WHOLE, CUT, DISCONNECTED, FAILED = "", "cut", "disconnected", "failed"


class Finished(Struct, frozen=True):
    """A request that is over, for those who count. `first_byte` is in seconds; 0 when none was sent."""

    exchange: Exchange
    call: Call
    first_byte: float = 0.0


def finished(
    request: Request,
    plan: Plan,
    answer: Answered,
    response: bytes,
    *,
    target: Target | None,
    status: int,
    attempts: Sequence[Attempt],
    ended: str = WHOLE,
    proposal: Exchange | None = None,
    first_byte: float = 0.0,
    settings: str = "",
) -> Finished:
    """The nouns of a request that a provider answered, or that nobody did.

    `proposal` is what our own model would have said, where it was not sure enough. Where a guard found
    something in the question no bytes are kept, for the provider may have repeated it.
    """
    exchange = Exchange(
        id=request.id,
        at=request.at,
        episode=request.episode or asking.episode(request.turns, answer.turn, request.subject),
        task=plan.task,
        input=proposal.input if proposal else asking.question(request.turns),
        output=answer.text,
        variant=_variant(plan, target),
        subject=request.subject,
        tenant=request.key.tenant if request.key else "",
        propensity=plan.propensity,
        confidence=proposal.confidence if proposal else 0.0,
        choices=proposal.choices if proposal else (),
        tokens=answer.input_tokens + answer.output_tokens,
        cost=(proposal.cost if proposal else 0.0) + _price(target, answer),
        latency=time.perf_counter() - request.start,
        ended=ended,
        verdicts=proposal.verdicts if proposal else (),
        settings=settings,
    )
    kept = call(request, answer, response, status, attempts)
    if _private(exchange):
        kept = replace(kept, request=b"", response=b"", variables={})
    return Finished(exchange, kept, first_byte)


def _variant(plan: Plan, target: Target | None) -> str:
    """Who answered: the variant, unless a fallback or a teacher stepped in."""
    if target is None or (plan.variant and not plan.own and target is plan.targets[0]):
        return plan.variant
    return f"{target.upstream.name}/{target.model}"


def _price(target: Target | None, answer: Answered) -> float:
    if target is None:
        return 0.0
    return target.upstream.provider.cost(target.model, answer.input_tokens, answer.output_tokens)


def call(
    request: Request, answer: Answered, response: bytes, status: int, attempts: Sequence[Attempt]
) -> Call:
    """The bytes of a request and of its answer."""
    return Call(
        id=request.id,
        at=request.at,
        surface=request.surface.name,
        request=request.body,
        response=response,
        status=status,
        stream=request.stream,
        reply=answer.reply,
        variables=asking.variables(request.asked),
        attempts=tuple(attempts),
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        estimated=answer.estimated,
        key=request.key.id if request.key else "",
    )


def own(request: Request, plan: Plan, exchange: Exchange, response: bytes, answer: Answered) -> Finished:
    """The nouns of a request that our own model answered, or handed to a person.

    Where a guard found something in the question, its bytes are not kept: the exchange holds what may be.
    """
    told = replace(
        exchange,
        id=request.id,
        at=request.at,
        episode=request.episode or asking.episode(request.turns, answer.turn, request.subject),
        tenant=request.key.tenant if request.key else "",
        variant=plan.variant or exchange.variant,
        propensity=plan.propensity * exchange.propensity,
        tokens=answer.input_tokens + answer.output_tokens,
        latency=time.perf_counter() - request.start,
    )
    kept = call(request, answer, response, 200, ())
    return Finished(told, replace(kept, request=b"", variables={}) if _private(told) else kept)


def _private(exchange: Exchange) -> bool:
    """Did a guard find something?"""
    return any(verdict.n for verdict in exchange.verdicts)
