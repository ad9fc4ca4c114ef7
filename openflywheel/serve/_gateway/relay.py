"""Pass a request on to a provider, keep what came of it, and only then let the answer's end go out."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments.wire import Reply
from openflywheel.base.keys import Key
from openflywheel.base.nouns import Exchange
from openflywheel.serve._dialects import Untranslatable
from openflywheel.serve._gateway import answered, kept
from openflywheel.serve._gateway.answered import Answered
from openflywheel.serve._gateway.frames import Frames
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.kept import CUT, DISCONNECTED, FAILED, WHOLE, Finished
from openflywheel.serve._gateway.surfaces import Refusal
from openflywheel.serve._gateway.targets import Plan
from openflywheel.serve._gateway.translation import Translation
from openflywheel.serve._upstream.chain import Chain, NoAnswer, Reached

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

NAME = "x-flywheel-exchange"
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
RETURNED = frozenset(
    {
        b"content-type", b"content-encoding", b"request-id", b"retry-after", b"retry-after-ms",
        b"x-request-id", b"x-should-retry",
    }
)  # fmt: skip
RETURNED_PREFIXES = (b"anthropic-", b"openai-", b"x-ratelimit-")


class Log(Protocol):
    """Where rows are kept."""

    async def keep(self, finished: Finished, key: Key | None) -> None:
        """Return once the nouns are kept, and what they cost is counted. Raises StoreError."""
        ...

    def check(self) -> None:
        """Raises StoreError while nothing can be kept."""
        ...


class Relay:
    """What happens between a plan and the last byte of its answer."""

    def __init__(self, log: Log, observe: Callable[[Finished], object], settings: str) -> None:
        self._log, self._observe, self.settings = log, observe, settings

    async def pass_on(
        self, request: Request, plan: Plan, proposal: Exchange | None, receive: Receive, send: Send
    ) -> None:
        """Answer by a provider. Raises Refusal when nobody answers."""
        chain = Chain(plan.targets, plan.route.retries, plan.route.retry_share, stream=request.stream)
        job = _Job(self, request, plan, proposal, chain)
        try:
            reached = await chain.reach(job.translation.prepared)
        except Untranslatable as error:
            raise Refusal(400, str(error), "unsupported_by_provider") from None
        except NoAnswer as error:
            await job.nobody(error, send)
            return
        if reached.live:
            await job.stream(reached, receive, send)
        else:
            await job.whole(reached, send)

    async def give(
        self,
        request: Request,
        plan: Plan,
        exchange: Exchange | None,
        answer: Answered,
        body: bytes,
        send: Send,
    ) -> None:
        """Send what our own model says, once it is kept; embeddings come without an exchange."""
        if exchange:
            finished = kept.own(request, plan, exchange, body, answer)
        else:
            finished = kept.finished(
                request, plan, answer, body, target=None, status=200, attempts=(), settings=self.settings
            )
        await self.keep(finished, request.key)
        head = EVENT_STREAM if request.stream else (b"content-type", b"application/json")
        name = b"request-id" if request.surface.dialect == "anthropic" else b"x-request-id"
        await send_whole(send, 200, [head, (name, request.id.encode()), _named(request)], body)

    async def keep(self, finished: Finished, key: Key | None) -> None:
        """Raises Refusal when the row can't be kept: then the answer must not go out."""
        try:
            await self._log.keep(finished, key)
        except StoreError as error:
            raise Refusal(503, str(error), "store_unavailable", headers={"retry-after": "1"}) from None
        self._observe(finished)


