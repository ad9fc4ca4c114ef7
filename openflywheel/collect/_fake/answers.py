"""What Bright Data's products find in the fake shop."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from openflywheel.collect._fake.catalogue import CRAWL, DATASETS, Row
from openflywheel.collect._fake.pages import Leaf, address, html, leaf_at, markdown, search
from openflywheel.collect._fake.snapshots import error_row

PAGE = 10


def serp(request: Request, url: str) -> Row:
    """A parsed result page, for a request with brd_json=1; else its HTML alone."""
    asked = parse_qs(urlsplit(url).query)
    if asked.get("brd_json") != ["1"]:
        return {"status_code": 200, "headers": {}, "body": "<html>results</html>"}
    query, start = asked.get("q", [""])[0], int(asked.get("start", ["0"])[0])
    hits = search(query)
    organic = [
        {
            "link": address(request, hit.leaf),
            "display_link": urlsplit(address(request, hit.leaf)).netloc,
            "title": hit.leaf.title,
            "description": hit.leaf.text[0],
            "rank": rank,
            "global_rank": start + rank,
        }
        for rank, hit in enumerate(hits[start : start + PAGE], start=1)
    ]
    general = {"search_engine": "google", "query": query, "results_cnt": len(hits), "language": "en"}
    return {"general": general, "input": {"original_url": url}, "organic": organic}


def ranked(request: Request, asked: Mapping[str, Any]) -> list[Row]:
    """Results for a query, ranked by the intent."""
    hits = search(f"{asked.get('intent', '')} {asked['query']}")
    best = max((hit.score for hit in hits), default=1.0)
    return [
        {
            "link": address(request, hit.leaf),
            "title": hit.leaf.title,
            "description": hit.leaf.text[0],
            "relevance_score": round(hit.score / best, 3),
            **({"content": markdown(hit.leaf)} if asked.get("include_content") else {}),
        }
        for hit in hits[: asked.get("num_results", 10)]
    ]


def collected(dataset: str, asked: Mapping[str, Any]) -> list[Row]:
    """What a collector finds for one input: a URL of the shop, or a key word."""
    url, word = str(asked.get("url", "")), str(asked.get("keyword", ""))
    leaf = leaf_at(url)
    gone = error_row(asked, "dead_page", f"Crawler error: nothing at {url or word}")
    if dataset == CRAWL:
        return [_crawled(url, leaf) if leaf else gone]
    end = f"/{leaf.slug}" if leaf else "/ "
    rows = DATASETS[dataset].rows
    return [r for r in rows if r["url"].endswith(end) or (word and word in str(r))] or [gone]


def _crawled(url: str, leaf: Leaf) -> Row:
    return {
        "url": url,
        "page_title": leaf.title,
        "markdown": markdown(leaf),
        "html2text": "\n".join(leaf.text),
        "page_html": html(leaf),
        "ld_json": leaf.head,
        "timestamp": "2026-11-22T02:00:00.000Z",
        "input": {"url": url},
    }
