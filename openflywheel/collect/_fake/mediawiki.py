"""MediaWiki's action API, under /mediawiki/w/api.php: pages by allpages or recentchanges, site information.

As documented: https://www.mediawiki.org/wiki/API:Query, .../API:Etiquette for maxlag
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openflywheel.collect._fake.desk import Desk

NOW = "2026-06-01T00:00:00Z"
RIGHTS = {"url": "https://creativecommons.org/licenses/by-sa/4.0/", "text": "CC BY-SA 4.0"}


def page(id: int, changed: str = "2026-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    """A page as the wiki holds it; `more` replaces fields."""
    return {
        "pageid": id,
        "ns": 0,
        "title": f"Shoe care {id:03d}",
        "timestamp": changed,
        "user": "Ann Smith",
        "content": f"'''Shoe care {id}''' needs [[wax|some wax]].\n== Steps ==\n* brush\n* polish",
        **more,
    }


def routes(desk: Desk) -> list[BaseRoute]:
    """The endpoint. A test may put pages of its own into `desk.memory["mediawiki"]`, the time into "now"."""

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desk.memory.setdefault("mediawiki", [page(n) for n in range(1, 4)])
        return found

    def endpoint(request: Request) -> Response:
        query, now = request.query_params, desk.memory.get("now", NOW)
        if desk.script.keys and not desk.knows(
            request.headers.get("authorization", "").removeprefix("Bearer ")
        ):
            return _error("readapidenied", "You need read permission to use this module.")
        if lag := desk.memory.pop("lag", 0):
            return _error("maxlag", f"Waiting for db1: {lag} seconds lagged.", {"Retry-After": "0"})
        if query.get("meta") == "siteinfo":
            return JSONResponse({"batchcomplete": True, "query": _site(query.get("siprop", ""), there())})
        way = {"allpages": _all, "recentchanges": _changes}.get(query.get("generator", ""))
        if way is None:
            return _error("badvalue", 'Unrecognized value for parameter "generator".')
        return way(request, there(), now)

    return [Route("/mediawiki/w/api.php", endpoint)]


def _error(code: str, info: str, headers: dict[str, str] | None = None) -> Response:
    """Errors come with status 200 and a header."""
    told = {"error": {"code": code, "info": info, "docref": "See api.php for API usage."}}
    return JSONResponse(told, headers={"MediaWiki-API-Error": code, **(headers or {})})


def _site(wanted: str, there: list[dict[str, Any]]) -> dict[str, Any]:
    every = {"rightsinfo": RIGHTS, "statistics": {"pages": len(there) * 3, "articles": len(there)}}
    return {name: every[name] for name in wanted.split("|") if name in every}


def _all(request: Request, there: list[dict[str, Any]], now: str) -> Response:
    query = request.query_params
    found = [p for p in there if str(p["ns"]) == query.get("gapnamespace", "0")]
    if query.get("gapfilterredir") == "nonredirects":
        found = [p for p in found if not p["content"].startswith("#REDIRECT")]
    found.sort(key=lambda p: p["title"])
    start = query.get("gapcontinue", "").replace("_", " ")
    left = [p for p in found if p["title"] >= start]
    size = int(query.get("gaplimit", "10"))
    following = {}
    if len(left) > size:
        following = {"gapcontinue": left[size]["title"].replace(" ", "_"), "continue": "gapcontinue||"}
    return _answer(request, left[:size], following, now)


def _changes(request: Request, there: list[dict[str, Any]], now: str) -> Response:
    query = request.query_params
    found = [p for p in there if p["timestamp"] >= query.get("grcstart", "")]
    found.sort(key=lambda p: (p["timestamp"], p["pageid"]))
    moment, _, id = query.get("grccontinue", "").partition("|")
    left = [p for p in found if (p["timestamp"], p["pageid"]) >= (moment, int(id or 0))]
    size = int(query.get("grclimit", "10"))
    following = {}
    if len(left) > size:
        place = f"{left[size]['timestamp']}|{left[size]['pageid']}"
        following = {"grccontinue": place, "continue": "grccontinue||"}
    return _answer(request, left[:size], following, now)


def _answer(request: Request, found: list[dict[str, Any]], following: dict[str, str], now: str) -> Response:
    """A page whose `late` is set gets its text in a second answer for the same batch, alone.

    One that is "never" has none.
    """
    query = request.query_params
    again = "rvcontinue" in query
    late = [p for p in found if p.get("late")]
    ready = late if again else [p for p in found if p not in late]
    told: dict[str, Any] = {"curtimestamp": now}
    if late and not again:
        carried = {k: v for k, v in query.items() if k in ("gapcontinue", "grccontinue")}
        told["continue"] = {**carried, "rvcontinue": str(late[0]["pageid"]), "continue": "||info"}
    else:
        told |= {"batchcomplete": True, **({"continue": following} if following else {})}
    if found:
        base = str(request.url).partition("/w/api.php")[0]
        pages = [_page(p, base, text=p in ready and p.get("late") != "never") for p in found]
        told["query"] = {"pages": pages}
    return JSONResponse(told)


def _page(page: dict[str, Any], base: str, *, text: bool) -> dict[str, Any]:
    told = {k: page[k] for k in ("pageid", "ns", "title")}
    told["fullurl"] = f"{base}/wiki/{page['title'].replace(' ', '_')}"
    if page.get("missing"):
        return told | {"missing": True}
    slot = {"contentmodel": "wikitext", "contentformat": "text/x-wiki", "content": page["content"]}
    revision = {"timestamp": page["timestamp"], "slots": {"main": slot}}
    return told | ({"revisions": [revision]} if text else {})
