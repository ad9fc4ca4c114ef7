"""The plugin, as the wheel calls it, against real sites."""

import socket
import sys
import threading
from collections import Counter
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from subprocess import DEVNULL, PIPE, Popen

import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Drop, Exchange, Gap, Record
from openflywheel.base.settings import Budget, Costs, Task, WebSettings
from openflywheel.collect._web.web import Web
from openflywheel.collect.crawl import check, crawl, discover, explain
from openflywheel.store.objects import Objects

COLD = Gap(topic="answer", why="cold start", task="answer")
TEXT = "<p>This page says in some words of its own what there is to know about {0}, and why {0} matters."


def html(about, *links, head=""):
    anchors = "".join(f'<p><a href="{link}">more on {link.strip("/")}</a></p>' for link in links)
    return f"<html lang='en'><head><title>{about}</title>{head}</head><body>{TEXT.format(about)}{anchors}"


@pytest.fixture
def source(site, web, tmp_path):
    class Source:
        def __init__(self):
            self.objects, self.state, self.figures = Objects(tmp_path / "objects"), {}, []

        def __call__(self, gap=COLD, start=None, **settings):
            given = {
                "web": web, "objects": self.objects, "workspace": tmp_path, "folder": tmp_path,
                "state": self.state, "encoder": open_encoder("ngrams"), "known": list,
                "subject": lambda person: f"key-{len(person)}", "exchanges": exchanges,
                "tasks": {"answer": Task(kind="text", costs=Costs(error=2.0))},
                "budget": Budget(), "progress": self.figures.append,
            }  # fmt: skip
            found = list(crawl(gap, start=start or site.url + "/", **{**given, **settings}))
            self.state = dict(self.state)  # kept: the next call is another passage
            self.drops = Counter(f.reason for f in found if isinstance(f, Drop))
            return [f for f in found if isinstance(f, Record)]

    return Source()


def exchanges(ids):
    asked = "where can I bring a battery for recycling?"
    return {i: Exchange(id=i, episode="e", task="answer", input=asked, output="", variant="v") for i in ids}


def test_a_page_becomes_a_record_with_its_facts_and_its_bytes(source, site):
    head = (
        '<meta name="description" content="All of it."><meta name="author" content="Ann Example">'
        '<meta property="article:published_time" content="2026-01-02T03:04:05Z">'
        '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">'
    )
    body = html("Batteries", head=head)
    site.page("/", body)
    [record] = source()
    assert record.text.startswith("This page says in some words of its own")
    assert (record.source, record.uri, record.license) == ("crawl", site.url + "/", "CC-BY-4.0")
    assert (record.meta["title"], record.meta["lang"]) == ("Batteries", "en")
    assert record.meta["description"] == "All of it."
    assert record.meta["published"].startswith("2026-01-02")
    assert record.subject == "key-11"
    assert "Ann" not in str(record.meta)
    [part] = record.parts
    assert part.mime == "text/html"
    assert source.objects.get(part.digest) == body.encode()
    assert source.figures[-1]["done"] == 1


def test_the_same_page_gives_the_same_record_whenever_it_is_fetched(source, site, tmp_path):
    site.page("/", html("Batteries"))
    [first] = source()
    [second] = source(state={}, workspace=tmp_path / "other")
    assert first.id == second.id


def test_a_gap_with_words_is_crawled_for(source, site):
    topics = ["zinc", "rivers", "poems", "chess", "tax", "opera", "hockey", "tulips", "comets", "bread"]
    site.page("/", html("start", *(f"/{t}" for t in topics), "/battery-recycling"))
    for topic in topics:
        site.page(f"/{topic}", html(topic, *(f"/{topic}/{n}" for n in range(3))))
    site.page("/battery-recycling", html("battery recycling", "/battery-recycling/where"))
    site.page("/battery-recycling/where", html("where to bring a battery for recycling"))
    gap = Gap(topic="x", why="", task="answer", queries=("battery recycling",), evidence=("failed",))
    found = [r.uri.removeprefix(site.url) for r in source(gap)]
    assert "/battery-recycling" in found[:6]  # of eleven; four are in flight at a time
    assert "/battery-recycling/where" in found


def test_sitemaps_lead_to_what_nothing_links_to(source, site):
    site.page("/", html("start"))
    site.page("/island", html("island"))
    site.page("/robots.txt", f"Sitemap: {site.url}/map.xml", content_type="text/plain")
    listed = (
        f"<urlset><url><loc>{site.url}/island</loc></url><url><loc>https://example.com/</loc></url></urlset>"
    )
    site.page("/map.xml", listed, content_type="application/xml")
    assert {r.uri for r in source()} == {site.url + "/", site.url + "/island"}
    assert source.drops == {"sitemap: another site": 1}
    assert {r.uri for r in source(sitemaps=False, include=("/*",))} == {site.url + "/"}
    source()
    assert site.paths().count("/map.xml") == 1  # once in every `refresh`


def test_several_starts_are_one_crawl(source, site):
    for path in ("/a", "/b"):
        site.page(path, html(path, "/c"))
    site.page("/c", html("c"))
    assert len(source(start=(site.url + "/a", site.url + "/b"))) == 3


