"""A JSON API that pages in every usual way: cursor, page, offset, Link header, URL in the body.

`/pages-api/<way>?limit=2&since=<id>` gives items in the order of their id. It wants a key: as a bearer token,
as the password of Basic authentication, in X-Api-Key, or in the query as `api_key`.
"""

from base64 import b64decode, b64encode
from binascii import Error
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openflywheel.collect._fake.desk import Desk

ITEMS: list[Any] = [
    {
        "id": n,
        "text": f"answer {n}",
        "topic": "care" if n % 2 else "size",
        "by": {"mail": f"p{n}@example.com"},
    }
    for n in range(1, 8)
]


def routes(desk: Desk) -> list[BaseRoute]:
    """The endpoints. A test may put items of its own into `desk.memory["pages_api"]`."""

    def endpoint(request: Request) -> Response:
        if not desk.knows(_key(request)):
            return JSONResponse({"error": "unauthorised"}, 401, {"WWW-Authenticate": "Bearer"})
        items = _wanted(request, desk.memory.get("pages_api", ITEMS))
        way = WAYS.get(request.path_params["way"])
        return way(request, items) if way else JSONResponse({"error": "no such list"}, 404)

    return [Route("/pages-api/{way}", endpoint)]


def _key(request: Request) -> str:
    kind, _, said = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        return _decoded(said).partition(":")[2]
    given = (said, request.headers.get("x-api-key"), request.query_params.get("api_key"))
    return next((key for key in given if key), "")


def _decoded(said: str) -> str:
    try:
        return b64decode(said).decode()
    except (Error, UnicodeDecodeError):
        return ""


def _wanted(request: Request, items: list[Any]) -> list[Any]:
    since = request.query_params.get("since", "")
    return [i for i in items if not since or not isinstance(i, dict) or str(i["id"]) >= since]


def _limit(request: Request) -> int:
    return int(request.query_params.get("limit", "2"))


def _cursor(request: Request, items: list[Any]) -> Response:
    place = _decoded(request.query_params.get("cursor", ""))
    if "cursor" in request.query_params and not place.isdigit():
        return JSONResponse({"error": "invalid cursor"}, 400)
    start, end = int(place or 0), int(place or 0) + _limit(request)
    following = b64encode(str(end).encode()).decode() if end < len(items) else None
    return JSONResponse({"data": {"items": items[start:end]}, "meta": {"next_cursor": following}})


def _page(request: Request, items: list[Any]) -> Response:
    start = (int(request.query_params.get("page", "1")) - 1) * _limit(request)
    return JSONResponse({"results": items[start : start + _limit(request)], "total": len(items)})


def _offset(request: Request, items: list[Any]) -> Response:
    start = int(request.query_params.get("offset", "0"))
    return JSONResponse(items[start : start + _limit(request)])


def _link(request: Request, items: list[Any]) -> Response:
    start = int(request.query_params.get("page", "1")) - 1
    size = _limit(request)
    links = {"first": 1, "last": -(-len(items) // size)}
    if (start + 1) * size < len(items):
        links["next"] = start + 2
    said = [f'<{request.url.include_query_params(page=n)}>; rel="{rel}"' for rel, n in links.items()]
    return JSONResponse(items[start * size : (start + 1) * size], headers={"Link": ", ".join(said)})


def _url(request: Request, items: list[Any]) -> Response:
    start = int(request.query_params.get("from", "0"))
    end = start + _limit(request)
    following = f"?limit={_limit(request)}&from={end}" if end < len(items) else None
    return JSONResponse({"items": items[start:end], "links": {"next": following}})


WAYS = {"cursor": _cursor, "page": _page, "offset": _offset, "link": _link, "url": _url}
