"""Zendesk's incremental ticket export, comments and ticket count, under /zendesk.

As documented: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from base64 import b64decode, b64encode
from binascii import Error
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openflywheel.collect._fake.desk import Desk

PER_MINUTE = "10"
GROUPS = [{"id": 71, "name": "Returns"}, {"id": 72, "name": "Delivery"}]
USERS = [
    {"id": 1, "name": "Ann Smith", "email": "ann@example.com", "role": "end-user"},
    {"id": 2, "name": "Bo Agent", "email": "bo@acme.example", "role": "agent"},
]


def ticket(id: int, changed: str = "", **more: Any) -> dict[str, Any]:
    """A ticket with a question, an answer and an internal note; `more` replaces fields."""
    moment = changed or f"2026-01-01T00:{id // 60:02d}:{id % 60:02d}Z"
    return {
        "id": id,
        "url": f"https://acme.zendesk.com/api/v2/tickets/{id}.json",
        "subject": f"Shoes, order {id}",
        "description": f"My shoes of order {id} are too small.",
        "status": "solved",
        "priority": "normal",
        "type": "question",
        "tags": ["team_returns", "shoes"],
        "via": {"channel": "email", "source": {"from": {"address": "ann@example.com", "name": "Ann Smith"}}},
        "requester_id": 1,
        "submitter_id": 1,
        "assignee_id": 2,
        "group_id": 71,
        "custom_fields": [{"id": 360, "value": "size"}, {"id": 361, "value": None}],
        "satisfaction_rating": {"score": "good", "comment": "thanks, Ann"},
        "created_at": "2025-12-31T10:00:00Z",
        "updated_at": moment,
        **more,
    }


def comments(id: int) -> list[dict[str, Any]]:
    """What was said on a ticket, oldest first."""
    said = [
        (1, True, f"My shoes of order {id} are too small."),
        (2, False, "She has asked twice before."),
        (2, True, "You can send them back."),
    ]
    return [
        {
            "id": id * 100 + n,
            "type": "Comment",
            "author_id": author,
            "body": f"**{text}**",
            "plain_body": text,
            "public": public,
            "created_at": "2026-01-01T00:00:00Z",
        }
        for n, (author, public, text) in enumerate(said)
    ]


def routes(desk: Desk) -> list[BaseRoute]:
    """The endpoints. A test may put tickets of its own into `desk.memory["zendesk"]`."""

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desk.memory.setdefault("zendesk", [ticket(n) for n in range(1, 4)])
        return sorted(found, key=lambda t: (t["updated_at"], t["id"]))

    def export(request: Request) -> Response:
        return _refused(request, desk) or _export(request, there())

    def said(request: Request) -> Response:
        id = request.path_params["id"]
        known = any(t["id"] == id for t in there())
        return _refused(request, desk) or (_said(request, id) if known else _missing())

    def count(request: Request) -> Response:
        told = {"count": {"value": len(there()), "refreshed_at": "2026-01-01T00:00:00Z"}}
        return _refused(request, desk) or JSONResponse(told)

    return [
        Route("/zendesk/api/v2/incremental/tickets/cursor.json", export),
        Route("/zendesk/api/v2/tickets/count.json", count),
        Route("/zendesk/api/v2/tickets/{id:int}/comments.json", said),
    ]


def _refused(request: Request, desk: Desk) -> Response | None:
    """Basic authentication as "<e-mail>/token:<API token>"."""
    kind, _, said = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, key = b64decode(said).decode().partition(":")
    except (Error, UnicodeDecodeError):
        user = key = ""
    if kind.lower() == "basic" and user.endswith("/token") and desk.knows(key):
        return None
    return JSONResponse({"error": "Couldn't authenticate you"}, 401)


def _missing() -> Response:
    return JSONResponse({"error": "RecordNotFound", "description": "Not found"}, 404)


def _export(request: Request, there: list[dict[str, Any]]) -> Response:
    query = request.query_params
    if "cursor" not in query and "start_time" not in query:
        return JSONResponse({"error": "InvalidValue", "description": "start_time is missing"}, 400)
    after = _opened(query["cursor"]) if "cursor" in query else (int(query["start_time"]) - 1, 0)
    left = [t for t in there if (_unix(t), t["id"]) > after]
    page = left[: int(query.get("per_page", "1000"))]
    last = (_unix(page[-1]), page[-1]["id"]) if page else after
    cursor = b64encode(f"{last[0]}.0||{last[1]}".encode()).decode() if page or "cursor" in query else None
    told = {
        "tickets": page,
        "after_cursor": cursor,
        "after_url": cursor and str(request.url.include_query_params(cursor=cursor)),
        "before_cursor": None,
        "before_url": None,
        "end_of_stream": len(page) == len(left),
    }
    if "groups" in query.get("include", ""):
        told["groups"] = GROUPS
    return JSONResponse(told, headers={"X-Rate-Limit": PER_MINUTE, "X-Rate-Limit-Remaining": "9"})


def _said(request: Request, id: int) -> Response:
    query, found = request.query_params, comments(id)
    size, start = int(query.get("page[size]", "100")), int(query.get("page[after]", "0"))
    more = start + size < len(found)
    following = str(request.url.include_query_params(**{"page[after]": start + size})) if more else None
    told: dict[str, Any] = {
        "comments": found[start : start + size],
        "meta": {"has_more": more, "after_cursor": str(start + size), "before_cursor": None},
        "links": {"next": following, "prev": None},
    }
    if "users" in query.get("include", ""):
        told["users"] = USERS
    return JSONResponse(told)


def _opened(cursor: str) -> tuple[int, int]:
    moment, _, id = b64decode(cursor).decode().partition("||")
    return int(float(moment)), int(id)


def _unix(found: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(found["updated_at"]).timestamp())
