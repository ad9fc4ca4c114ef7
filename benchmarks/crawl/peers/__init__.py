"""The crawlers that ours is compared with, each run in a process of its own.

All follow every link of the start's host, obey robots.txt, have 16 requests in flight, and give each page's
URL, title and text: Scrapy and Crawlee all text of the body, which is the quickest, Crawl4AI Markdown, ours
the main text.
"""

from importlib.metadata import PackageNotFoundError, version

PEERS = {"scrapy": "scrapy", "crawlee": "crawlee", "crawl4ai": "crawl4ai"}  # file -> package


def installed(peer: str) -> str | None:
    """A peer's version; None when it is not installed."""
    try:
        return version(PEERS[peer])
    except PackageNotFoundError:
        return None