def test_what_was_taken_is_archived_and_can_be_read_again(source, site, tmp_path):
    pytest.importorskip("fastwarc")
    site.page("/", html("start", "/a", "/no"))
    site.page("/a", html("a"))
    site.page("/no", html("no"), x_robots_tag="noindex")
    fetched = source(warc="archive")
    [file] = (tmp_path / "archive").iterdir()
    site.pages.clear()
    asked = len(site.asked)
    again = source(start=f"archive/{file.name}")
    assert sorted(r.id for r in again) == sorted(r.id for r in fetched)
    assert source(start=f"archive/{file.name}") == []  # it has not changed
    assert len(site.asked) == asked


def test_an_archive_is_judged_like_a_site(source, tmp_path):
    pytest.importorskip("fastwarc")
    from openflywheel.collect._site.warc import Writer

    kind = {"content-type": "text/html"}
    with Writer(tmp_path / "a.warc.gz", "test") as writer:
        writer.write("https://example.com/", 200, kind, html("one").encode())
        writer.write("https://example.com/twin", 200, kind, html("one").encode())
        writer.write("https://example.com/gone", 404, kind, b"")
        writer.write("https://example.com/no", 200, {**kind, "x-robots-tag": "noindex"}, html("no").encode())
        writer.write("https://example.com/film", 200, {"content-type": "video/mp4"}, b"film")
        writer.write("ftp://example.com/", 200, kind, html("ftp").encode())
        writer.write("https://example.com/empty", 200, kind, b"<html>")
    assert [r.uri for r in source(start="a.warc.gz")] == ["https://example.com/"]
    assert source.drops == {
        "same content as another page": 1, "HTTP 404": 1, "noindex": 1, "content type not wanted": 1,
        "archive: no URL of the web": 1, "no text": 1,
    }  # fmt: skip


def test_an_archive_that_is_not_there_is_named(source):
    with pytest.raises(SettingsError, match=r"nowhere\.warc\.gz"):
        source(start="nowhere.warc.gz")


# Before it is read


def test_check_asks_for_robots_alone(site, web, tmp_path):
    check(start=site.url + "/", web=web, folder=tmp_path)
    assert site.paths() == ["/robots.txt"]


def test_check_names_the_line_that_refuses(site, web, tmp_path):
    site.page("/robots.txt", "User-agent: *\nDisallow: /", content_type="text/plain")
    with pytest.raises(SourceFailed, match="line 2: disallow: /"):
        check(start=site.url + "/", web=web, folder=tmp_path)
    check(start=site.url + "/", obey=False, web=web, folder=tmp_path)


def test_check_wants_a_contact_before_strangers_are_asked(tmp_path):
    nobody = Web(WebSettings())
    with pytest.raises(SettingsError, match=r"wheel\.web\.contact"):
        check(start="https://example.com/", web=nobody, folder=tmp_path)
    nobody.close()


def test_a_site_that_is_away_fails_the_check(web, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceFailed, match="no connection"):
        check(start=f"http://127.0.0.1:{port}/", web=web, folder=tmp_path)


def test_discover_and_explain_know_what_the_crawl_knows(source, site, web, tmp_path):
    site.page("/", html("start", "/a", "/b"))
    source(pages=1)
    about = {"start": site.url + "/", "web": web, "workspace": tmp_path}
    [stream] = discover(COLD, folder=tmp_path, **about)
    assert (stream.items, stream.note) == (2, "2 queued, 1 fetched")
    assert explain(site.url + "/a", **about).startswith("not taken yet")
    assert explain(site.url + "/zzz", **about).startswith("not taken: no page that was read leads to it")


def test_discover_names_archives(web, tmp_path):
    (tmp_path / "a.warc").touch()
    [stream] = discover(COLD, start="a.warc", web=web, workspace=tmp_path, folder=tmp_path)
    assert stream.name.endswith("a.warc")


def test_the_door_knows_its_settings():
    about = door.describe("collect", "crawl")
    required = [s.name for s in about.settings if s.required and not s.shared]
    assert required == ["start"]
    assert {"web", "state", "progress", "workspace"} <= set(about.handed)


# Real sites


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    """pydoc's own server: a real site about every installed module.

    It imports anew what it is asked for: in this process, the modules under test would be there twice.
    """
    command = [sys.executable, "-m", "pydoc", "-n", "127.0.0.1", "-p", "0"]
    empty = tmp_path_factory.mktemp("manual")
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, cwd=empty) as server:
        yield server.stdout.readline().removeprefix("Server ready at ").rstrip("/\n")
        server.communicate("q\n", timeout=60)


def test_pydocs_own_site_is_crawled(source, manual):
    found = source(start=f"{manual}/", pages=60, exclude=("*key=*",))
    assert len(found) > 40
    assert len({r.uri for r in found}) == len(found)
    assert any("itertools" in r.text and r.uri.endswith("/itertools.html") for r in found)
    assert len(source(start=f"{manual}/", pages=10, exclude=("*key=*",))) > 5  # goes on


def test_a_folder_of_files_is_crawled_as_a_static_site(source, tmp_path):
    root = tmp_path / "www"
    for n in range(30):
        (root / f"part{n // 10}").mkdir(parents=True, exist_ok=True)
        name = "".join(chr(97 + int(d)) for d in str(n))
        links = [f"../part{m // 10}/{m}.html" for m in (2 * n + 1, 2 * n + 2) if m < 30]
        (root / f"part{n // 10}" / f"{n}.html").write_text(html(name, *links))

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=root)

        def log_message(self, *args): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        found = source(start=f"http://127.0.0.1:{server.server_port}/part0/0.html")
        assert len(found) == 30
    finally:
        server.shutdown()
        server.server_close()
