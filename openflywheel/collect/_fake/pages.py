"""A small site under /pages/, and the index that the fake search engines look into.

It has what a crawler must heed, too: a page that robots.txt forbids, one that does not want to be indexed,
one that reserves text and data mining.
"""

import re
from collections import Counter
from html import escape

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from openflywheel.collect._fake.shop import GUIDES, PRODUCTS

ROBOTS = "User-agent: *\nDisallow: /pages/private\n"
LICENSE = "https://creativecommons.org/licenses/by/4.0/"


class Leaf(Struct, frozen=True, kw_only=True):
    """A page: `head` is HTML, `headers` of the response."""

    slug: str
    title: str
    text: tuple[str, ...]
    links: tuple[str, ...] = ()
    head: str = ""
    headers: dict[str, str] = {}


class Hit(Struct, frozen=True):
    """A page that was found."""

    leaf: Leaf
    score: float


def _structured(kind: str, said: dict[str, object]) -> str:
    data = msgspec.json.encode({"@context": "https://schema.org", "@type": kind, **said}).decode()
    return f'<script type="application/ld+json">{data}</script>'


def _products() -> list[Leaf]:
    return [
        Leaf(
            slug=p.slug,
            title=p.name,
            text=(*p.facts, *(f"{question} {answer}" for question, answer in p.asked)),
            links=p.related,
            head=_structured(
                "Product",
                {"name": p.name, "offers": {"@type": "Offer", "price": p.price, "priceCurrency": "USD"}},
            ),
        )
        for p in PRODUCTS
    ]


def _guides() -> list[Leaf]:
    return [
        Leaf(slug=slug, title=title, text=text, links=links, head=_structured("Article", {"headline": title}))
        for slug, title, text, links in GUIDES
    ]


GUARDED = [
    Leaf(
        slug="private", title="Battery prices we pay", text=("What a battery costs us is nobody's business.",)
    ),
    Leaf(
        slug="draft",
        title="Battery recycling, a draft",
        text=("This draft about a battery is not ready to be found.",),
        head='<meta name="robots" content="noindex">',
    ),
    Leaf(
        slug="reserved",
        title="Battery test, rights reserved",
        text=("We tested every battery for a year, and keep the right to mine this text.",),
        headers={"tdm-reservation": "1"},
    ),
]
LEAVES = {leaf.slug: leaf for leaf in (*_products(), *_guides(), *GUARDED)}


def stems(text: str) -> list[str]:
    """Words of more than three letters, without their endings."""
    return [re.sub(r"(ies|y|s)$", "", w) for w in re.findall(r"\w{4,}", text.lower())]


WORDS = {leaf.slug: Counter(stems(" ".join((leaf.title, *leaf.text)))) for leaf in LEAVES.values()}


def search(query: str) -> list[Hit]:
    """Pages that share words with a query, best first."""
    asked = stems(query)
    found = [Hit(leaf, sum(min(WORDS[slug][w], 3) for w in asked)) for slug, leaf in LEAVES.items()]
    return sorted((hit for hit in found if hit.score), key=lambda hit: (-hit.score, hit.leaf.slug))


def html(leaf: Leaf) -> str:
    """The page as it is served."""
    body = "".join(f"<p>{escape(sentence)}</p>" for sentence in leaf.text)
    links = "".join(f'<li><a href="/pages/{to}">{escape(LEAVES[to].title)}</a></li>' for to in leaf.links)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(leaf.title)}</title>'
        f'<link rel="license" href="{LICENSE}">{leaf.head}</head>'
        f"<body><main><h1>{escape(leaf.title)}</h1>{body}</main><nav><ul>{links}</ul></nav></body></html>"
    )


def markdown(leaf: Leaf) -> str:
    """The page as a provider's parser gives it."""
    return "\n\n".join((f"# {leaf.title}", *leaf.text))


def leaf_at(url: str) -> Leaf | None:
    """The page behind a URL of the site."""
    return LEAVES.get(url.partition("/pages/")[2].strip("/"))


def address(request: Request, leaf: Leaf) -> str:
    """Where a client of this server finds a page."""
    return f"{request.base_url}pages/{leaf.slug}"


def routes() -> list[Route]:
    """The site and its robots.txt."""

    async def page(request: Request) -> Response:
        leaf = LEAVES.get(request.path_params["slug"])
        return HTMLResponse(html(leaf), headers=leaf.headers) if leaf else PlainTextResponse("not here", 404)

    async def index(_: Request) -> Response:
        front = Leaf(slug="", title="Our shop", text=("All that we sell and know.",), links=tuple(LEAVES))
        return HTMLResponse(html(front))

    async def robots(_: Request) -> Response:
        return PlainTextResponse(ROBOTS)

    return [
        Route("/robots.txt", robots),
        Route("/pages/", index),
        Route("/pages/{slug}", page),
    ]
