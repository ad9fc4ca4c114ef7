"""The fake provider as an ASGI application.

The APIs are served without a framework, since it is also used as an upstream in load tests; what steers it,
under /fake/, is Starlette's.
"""

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from openflywheel.serve._fake import resources
from openflywheel.serve._fake.adapters import adapters
from openflywheel.serve._fake.chat import CHAT
from openflywheel.serve._fake.control import control
from openflywheel.serve._fake.dialect import ANTHROPIC, OPENAI, Dialect
from openflywheel.serve._fake.embeddings import EMBEDDINGS
from openflywheel.serve._fake.line import Gone, Line
from openflywheel.serve._fake.messages import COUNT_TOKENS, MESSAGES
from openflywheel.serve._fake.models import model, models
from openflywheel.serve._fake.problem import Problem
from openflywheel.serve._fake.responses import RESPONSES
from openflywheel.serve._fake.script import Rule
from openflywheel.serve._fake.stage import Stage
from openflywheel.serve._fake.surface import Surface, encode
from openflywheel.serve._fake.talk import Ask, reply

SURFACES: Mapping[str, Surface] = {
    "/v1/chat/completions": CHAT,
    "/v1/responses": RESPONSES,
    "/v1/embeddings": EMBEDDINGS,
    "/v1/messages": MESSAGES,
    "/v1/messages/count_tokens": COUNT_TOKENS,
}
MODELS = "/v1/models"
TOLD = "The fake provider was told to fail with status {}."


class FakeProvider:
    """Answers as a script says, and remembers what it was asked."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._adapters = adapters()
        self._control = control(stage)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"].startswith("/fake/"):
            await self._control(scope, receive, send)
            return
        line = Line(scope, receive, send)
        try:
            body = await line.body()
            turn = _Turn(self.stage, scope, line, self.stage.ledger.keep(scope, body))
            if self._adapters is None or not await self._adapters.answer(turn, body):
                await turn.play(body)
        except Gone:
            return  # there is nobody left to answer


class _Turn:
    """One request and its answer."""

    def __init__(self, stage: Stage, scope: Scope, line: Line, number: int) -> None:
        self.stage, self.line = stage, line
        self.method, self.path = scope["method"], scope["path"]
        self.headers = dict(scope["headers"])
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        anthropic = self.path.startswith("/v1/messages") or b"anthropic-version" in self.headers
        self.dialect: Dialect = ANTHROPIC if anthropic else OPENAI
        self.id = f"fake{number:08d}"
        self.began = perf_counter()

    async def play(self, body: bytes) -> None:
        """Answer, or say what is wrong."""
        try:
            self._check_key()
            surface = SURFACES.get(self.path)
            if surface is not None and self.method == "POST":
                await self._answer(surface, body)
            elif self.path.startswith(resources.PREFIXES):
                await self._keep(body)
            else:
                await self._tell_models()
        except Problem as problem:
            error = encode(self.dialect.error(problem, f"req_{self.id}"))
            await self._send(problem.status, error, problem.headers)

    def _check_key(self) -> None:
        keys = self.stage.script.keys
        bearer = self.headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ")
        if keys and bearer not in keys and self.headers.get(b"x-api-key", b"").decode("latin-1") not in keys:
            said = "invalid x-api-key" if self.dialect is ANTHROPIC else "Incorrect API key provided."
            raise Problem(401, said)

    async def _tell_models(self) -> None:
        is_list, name = self.path == MODELS, self.path.removeprefix(f"{MODELS}/")
        known = is_list or name != self.path
        if not known or self.method != "GET":
            raise self.dialect.unknown(self.method, self.path, known or self.path in SURFACES)
        rule = self.stage.rule(self.path, Ask(model="" if is_list else name))
        await self._trouble(rule)
        there = self.stage.models()
        data = models(there, self.dialect) if is_list else model(name, there, self.dialect)
        await self._whole(rule, encode(data))

    async def _keep(self, body: bytes) -> None:
        """Files and jobs. What is asked is done before any delay or silence, as if the answer were lost."""
        handler, id = resources.find(self.method, self.path)
        rule = self.stage.rule(self.path, Ask(model=resources.model_of(body)))
        if rule.refuse or rule.status is not None:
            await self._trouble(rule)
        kind = self.headers.get(b"content-type", b"").decode("latin-1")
        data = handler(self.stage, resources.Sent(self.query, kind, body), id)
        await self._trouble(rule)
        if isinstance(data, bytes):
            await self._whole(rule, data, "application/octet-stream")
        else:
            await self._whole(rule, encode(data))

    async def _answer(self, surface: Surface, body: bytes) -> None:
        request = surface.decode(body)
        ask = self.stage.learned(surface.read(request))
        rule = self.stage.rule(self.path, ask)
        await self._trouble(rule)
        given = reply(ask, rule, self.id)
        if not surface.free:
            self.stage.ledger.charge(ask.model, given.input_tokens, given.output_tokens)
        if ask.stream:
            await self._stream(surface, rule, surface.frames(request, given))
        else:
            await self._whole(rule, encode(surface.whole(request, given)))

    async def _trouble(self, rule: Rule) -> None:
        """What happens before any answer: a delay, silence, a broken connection, an error."""
        await self.line.wait(self.stage.latency(rule))
        if rule.hang:
            await self.line.gone()
        if rule.refuse:
            await self.line.refuse()
        if rule.status is not None:
            raise _told(rule, rule.status)

    async def _whole(self, rule: Rule, body: bytes, kind: str = "application/json") -> None:
        """An answer at once; told to break off, half of it."""
        if rule.error_after is not None:
            raise _told(rule, 500)
        if rule.cut_after is None:
            await self._send(200, body, kind=kind)
            return
        await self.line.begin(200, self._head(200, kind, {"content-length": str(len(body))}))
        await self.line.more(body[: len(body) // 2])
        await self.line.cut()

    async def _stream(self, surface: Surface, rule: Rule, frames: Iterator[bytes]) -> None:
        await self.line.begin(200, self._head(200, "text/event-stream; charset=utf-8", {}))
        for number, frame in enumerate(frames):
            if number == rule.cut_after:
                await self.line.cut()
            if number == rule.error_after:
                error = self.dialect.error(_told(rule, 500), f"req_{self.id}")
                await self.line.end(surface.failed(error, number))
                return
            await self.line.wait(rule.per_token if number else 0)
            await self.line.more(frame)
        await self.line.end()

    async def _send(
        self,
        status: int,
        body: bytes,
        more: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> None:
        length = {"content-length": str(len(body)), **(more or {})}
        await self.line.begin(status, self._head(status, kind, length))
        await self.line.end(body)

    def _head(self, status: int, kind: str, more: Mapping[str, str]) -> list[tuple[str, str]]:
        spent = int((perf_counter() - self.began) * 1000)
        own = self.dialect.headers(f"req_{self.id}", status, spent)
        return [("content-type", kind), *own, *more.items()]


def _told(rule: Rule, status: int) -> Problem:
    said: dict[str, Any] = {
        "retry-after": rule.retry_after,
        "retry-after-ms": rule.retry_after_ms,
        "x-should-retry": rule.should_retry,
    }
    headers = {name: _text(value) for name, value in said.items() if value is not None}
    return Problem(status, rule.message or TOLD.format(status), code=rule.code, headers=headers)


def _text(value: float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
