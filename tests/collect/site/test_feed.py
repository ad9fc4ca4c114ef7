import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.collect._site.feed import Feed, NotAFeed, Post, read_feed

URL = "https://h.example/feeds/main.xml"

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:cc="http://backend.userland.com/creativeCommonsRssModule"><channel><title>Shop &amp; news</title>
<link>https://h.example/</link><language>en</language>
<cc:license>http://creativecommons.org/licenses/by/4.0/</cc:license>
<item><title>One &lt;b&gt;bold&lt;/b&gt; day</title><link>/1</link><guid isPermaLink="false">g1</guid>
<dc:creator>Ann Lee</dc:creator><pubDate>Tue, 05 Mar 2024 10:00:00 GMT</pubDate>
<description>&lt;p&gt;short</description>
<content:encoded><![CDATA[<h2>Head</h2><p>A longer <b>text</b>.</p><script>no()</script>]]></content:encoded>
</item>
<item><title>Two</title><description>plain &amp;amp; simple</description></item></channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Notes</title><rights>CC BY-SA 4.0</rights>
<entry><id>urn:1</id><title type="html">A &amp;lt; B</title><published>2024-03-04T10:00:00+01:00</published>
<updated>2024-03-05T10:00:00Z</updated><link rel="alternate" href="../e1?utm_source=feed"/>
<author><name>Bob</name></author>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hi</p><p>there</p></div></content>
</entry></feed>"""

JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "J",
    "language": "de",
    "items": [
        {
            "id": 7,
            "url": "/7",
            "title": "Sieben",
            "content_html": "<p>Hallo</p>",
            "date_published": "2024-03-05T10:00:00Z",
            "date_modified": "2024-03-06T10:00:00Z",
            "authors": [{"name": "Eva"}],
        },
        {
            "id": "8",
            "external_url": "https://o.example/8",
            "content_text": "a < b",
            "author": {"name": "Max"},
        },
        {"id": "9", "summary": "kurz", "url": "javascript:x"},
        "no item",
    ],
}


def test_rss() -> None:
    one = Post(
        id="g1",
        url="https://h.example/1",
        title="One bold day",
        text="Head\nA longer text.",
        published="2024-03-05T10:00:00+00:00",
        author="Ann Lee",
    )
    two = Post(id="", url="", title="Two", text="plain & simple")
    found = read_feed(RSS.encode(), URL)
    assert found.title == "Shop & news"
    assert found.license == "CC-BY-4.0"
    assert found.posts == (one, two)


def test_atom() -> None:
    post = Post(
        id="urn:1",
        url="https://h.example/e1",
        title="A < B",
        text="Hi\nthere",
        published="2024-03-04T09:00:00+00:00",
        updated="2024-03-05T10:00:00+00:00",
        author="Bob",
    )
    assert read_feed(ATOM.encode(), URL) == Feed(
        title="Notes", lang="", license="CC-BY-SA-4.0", posts=(post,)
    )


def test_json_feed() -> None:
    found = read_feed(json.dumps(JSON).encode(), URL)
    assert (found.title, found.lang) == ("J", "de")
    assert found.posts == (
        Post(
            id="7",
            url="https://h.example/7",
            title="Sieben",
            text="Hallo",
            published="2024-03-05T10:00:00+00:00",
            updated="2024-03-06T10:00:00+00:00",
            author="Eva",
        ),
        Post(id="8", url="https://o.example/8", title="", text="a < b", author="Max"),
        Post(id="9", url="", title="", text="kurz"),
    )


@pytest.mark.parametrize(
    "lead", ["\ufeff", "\n\n  ", '<?xml version="1.0"?>\n<!DOCTYPE rss PUBLIC "-//X" "http://h/x.dtd">']
)
def test_what_stands_before_a_feed_harms_nothing(lead: str) -> None:
    body = RSS.partition("\n")[2] if "DOCTYPE" in lead else RSS
    assert len(read_feed((lead + body).encode(), URL).posts) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b'<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><item><title>&a;</title></item></channel></rss>',
            "XML with a DTD",
        ),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss>&e;</rss>', "XML with a DTD"),
        (b"", "XML broken off"),
        (b"just text", "XML broken off"),
        (b"<html><body><p>not found</p></body></html>", "neither RSS nor Atom"),
        (b"{", "broken JSON"),
        (b"{}", "no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": 3}', "no JSON Feed"),
        (b'{"a": ' + b"[" * 100_000, "broken JSON"),
    ],
)
def test_what_is_no_feed_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(NotAFeed, match=reason):
        read_feed(body, URL)


def test_an_address_is_not_fetched() -> None:
    with pytest.raises(NotAFeed):
        read_feed(b"http://127.0.0.1:1/feed", URL)


values = st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.text(max_size=3), max_size=2))
names = ("id", "url", "title", "content_html", "content_text", "date_published", "authors", "author")


@given(st.lists(st.dictionaries(st.sampled_from(names), values), max_size=4))
def test_any_json_of_the_right_shape_is_read(items: list[dict[str, object]]) -> None:
    body = json.dumps({"version": "https://jsonfeed.org/version/1", "items": items}).encode()
    assert len(read_feed(body, URL).posts) == len(items)


@pytest.mark.filterwarnings("ignore::dateutil.parser.UnknownTimezoneWarning")
@given(st.data())
def test_a_damaged_feed_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from([RSS, ATOM])).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 30))] = data.draw(
            st.sampled_from([b"", b"<", b"&", b"]]>", b"\x00", b">"])
        )
    with suppress(NotAFeed):
        assert isinstance(read_feed(bytes(body), URL), Feed)


@pytest.mark.parametrize("piece", ["<a", "<rights "])
def test_tags_that_never_end_take_time_in_proportion_to_their_length(piece: str) -> None:
    def seconds(times: int) -> float:
        said = f"<![CDATA[{piece * times}]]>"
        item = f"<item><description>{said}</description></item>"
        body = f"<rss><channel><title>{said}</title>{item}</channel></rss>"
        began = time.process_time()
        with suppress(NotAFeed):
            read_feed(body.encode(), URL)
        return time.process_time() - began

    seconds(10)
    assert seconds(80_000) < 20 * max(seconds(20_000), 0.01)  # four times as long; 16 if it were quadratic
