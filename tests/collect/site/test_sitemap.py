import asyncio
import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.nouns import Drop
from openflywheel.collect._site import sitemap
from openflywheel.collect._site.sitemap import Entry, urls
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response

SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def urlset(*locs: str) -> str:
    return f'<urlset xmlns="{SPACE}">{"".join(f"<url><loc>{loc}</loc></url>" for loc in locs)}</urlset>'


def index(*locs: str) -> str:
    inner = "".join(f"<sitemap><loc>{loc}</loc></sitemap>" for loc in locs)
    return f'<sitemapindex xmlns="{SPACE}">{inner}</sitemapindex>'


def found(files: dict[str, bytes | str], *starts: str, site: str = "") -> list[Entry | Drop]:
    """What is listed when these files are all there is."""

    async def fetch(url: str, *, most: int) -> Response:
        if url not in files:
            return Response(url=url, status=404, headers={}, body=b"", seconds=0)
        said = files[url]
        body = said.encode() if isinstance(said, str) else said
        if len(body) > most:
            raise FetchFailed("too large", url)
        return Response(url=url, status=200, headers={}, body=body, seconds=0)

    async def use() -> list[Entry | Drop]:
        return [entry async for entry in urls(fetch, starts or ("http://h/s.xml",), site)]

    return asyncio.run(use())


def listed(body: bytes | str) -> list[Entry | Drop]:
    return found({"http://h/s.xml": body})


def test_a_list_with_dates_and_what_else_sitemaps_hold() -> None:
    said = f"""<?xml version="1.0" encoding="UTF-8"?>
    <urlset xmlns="{SPACE}" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
    <url><loc> http://h/a?b=2&amp;a=1 </loc><lastmod>2024-03-05</lastmod><changefreq>daily</changefreq>
    <image:image><image:loc>http://h/i.png</image:loc></image:image></url>
    <url><lastmod>2024-03-05T10:00:00+01:00</lastmod><loc>http://h/<![CDATA[b]]></loc></url>
    <url><loc>/relative</loc></url><url><loc></loc></url><url/><url><loc>http://h/c</loc><lastmod>soon</lastmod></url>
    </urlset>"""
    assert listed(said) == [
        Entry("http://h/a?a=1&b=2", "2024-03-05"),
        Entry("http://h/b", "2024-03-05T10:00:00+01:00"),
        Entry("http://h/c"),
    ]


def test_prefixes_and_missing_name_spaces() -> None:
    assert listed("<urlset><url><loc>http://h/a</loc></url></urlset>") == [Entry("http://h/a")]
    said = f'<s:urlset xmlns:s="{SPACE}"><s:url><s:loc>http://h/a</s:loc></s:url></s:urlset>'
    assert listed(said) == [Entry("http://h/a")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert listed(urlset("http://h/ä").encode(encoding)) == [Entry("http://h/%C3%A4")]


def test_text_files() -> None:
    assert listed("\ufeffhttp://h/a\r\nhttp://h/b\n\n# no\nhttp://h/c") == [
        Entry("http://h/a"),
        Entry("http://h/b"),
        Entry("http://h/c"),
    ]


def test_a_text_file_is_read_across_its_pieces() -> None:
    lines = [f"http://h/{i}" for i in range(20_000)]
    assert [e.url for e in listed("\n".join(lines))] == lines


def test_an_index_of_indexes() -> None:
    files = {
        "http://h/s.xml": index("http://h/1.xml", "http://h/2.xml.gz", "http://h/s.xml", "http://h/gone.xml"),
        "http://h/1.xml": index("http://h/3.xml"),
        "http://h/2.xml.gz": gzip.compress(urlset("http://h/b").encode()),
        "http://h/3.xml": index("http://h/4.xml") + "",
        "http://h/4.xml": urlset("http://h/too-deep"),
    }
    files["http://h/3.xml"] = urlset("http://h/a")
    assert found(files) == [Entry("http://h/b"), Drop("sitemap: status 404"), Entry("http://h/a")]
    files["http://h/3.xml"] = index("http://h/4.xml")
    assert Entry("http://h/too-deep") not in found(files)


def test_pages_of_other_sites_are_dropped() -> None:
    said = urlset("http://h/a", "https://www.h/b", "http://evil/c", "http://sub.h/d")
    assert listed(said) == [
        Entry("http://h/a"),
        Entry("https://www.h/b"),
        Drop("sitemap: another site"),
        Drop("sitemap: another site"),
    ]


def test_a_sitemap_elsewhere_counts_when_robots_txt_names_it() -> None:
    files = {
        "http://cdn/s.xml": urlset("http://h/a", "http://cdn/b"),
        "http://cdn/i.xml": index("http://cdn/s.xml", "http://evil/s.xml"),
        "http://evil/s.xml": urlset("http://h/planted"),
    }
    assert found(files, "http://cdn/i.xml", site="http://h/") == [
        Entry("http://h/a"),
        Drop("sitemap: another site"),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            '<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>http://h/&a;</loc></url></urlset>',
            "XML with a DTD",
        ),
        ("<html><body>not found</body></html>", "neither urlset nor sitemapindex"),
        ("<rss></rss>", "neither urlset nor sitemapindex"),
        (b"\x1f\x8b\x08nonsense", "bad gzip"),
        ("<", "XML broken off"),
    ],
)
def test_what_is_refused_says_why(body: bytes | str, reason: str) -> None:
    assert listed(body) == [Drop(f"sitemap: {reason}")]


