"""The demo shop's website on this machine: its help pages and its catalogue, for the wheel to read."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from itertools import accumulate
from typing import Any

import msgspec

NAME = "Juniper & Oak"
# The help pages' sections, with how many of the articles, in their order, each holds.
SECTIONS = {
    "orders": 9, "delivery": 8, "returns-and-refunds": 6, "payment": 7, "account": 7,
    "products-repair-and-recycling": 9, "service": 5,
}  # fmt: skip
GUIDES = "products-repair-and-recycling"
Article = dict[str, str]


def articles() -> list[Article]:
    """The help articles: label, title, text."""
    return _lines("articles.jsonl")


def _guides() -> list[Article]:
    """What stands on the website alone."""
    return _lines("guides.jsonl")


@contextmanager
def website() -> Iterator[str]:
    """Serves the shop's pages on a free port of this machine; lends their root, with a slash at its end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(pages()))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages() -> dict[str, str]:
    """Path -> HTML: the home page, shelves of help articles, product groups, and what stands on them."""
    texts = [*articles(), *_guides()]
    help_pages = {f"/help/{_slug(a['label'])}": _article(a) for a in texts}
    products: list[dict[str, Any]] = _lines("products.jsonl")
    shop_pages = {_place(p): _product(p) for p in products}
    titles = {f"/help/{_slug(a['label'])}": a["title"] for a in texts}
    titles |= {_place(p): p["name"] for p in products}
    shelves = {f"/help/{name}/": paths for name, paths in _shelves(list(help_pages))}
    groups = {f"/shop/{c}/": [x for x in shop_pages if x.split("/")[2] == c] for c in _categories(products)}
    lists = {
        path: _list(path.strip("/"), {p: titles[p] for p in paths})
        for path, paths in (shelves | groups).items()
    }
    home = _list(NAME, {path: path.strip("/") for path in lists})
    return {"/": home, **lists, **help_pages, **shop_pages}


def _shelves(paths: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each section with its pages; the guides come after the articles."""
    ends = list(accumulate(SECTIONS.values()))
    for (name, size), end in zip(SECTIONS.items(), ends, strict=True):
        yield name, [*paths[end - size : end], *(paths[ends[-1] :] if name == GUIDES else ())]


def _categories(products: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({_slug(p["category"]) for p in products})


def _slug(words: str) -> str:
    return words.replace(" ", "-").replace("_", "-")


def _place(product: Mapping[str, Any]) -> str:
    return f"/shop/{_slug(product['category'])}/{product['sku'].lower()}"


def _lines(name: str) -> list[Any]:
    lines = (files(__package__) / "shop" / name).read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines]


def _article(article: Article) -> str:
    paragraphs = "".join(f"<p>{escape(p)}</p>" for p in article["text"].split("\n"))
    return _page(article["title"], paragraphs)


def _product(product: Mapping[str, Any]) -> str:
    specs = "".join(f"<li>{escape(str(k))}: {escape(str(v))}</li>" for k, v in product["specs"].items())
    price = f"<p>{product['price']:.2f} euros</p>"
    return _page(product["name"], f"<p>{escape(product['description'])}</p>{price}<ul>{specs}</ul>")


def _list(title: str, links: Mapping[str, str]) -> str:
    items = "".join(f'<li><a href="{path}">{escape(said)}</a></li>' for path, said in links.items())
    return _page(title, f"<ul>{items}</ul>")


def _page(title: str, body: str) -> str:
    nav = f'<nav><a href="/">{escape(NAME)}</a></nav>'
    head = f"<head><title>{escape(title)}</title></head>"
    main = f"<main><h1>{escape(title)}</h1>{body}</main>"
    return f'<!doctype html><html lang="en">{head}<body>{nav}{main}</body></html>'


def _handler(site: Mapping[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = site.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the story is told elsewhere."""

    return Handler
