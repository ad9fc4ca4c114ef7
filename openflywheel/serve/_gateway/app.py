"""The gateway as a bare ASGI application: from a request's bytes to a kept row, and then the answer."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from openflywheel.base.errors import FlywheelError, StoreError
from openflywheel.base.keys import Forbidden, Key, OverBudget, TooManyRequests, Unauthorised
from openflywheel.base.nouns import Exchange
from openflywheel.serve._gateway import asked as asking
from openflywheel.serve._gateway import intake, own, own_embeddings, targets
from openflywheel.serve._gateway.intake import Headers, Request
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.relay import Log, Relay, send_whole
from openflywheel.serve._gateway.surfaces import SURFACES, Refusal, Surface
from openflywheel.serve._gateway.targets import Directory, Plan

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")


class Desk(Protocol):
    """Our own models, in this process."""

    async def answer(self, task: str, text: str, subject: str, beside: str) -> Exchange:
        """An exchange, not yet kept; its `output` is empty where the model is not sure enough.

        `beside` is what else the request says: guards look at it too.
        """
        ...

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A vector a text."""
        ...


class Door(Protocol):
    """Who may come in, and how often."""

    def key(self, headers: Headers) -> Key | None:
        """The key of a request; None where none is needed. Raises Unauthorised, Forbidden."""
        ...

    def admit(self, key: Key | None, subject: str) -> None:
        """Count a request. Raises TooManyRequests, OverBudget."""
        ...


class Gateway:
    """Answers the model APIs itself; everything else is for `rest`."""

    def __init__(
        self,
        *,
        directory: Directory,
        log: Log,
        desk: Desk,
        door: Door,
        key_of: Callable[[str], str],
        episode_of: Callable[[str], str],
        observe: Callable[[Finished], object],
        rest: App,
        largest: int,
        settings: str,
    ) -> None:
        self._directory, self._log, self._desk, self._door = directory, log, desk, door
        self._key_of, self._episode_of = key_of, episode_of
        self._rest, self._largest = rest, largest
        self._relay = Relay(log, observe, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        surface = SURFACES.get(scope.get("path", "")) if scope["type"] == "http" else None
        if surface is None or scope["method"] != "POST":
            await self._rest(scope, receive, send)
            return
        try:
            await self._answer(surface, dict(scope["headers"]), receive, send)
        except Refusal as refusal:
            await send_refusal(send, surface, refusal)

    async def _answer(self, surface: Surface, headers: Headers, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        key = self._key(headers)
        body = await intake.read_body(receive, headers, self._largest)
        request = intake.read(surface, body, headers, key, self._key_of, start)
        if request.asked.previous_response_id and not request.episode:
            request = request._replace(episode=self._episode_of(request.asked.previous_response_id))
        plan = self._directory.plan(request.asked.model, request.subject, surface)
        self._admit(request)
        with plan.held:
            if plan.own:
                await self._own(request, plan, receive, send)
            else:
                await self._relay.pass_on(request, plan, None, receive, send)

    def _key(self, headers: Headers) -> Key | None:
        try:
            return self._door.key(headers)
        except Unauthorised as error:
            raise Refusal(401, str(error), "invalid_api_key") from None
        except Forbidden as error:
            raise Refusal(403, str(error), "insufficient_scope") from None

    def _admit(self, request: Request) -> None:
        try:
            self._log.check()
            self._door.admit(request.key, request.subject)
        except StoreError as error:
            raise Refusal(503, str(error), "store_unavailable", headers={"retry-after": "1"}) from None
        except TooManyRequests as error:
            headers = {"retry-after-ms": str(round(error.retry_after * 1000) + 1)}
            raise Refusal(429, str(error), "rate_limit_exceeded", headers=headers) from None
        except OverBudget as error:
            raise Refusal(
                429, str(error), "insufficient_quota", headers={"x-should-retry": "false"}
            ) from None

    async def _own(self, request: Request, plan: Plan, receive: Receive, send: Send) -> None:
        """Let our own model answer; where it is not sure enough, the task's teacher or fallback does.

        A question that a guard refused goes to nobody else. What only a generator can do (embeddings and
        token counts of a text task) the fallback does.
        """
        if plan.variant and plan.targets and (request.surface.name, request.stream) not in own.SAYS:
            await self._relay.pass_on(request, plan, None, receive, send)
            return
        if request.surface.name == "embeddings":
            await self._embed(request, plan, send)
            return
        if not plan.task or (request.surface.name, request.stream) not in own.SAYS:
            raise Refusal(400, f"{request.asked.model!r} does not answer {request.surface.name} requests")
        own.check(request)
        text, beside = asking.question(request.turns), asking.beside(request.asked, request.turns)
        exchange = await _ours(self._desk.answer(plan.task, text, request.subject, beside))
        refused = any(verdict.passed == "no" for verdict in exchange.verdicts)
        if not exchange.output and plan.targets and not refused:
            await self._relay.pass_on(request, plan, exchange, receive, send)
            return
        answer = own.answered(request, exchange)
        body = own.rendered(request, exchange, answer)
        await self._relay.give(request, plan, exchange, answer, body, send)

    async def _embed(self, request: Request, plan: Plan, send: Send) -> None:
        if plan.variant != targets.ENCODER:
            raise Refusal(400, f"{request.asked.model!r} makes no embeddings; {targets.ENCODER!r} does")
        texts = own_embeddings.texts(request.asked)
        answer = own_embeddings.answered(texts)
        body = own_embeddings.rendered(request, await _ours(self._desk.embed(texts)), answer)
        await self._relay.give(request, plan, None, answer, body, send)


async def _ours(reply: Awaitable[T]) -> T:
    try:
        return await reply
    except FlywheelError as error:
        raise Refusal(500, str(error), "own_model_failed", headers={"x-should-retry": "false"}) from error


async def send_refusal(send: Send, surface: Surface, refusal: Refusal) -> None:
    """An error in the words of a dialect."""
    headers = [(b"content-type", b"application/json")]
    headers += [(k.encode(), v.encode()) for k, v in refusal.headers.items()]
    await send_whole(send, refusal.status, headers, refusal.body(surface.dialect))
