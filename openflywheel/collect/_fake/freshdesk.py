"""Freshdesk's tickets and conversations, under /freshdesk. As documented: https://developers.freshdesk.com/api/"""

from base64 import b64decode
from binascii import Error
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openflywheel.collect._fake.desk import Desk

LIMIT = {"X-RateLimit-Total": "200", "X-RateLimit-Remaining": "199", "X-RateLimit-Used-CurrentRequest": "1"}
REFUSED = {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}
PAGES = 300  # of one list; asking for more is refused


def ticket(id: int, changed: str = "", **more: Any) -> dict[str, Any]:
    """A resolved ticket as the API lists it; `more` replaces fields."""
    return {
        "id": id,
        "subject": f"Lamp, order {id}",
        "description": f"<div>My lamp of order {id} is broken.</div>",
        "description_text": f"My lamp of order {id} is broken.",
        "status": 4,
        "priority": 2,
        "source": 1,
        "type": "Question",
        "tags": ["lamp"],
        "group_id": 9,
        "requester_id": 31,
        "requester": {"id": 31, "name": "Ann Smith", "email": "ann@example.com", "phone": None},
        "responder_id": 32,
        "custom_fields": {"cf_team": "returns"},
        "spam": False,
        "created_at": "2025-12-31T10:00:00Z",
        "updated_at": changed or f"2026-01-01T00:{id // 60:02d}:{id % 60:02d}Z",
        "stats": {"resolved_at": "2026-01-01T00:00:00Z", "closed_at": None},
        **more,
    }


def conversations(id: int) -> list[dict[str, Any]]:
    """What was said after the description, oldest first."""
    said = [
        (False, False, "Please send us a picture."),
        (False, True, "He has asked twice before."),
        (True, False, "Here it is."),
    ]
    return [
        {
            "id": id * 100 + n,
            "ticket_id": id,
            "user_id": 31 if incoming else 32,
            "body": f"<div>{text}</div>",
            "body_text": text,
            "incoming": incoming,
            "private": private,
            "created_at": "2026-01-01T00:00:00Z",
        }
        for n, (incoming, private, text) in enumerate(said)
    ]


def routes(desk: Desk) -> list[BaseRoute]:
    """The endpoints. A test may put tickets of its own into `desk.memory["freshdesk"]`."""

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desk.memory.setdefault("freshdesk", [ticket(n) for n in range(1, 4)])
        return found

    def listed(request: Request) -> Response:
        return _refused(request, desk) or _listed(request, there())

    def said(request: Request) -> Response:
        id = request.path_params["id"]
        if refused := _refused(request, desk):
            return refused
        if not any(t["id"] == id for t in there()):
            return Response(status_code=404)
        return _page(request, conversations(id), 30)

    return [
        Route("/freshdesk/api/v2/tickets", listed),
        Route("/freshdesk/api/v2/tickets/{id:int}/conversations", said),
    ]


def _refused(request: Request, desk: Desk) -> Response | None:
    """Basic authentication: the API key as user, with any password."""
    kind, _, said = request.headers.get("authorization", "").partition(" ")
    try:
        key = b64decode(said).decode().partition(":")[0]
    except (Error, UnicodeDecodeError):
        key = ""
    return None if kind.lower() == "basic" and desk.knows(key) else JSONResponse(REFUSED, 401)


def _listed(request: Request, there: list[dict[str, Any]]) -> Response:
    query = request.query_params
    found = [t for t in there if t["updated_at"] >= query.get("updated_since", "2026-01-01")]
    order = query.get("order_by", "created_at")
    found.sort(key=lambda t: t[order], reverse=query.get("order_type", "desc") == "desc")
    wanted = query.get("include", "").split(",")
    left_out = {"requester", "stats"} - set(wanted)
    if "description" not in wanted:
        left_out |= {"description", "description_text"}
    return _page(request, [{k: v for k, v in t.items() if k not in left_out} for t in found], 30)


def _page(request: Request, found: list[dict[str, Any]], usual: int) -> Response:
    query = request.query_params
    page, size = int(query.get("page", "1")), min(int(query.get("per_page", str(usual))), 100)
    if not 1 <= page <= PAGES:
        told = {"field": "page", "message": "It should be less than or equal to 300", "code": "invalid_value"}
        return JSONResponse({"description": "Validation failed", "errors": [told]}, 400)
    headers = dict(LIMIT)
    if page * size < len(found):
        headers["Link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
    return JSONResponse(found[(page - 1) * size : page * size], headers=headers)