class _Job:
    """One request on its way through a provider."""

    def __init__(
        self, relay: Relay, request: Request, plan: Plan, proposal: Exchange | None, chain: Chain
    ) -> None:
        self.relay, self.request, self.plan, self.proposal, self.chain = relay, request, plan, proposal, chain
        self.translation = Translation(request)
        self.first_byte = 0.0

    async def whole(self, reached: Reached, send: Send) -> None:
        """An answer that is here already."""
        status, body = reached.response.status, self._reply(reached)
        ended = WHOLE if status < 400 else FAILED
        await self._keep(body, reached, status, ended, stream=False)
        await send_whole(send, status, self._headers(reached.response), body)

    def _reply(self, reached: Reached) -> bytes:
        try:
            return self.translation.reply(reached)
        except Untranslatable as error:
            raise Refusal(502, f"the provider's answer is unreadable: {error}", "bad_reply") from None

    async def nobody(self, error: NoAnswer, send: Send) -> None:
        """The chain's end: the last provider's own error, else ours."""
        if error.last:
            await self.whole(error.last, send)
            return
        refusal = Refusal(
            502, f"no provider answered: {error}", "no_provider", headers={NAME: self.request.id}
        )
        body = refusal.body(self.request.surface.dialect)
        await self._keep(body, None, refusal.status, FAILED, stream=False)
        raise refusal

    async def stream(self, reached: Reached, receive: Receive, send: Send) -> None:
        """Chunks leave as they come, complete events at a time; the last one waits for the row."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers(reached.response)})
        frames, gone = Frames(), asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: reached.response.close())
        ended = WHOLE
        try:
            async for chunk in self._chunks(reached):
                if ready := frames.feed(chunk):
                    await send({"type": "http.response.body", "body": ready, "more_body": True})
                    self.first_byte = self.first_byte or time.perf_counter() - self.request.start
            ended = WHOLE if frames.complete else CUT
        except (OSError, Untranslatable, asyncio.CancelledError):  # cancelled: the time to drain is over
            ended = CUT
        finally:
            ended = DISCONNECTED if gone.done() else ended
            gone.cancel()
            reached.target.upstream.release()
        await self._end(reached, frames, ended, send)

    async def _chunks(self, reached: Reached) -> AsyncIterator[bytes]:
        chunk = reached.body
        while chunk:
            yield self.translation.feed(reached, chunk)
            chunk = await reached.response.readany()

    async def _end(self, reached: Reached, frames: Frames, ended: str, send: Send) -> None:
        """Keep the row, then send what was held back; an error instead when either went wrong."""
        try:
            await self._keep(bytes(frames.sent) + frames.held, reached, 200, ended, stream=True)
            last = frames.held if ended == WHOLE or frames.failed else b""
            if ended == CUT:
                reached.target.upstream.circuit.failed()
            if ended == CUT and not frames.failed:
                last = Refusal(502, "the provider broke off", "provider_cut").frame(self.request.surface)
        except Refusal as refusal:
            last = refusal.frame(self.request.surface)
        await send({"type": "http.response.body", "body": last})

    async def _keep(
        self, body: bytes, reached: Reached | None, status: int, ended: str, *, stream: bool
    ) -> None:
        if self.request.surface.name == "count_tokens":
            return  # a question about a question: nothing was answered
        answer = Answered() if ended == FAILED else answered.read(body, self.request.turns, stream=stream)
        await self.relay.keep(
            kept.finished(
                self.request,
                self.plan,
                answer,
                body,
                target=reached.target if reached else None,
                status=status,
                attempts=self.chain.attempts,
                ended=ended,
                proposal=self.proposal,
                first_byte=self.first_byte,
                settings=self.relay.settings,
            ),
            self.request.key,
        )

    def _headers(self, response: Reply) -> RawHeaders:
        """The provider's headers that a client may see, and the exchange's id."""
        told = [(k, v) for k, v in response.raw_headers if k in RETURNED or k.startswith(RETURNED_PREFIXES)]
        return [*told, _named(self.request)]


def _named(request: Request) -> tuple[bytes, bytes]:
    return NAME.encode(), request.id.encode()


async def _gone(receive: Receive) -> None:
    """Return when the client goes away."""
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass


async def send_whole(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    """A whole answer."""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
