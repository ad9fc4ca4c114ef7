"""Reddit's listings and comments, under /forum: /r/<name>/new.json and /comments/<id>.json.

As documented: https://www.reddit.com/dev/api/ and https://support.reddithelp.com/hc/en-us/articles/16160319875092
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openflywheel.collect._fake.desk import Desk

WINDOW = 600  # seconds of a rate limit; 100 requests a minute
MOST = 1_000  # posts that a listing reaches back


def post(id: str, created: float, **more: Any) -> dict[str, Any]:
    """A question; `more` replaces fields."""
    return {
        "id": id,
        "name": f"t3_{id}",
        "subreddit": "shoes",
        "title": f"How do I wax shoe {id}?",
        "selftext": f"Shoe {id} is dull.",
        "author": f"asker_{id}",
        "score": 12,
        "num_comments": 4,
        "created_utc": created,
        "permalink": f"/r/shoes/comments/{id}/how/",
        "over_18": False,
        "stickied": False,
        "is_self": True,
        "removed_by_category": None,
        "link_flair_text": "Care",
        **more,
    }


def comments(id: str) -> list[dict[str, Any]]:
    """What was answered to a post, and "more", which is no answer."""
    said = [
        ("a", "brusher", "Brush it first.", 3, False),
        ("b", "waxer", "Use a thin coat of wax.", 9, False),
        ("c", "[deleted]", "[removed]", 7, False),
        ("d", "AutoModerator", "Read the rules.", 5, True),
        ("e", "grump", "Buy new ones.", 1, False),
    ]
    children = [
        {
            "kind": "t1",
            "data": {
                "id": f"{id}{n}",
                "parent_id": f"t3_{id}",
                "author": author,
                "body": body,
                "score": score,
                "stickied": stickied,
                "created_utc": 1_700_000_500.0,
                "permalink": f"/r/shoes/comments/{id}/how/{id}{n}/",
                "replies": "",
            },
        }
        for n, author, body, score, stickied in said
    ]
    return [*children, {"kind": "more", "data": {"count": 3, "children": ["x"]}}]


def routes(desk: Desk) -> list[BaseRoute]:
    """The endpoints. Posts are in `desk.memory["forum"]`, the requests that are left in "forum left"."""

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desk.memory.setdefault(
            "forum", [post(f"p{n}", 1_700_000_000.0 + n) for n in range(3)]
        )
        return sorted(found, key=lambda p: -p["created_utc"])

    def listed(request: Request) -> Response:
        if refused := _refused(request, desk):
            return refused
        return JSONResponse(_listed(request, there()), headers=_limits(desk))

    def said(request: Request) -> Response:
        if refused := _refused(request, desk):
            return refused
        found = [p for p in there() if p["id"] == request.path_params["id"]]
        if not found:
            return JSONResponse({"message": "Not Found", "error": 404}, 404)
        told = [_listing([{"kind": "t3", "data": found[0]}]), _listing(comments(found[0]["id"]))]
        return JSONResponse(told, headers=_limits(desk))

    return [
        Route("/forum/r/{name}/new.json", listed),
        Route("/forum/comments/{id}.json", said),
    ]


def _refused(request: Request, desk: Desk) -> Response | None:
    """A bearer token, and an agent that says who asks."""
    if request.headers.get("user-agent", "").startswith("python"):
        return JSONResponse({"message": "Too Many Requests", "error": 429}, 429)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and desk.knows(token):
        return None
    return JSONResponse({"message": "Unauthorized", "error": 401}, 401)


def _limits(desk: Desk) -> dict[str, str]:
    left = desk.memory["forum left"] = desk.memory.get("forum left", 1_000.0) - 1
    used = str(int(1_000 - left))
    return {"X-Ratelimit-Used": used, "X-Ratelimit-Remaining": str(left), "X-Ratelimit-Reset": str(WINDOW)}


def _listed(request: Request, there: list[dict[str, Any]]) -> dict[str, Any]:
    query, found = request.query_params, there[:MOST]
    names = [p["name"] for p in found]
    after = query.get("after", "")
    start = names.index(after) + 1 if after in names else 0 if not after else len(found)
    size = min(int(query.get("limit", "25")), 100)
    page = found[start : start + size]
    more = page[-1]["name"] if page and start + size < len(found) else None
    return _listing([{"kind": "t3", "data": p} for p in page], more)


def _listing(children: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    data = {"after": after, "before": None, "dist": len(children), "modhash": "", "children": children}
    return {"kind": "Listing", "data": data}
