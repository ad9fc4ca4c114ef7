"""Confluence's REST API for content, under /confluence/wiki/rest/api: search by CQL, pages by cursor.

As documented: https://developer.atlassian.com/cloud/confluence/rest/v1/api-group-content/
"""

import re
from base64 import b64decode
from binascii import Error
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openflywheel.collect._fake.desk import Desk

CONTEXT = "/confluence/wiki"
REFUSED = {"statusCode": 401, "message": "Unauthorized"}
STORAGE = (
    "<h1>Steps</h1><p>Ask <ac:link><ri:user ri:account-id='77'/></ac:link> for wax of order {id}.</p>"
    "<ac:structured-macro ac:name='code'><ac:parameter ac:name='language'>bash</ac:parameter>"
    "<ac:plain-text-body><![CDATA[echo <wax> && polish]]></ac:plain-text-body></ac:structured-macro>"
)


def page(id: int, changed: str = "", **more: Any) -> dict[str, Any]:
    """A page of the space CARE as the API shows it; `more` replaces fields."""
    moment = changed or f"2026-01-{1 + id // 24:02d}T{id % 24:02d}:00:00.000Z"
    return {
        "id": str(id),
        "type": "page",
        "status": "current",
        "title": f"Shoe care {id}",
        "space": "CARE",
        "body": {"storage": {"value": STORAGE.format(id=id), "representation": "storage"}},
        "version": {"by": {"displayName": "Ann Smith"}, "when": moment, "number": 3},
        "_links": {"webui": f"/spaces/CARE/pages/{id}/Shoe+care", "self": f"https://acme/{id}"},
        **more,
    }


def routes(desk: Desk) -> list[BaseRoute]:
    """The endpoints. A test may put pages of its own into `desk.memory["confluence"]`.

    "zone" is how many hours the time zone of whoever searches is ahead of UTC.
    """

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desk.memory.setdefault("confluence", [page(n) for n in range(1, 4)])
        return found

    def content(request: Request) -> Response:
        return _refused(request, desk) or _content(request, there(), desk.memory.get("zone", 0))

    def search(request: Request) -> Response:
        told = {"results": there()[:1], "start": 0, "limit": 1, "size": 1, "totalSize": len(there())}
        return _refused(request, desk) or JSONResponse(told)

    return [
        Route(f"{CONTEXT}/rest/api/content/search", content),
        Route(f"{CONTEXT}/rest/api/search", search),
    ]


def _refused(request: Request, desk: Desk) -> Response | None:
    """Basic authentication with an API token, or a bearer token."""
    kind, _, said = request.headers.get("authorization", "").partition(" ")
    try:
        key = said if kind.lower() == "bearer" else b64decode(said).decode().partition(":")[2]
    except (Error, UnicodeDecodeError):
        key = ""
    return None if desk.knows(key) else JSONResponse(REFUSED, 401)


def _content(request: Request, there: list[dict[str, Any]], zone: int) -> Response:
    query = request.query_params
    cql = query.get("cql", "")
    if "type=page" not in cql:
        return JSONResponse({"statusCode": 400, "message": f"Could not parse cql : {cql}"}, 400)
    space, since = re.search(r'space="([^"]*)"', cql), re.search(r'lastmodified >= "([^"]*)"', cql)
    moment = _utc(since[1], zone) if since else ""
    found = [p for p in there if (not space or p["space"] == space[1]) and p["version"]["when"] >= moment]
    found.sort(key=lambda p: p["version"]["when"])
    start, size = int(query.get("cursor", "0")), min(int(query.get("limit", "25")), 50)
    links = {"base": str(request.base_url).rstrip("/") + CONTEXT, "context": CONTEXT}
    if start + size < len(found):
        following = {**query, "cursor": start + size, "next": "true"}
        links["next"] = f"/rest/api/content/search?{urlencode(following)}"
    wanted = query.get("expand", "").split(",")
    shown = [_shown(p, wanted) for p in found[start : start + size]]
    return JSONResponse(
        {"results": shown, "start": start, "limit": size, "size": len(shown), "_links": links}
    )


def _utc(said: str, zone: int) -> str:
    """A search's time, which is in the time zone of whoever searches."""
    return f"{datetime.strptime(said, '%Y/%m/%d %H:%M') - timedelta(hours=zone):%Y-%m-%dT%H:%M}"


def _shown(page: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    left_out = {"space"} | ({"body"} if "body.storage" not in wanted else set())
    left_out |= {"version"} if "version" not in wanted else set()
    return {k: v for k, v in page.items() if k not in left_out}
