"""Everything at the gateway that is not a model's answer: which pages there are, who may see them, and how
errors are said.

A page is declared once, with what it takes and gives: the routes and /openapi.json are made of the same list.
"""

import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openflywheel.base.errors import SettingsError, StoreError, UnknownExchange, suggest
from openflywheel.base.ids import event_id
from openflywheel.base.keys import Forbidden, Key, Scope, Unauthorised, UnknownKey
from openflywheel.serve._gateway.app import App
from openflywheel.serve._gateway.surfaces import SURFACES, Dialect, Refusal

Method = Literal["GET", "POST", "DELETE"]
Endpoint = Callable[[Request, Key | None], Awaitable[Response]]
Headers = dict[bytes, bytes]

log = logging.getLogger("openflywheel")

# What went wrong -> status and code. A body that is no JSON, or not of the page's shape, is a DecodeError.
REFUSED: Sequence[tuple[type[Exception], int, str]] = (
    (Unauthorised, 401, "invalid_api_key"),
    (Forbidden, 403, "insufficient_scope"),
    (UnknownExchange, 404, "exchange_not_found"),
    (UnknownKey, 404, "key_not_found"),
    (SettingsError, 400, "invalid_value"),
    (msgspec.DecodeError, 400, "invalid_body"),
    (UnicodeDecodeError, 400, "invalid_body"),
    (StoreError, 503, "store_unavailable"),
)


class Readiness(Protocol):
    def __call__(self) -> str:
        """Why no request can be answered now; empty when one can."""
        ...


class Door(Protocol):
    def key(self, headers: Headers, scope: Scope) -> Key | None:
        """The key of a request; None where none is needed. Raises Unauthorised, Forbidden."""
        ...


class Page(Struct, frozen=True, kw_only=True):
    """A method of a path. Its `scope` is empty where anybody may come.

    For the description: the types that the body and the answer may have (none: no JSON), the query's
    parameters, the answer's status, and the statuses of errors besides 500.
    """

    method: Method
    path: str
    endpoint: Endpoint
    summary: str
    scope: Scope | Literal[""] = ""
    takes: tuple[Any, ...] = ()
    gives: tuple[Any, ...] = ()
    query: Mapping[str, str] = {}
    status: int = 200
    errors: tuple[int, ...] = ()


def rest(door: Door, pages: Sequence[Page]) -> App:
    """The pages as an application."""
    by_path: dict[str, dict[str, Page]] = {}
    for page in pages:
        by_path.setdefault(page.path, {})[page.method] = page
    routes = [Route(path, _endpoint(door, methods), methods=[*methods]) for path, methods in by_path.items()]
    elsewhere = _Elsewhere([*(path.replace(":path", "") for path in by_path), *SURFACES])
    app: Any = Starlette(routes=routes, exception_handlers={HTTPException: elsewhere})
    app.router.redirect_slashes = False  # a redirect would name the Host that the client claimed
    found: App = app
    return found


def _endpoint(door: Door, pages: Mapping[str, Page]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        page = pages["GET" if request.method == "HEAD" else request.method]
        try:
            key = door.key(headers(request), page.scope) if page.scope else None
            return await page.endpoint(request, key)
        except Exception as error:  # every error is said in JSON, and none with its trace
            return refused(_refusal(error, page), _dialect(request))

    return endpoint


def _refusal(error: Exception, page: Page) -> Refusal:
    if isinstance(error, Refusal):
        return error
    for kind, status, code in REFUSED:
        if isinstance(error, kind):
            again = {"retry-after": "1"} if status == 503 else {}
            return Refusal(status, str(error), code, headers=again)
    name = event_id()
    log.error(
        "error %s at %s %s: %s", name, page.method, page.path, "".join(traceback.format_exception(error))
    )
    return Refusal(500, f"something went wrong here; the log says more under {name}", "internal_error")


class _Elsewhere:
    """What is said where no page is (404), or none for the method (405)."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = list(paths)

    async def __call__(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        path, told = request.url.path, dict(error.headers or {})
        if path in SURFACES:
            told = {"Allow": "POST"}
        if "Allow" in told:
            said = f"{path} does not take {request.method}; it takes {told['Allow']}"
            return refused(Refusal(405, said, "method_not_allowed", headers=told), _dialect(request))
        hint = suggest(path, self._paths)
        return refused(Refusal(404, f"there is no {path}; {hint}", "unknown_path"), _dialect(request))


def headers(request: Request) -> Headers:
    """The request's headers, as the door reads them."""
    return dict(request.headers.raw)


def _dialect(request: Request) -> Dialect:
    return "anthropic" if "anthropic-version" in request.headers else "openai"


def answer(data: Any, status: int = 200) -> Response:
    """A JSON document."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def refused(refusal: Refusal, dialect: Dialect = "openai") -> Response:
    """An error as a dialect's SDK reads it."""
    body, told = refusal.body(dialect), dict(refusal.headers)
    return Response(body, refusal.status, told, media_type="application/json")
