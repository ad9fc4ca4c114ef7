"""All fake far sides behind one door, and the endpoints that steer them, under /fake/sources/."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openflywheel.base.errors import SettingsError
from openflywheel.collect import _fake
from openflywheel.collect._fake.desk import SECRET, Asked, Desk, Rule, parse

CONTROL = "/fake/sources/"


class FarSides:
    """The ASGI application: remembers each request, and does first what the script's rules say."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._app: ASGIApp = Starlette(routes=[*_control(desk), *far_sides(desk)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        self.desk.asked.append(_asked(request, body))
        rule = self.desk.rule(scope["path"])
        await asyncio.sleep(rule.latency if rule else 0)
        failed = _failed(rule) if rule else None
        await (failed or self._app)(scope, _again(body), send)


def far_sides(desk: Desk) -> Iterator[BaseRoute]:
    """The routes of every file of this folder that has some."""
    for module in sorted(m.name for m in iter_modules(_fake.__path__)):
        found: Callable[..., list[BaseRoute]] | None = getattr(
            import_module(f"{_fake.__name__}.{module}"), "routes", None
        )
        if found:
            yield from found(desk) if inspect.signature(found).parameters else found()


def _asked(request: Request, body: bytes) -> Asked:
    headers = {k: "***" if k in SECRET else v for k, v in request.headers.items()}
    return Asked(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers=headers,
        body=body.decode(errors="replace"),
    )


def _failed(rule: Rule) -> Response | None:
    if rule.status is None:
        return None
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    return PlainTextResponse(rule.message, rule.status, headers)


def _again(body: bytes) -> Receive:
    """The body once more, for those behind."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _control(desk: Desk) -> list[BaseRoute]:
    async def script(request: Request) -> Response:
        try:
            desk.put(parse(await request.body()))
        except SettingsError as error:
            return _json({"error": str(error)}, 400)
        return _json(desk.script)

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            desk.asked.clear()
            return Response(status_code=204)
        return _json(list(desk.asked))

    async def bill(_: Request) -> Response:
        return _json({"records": desk.records, "dollars": desk.dollars})

    return [
        Route(f"{CONTROL}script", script, methods=["PUT"]),
        Route(f"{CONTROL}requests", requests, methods=["GET", "DELETE"]),
        Route(f"{CONTROL}bill", bill),
    ]


def _json(data: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(data), status, media_type="application/json")
