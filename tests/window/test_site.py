"""The demo shop's website: real pages over real HTTP, every one of which can be reached by links."""

import re
from html import unescape
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest

from openflywheel.window.site import articles, pages, website


def read(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        return answer.read().decode()


def test_every_page_can_be_reached_by_links():
    found, waiting = set(), ["/"]
    site = pages()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += re.findall(r'href="([^"]+)"', site[path])
    assert found == set(site)
    assert len(site) > 120


def test_the_pages_are_served_on_this_machine_alone():
    with website() as root:
        assert root.startswith("http://127.0.0.1:")
        link = re.search(r'href="(/help/[^"]+)"', read(root))[1]
        assert "<h1>" in read(urljoin(root, link))
        with pytest.raises(HTTPError, match="404"):
            read(urljoin(root, "/nowhere"))
    with pytest.raises(OSError, match="refused"):
        read(root)


def test_the_help_pages_say_what_the_articles_say():
    site = pages()
    for article in articles():
        assert article["text"] in unescape(site[f"/help/{article['label'].replace('_', '-')}"])


def test_what_is_missing_at_first_stands_on_the_website():
    assert "collection box" in pages()["/help/recycling-guide"]
