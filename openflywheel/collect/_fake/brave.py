"""Brave's web search API (api-dashboard.search.brave.com), over the fake site."""

import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from openflywheel.collect._fake.desk import Desk
from openflywheel.collect._fake.pages import Hit, address, search

MONTHLY = 15_000
PRICE = 0.005  # dollars a query


def routes(desk: Desk) -> list[Route]:
    """Its one endpoint."""

    async def web(request: Request) -> Response:
        if not desk.knows(request.headers.get("x-subscription-token", "")):
            return _error(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.")
        asked = request.query_params
        if not asked.get("q") or len(asked["q"]) > 400 or len(asked["q"].split()) > 50:
            return _error(422, "VALIDATION", "Unable to validate request parameter(s)")
        left = _left(desk)
        if left < 0:
            response = _error(429, "RATE_LIMITED", "Request rate limit exceeded for plan.")
        else:
            desk.charge(1, PRICE)
            response = JSONResponse(_found(request))
        response.headers.update(_limits(desk, max(left, 0)))
        return response

    return [Route("/res/v1/web/search", web)]


def _left(desk: Desk) -> int:
    """Queries that are left in this second, after this one."""
    second, used = desk.memory.get("brave", (0, 0))
    now = int(time.monotonic())
    used = used + 1 if second == now else 1
    desk.memory["brave"] = (now, used)
    return desk.script.per_second - used


def _limits(desk: Desk, left: int) -> dict[str, str]:
    each = desk.script.per_second
    return {
        "X-RateLimit-Limit": f"{each}, {MONTHLY}",
        "X-RateLimit-Policy": f"{each};w=1, {MONTHLY};w=2592000",
        "X-RateLimit-Remaining": f"{left}, {MONTHLY - desk.records}",
        "X-RateLimit-Reset": "1, 1419704",
    }


def _found(request: Request) -> dict[str, object]:
    asked = request.query_params
    count, offset = min(int(asked.get("count", "20")), 20), int(asked.get("offset", "0"))
    hits = search(asked["q"])
    page = hits[offset * count : (offset + 1) * count]
    return {
        "type": "search",
        "query": {"original": asked["q"], "more_results_available": len(hits) > (offset + 1) * count},
        "web": {"type": "search", "results": [_result(request, hit) for hit in page]},
    }


def _result(request: Request, hit: Hit) -> dict[str, object]:
    bold = request.query_params.get("text_decorations", "true") == "true"
    said = f"<strong>{hit.leaf.text[0]}</strong>" if bold else hit.leaf.text[0]
    return {
        "type": "search_result",
        "url": address(request, hit.leaf),
        "title": hit.leaf.title,
        "description": said,
        "language": "en",
        "family_friendly": True,
    }


def _error(status: int, code: str, detail: str) -> JSONResponse:
    error = {"id": "fake", "status": status, "code": code, "detail": detail, "meta": {}}
    return JSONResponse({"type": "ErrorResponse", "error": error, "time": int(time.time())}, status)