def test_what_came_before_it_broke_is_good() -> None:
    assert listed(urlset("http://h/a")[:-5]) == [Entry("http://h/a"), Drop("sitemap: XML broken off")]


def test_a_far_side_that_fails_is_a_drop() -> None:
    async def fetch(url: str, *, most: int) -> Response:
        raise FetchFailed("no connection", url)

    async def use() -> list[Any]:
        return [e async for e in urls(fetch, ["http://h/s.xml", "not a url"])]

    assert asyncio.run(use()) == [Drop("sitemap: no connection")]


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(b"<urlset><url><loc>http://h/first</loc></url>")
    return head + b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()


def test_a_gzip_bomb_is_left_at_its_bound() -> None:
    import tracemalloc

    body = bomb(60)
    tracemalloc.start()
    said = listed(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said == [Entry("http://h/first"), Drop("sitemap: too large")]
    assert peak < 5_000_000


def test_the_bounds_of_a_file_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MOST_URLS", 3)
    said = listed("\n".join(f"http://h/{i}" for i in range(5)))
    assert said == [
        Entry("http://h/0"),
        Entry("http://h/1"),
        Entry("http://h/2"),
        Drop("sitemap: too many URLs"),
    ]
    monkeypatch.setattr(sitemap, "MOST_FILES", 2)
    files = {
        "http://h/s.xml": index("http://h/1.xml", "http://h/2.xml"),
        "http://h/1.xml": urlset("http://h/a"),
    }
    assert found(files) == [Entry("http://h/a"), Drop("sitemap: too many")]


def test_an_endless_loc_and_deep_nesting_are_harmless() -> None:
    deep = "<a>" * 5_000 + "</a>" * 5_000
    long = f"<url><loc>http://h/{'x' * 5_000_000}</loc></url>"
    assert listed(f"<urlset>{long}{deep}<url><loc>http://h/a</loc></url></urlset>") == [Entry("http://h/a")]


pieces = st.sampled_from(
    [
        b"<urlset>",
        b"</urlset>",
        b"<url>",
        b"</url>",
        b"<loc>",
        b"</loc>",
        b"http://h/a",
        b"<sitemap>",
        b"\n",
        b"&",
        b"\x1f\x8b",
    ]
)


@given(st.lists(st.one_of(pieces, st.binary(max_size=8)), max_size=30).map(b"".join))
def test_nothing_makes_it_fail(body: bytes) -> None:
    assert all(isinstance(entry, Entry | Drop) for entry in listed(body))


def test_over_real_http(web: Any, site: Any) -> None:
    site.page("/s.xml", index(f"{site.url}/a.xml.gz"))
    packed = gzip.compress(urlset(f"{site.url}/x").encode())
    site.page("/a.xml.gz", packed, content_type="application/gzip")

    async def use() -> list[Any]:
        return [e async for e in urls(web.fetch, [f"{site.url}/s.xml"])]

    assert web.run(use()) == [Entry(f"{site.url}/x")]
