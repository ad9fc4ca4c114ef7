"""SearXNG's search API (docs.searxng.org/dev/search_api), over the fake site."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from openflywheel.collect._fake.pages import Hit, address, search

PAGE = 5  # results of a page
ENGINES = ("bing", "duckduckgo")


def routes() -> list[Route]:
    """Its one endpoint; `formats` of the settings has json."""
    return [Route("/search", _search, methods=["GET"])]


async def _search(request: Request) -> Response:
    asked = request.query_params
    if not asked.get("q"):
        return PlainTextResponse("search_query missing", 400)
    if asked.get("format", "html") not in ("html", "json"):
        return PlainTextResponse("Forbidden", 403)
    if asked.get("format") != "json":
        return PlainTextResponse("<html>results</html>", media_type="text/html")
    engines = [e for e in asked.get("engines", ",".join(ENGINES)).split(",") if e in ENGINES]
    hits = search(asked["q"]) if engines else []
    start = (int(asked.get("pageno", "1")) - 1) * PAGE
    return JSONResponse(
        {
            "query": asked["q"],
            "number_of_results": len(hits),
            "results": [
                _result(request, h, engines, start + n) for n, h in enumerate(hits[start : start + PAGE], 1)
            ],
            "answers": [],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": [] if engines else [[asked.get("engines", ""), "unknown engine"]],
        }
    )


def _result(request: Request, hit: Hit, engines: list[str], position: int) -> dict[str, object]:
    return {
        "url": address(request, hit.leaf),
        "title": hit.leaf.title,
        "content": hit.leaf.text[0],
        "engine": engines[0],
        "engines": engines,
        "positions": [position],
        "score": hit.score,
        "category": "general",
        "publishedDate": None,
    }
