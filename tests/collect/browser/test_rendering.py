import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from openflywheel.base.settings import WebSettings
from openflywheel.collect._browser import rendering
from openflywheel.collect._browser.chromium import Chromium
from openflywheel.collect._browser.fetching import Rendered
from openflywheel.collect._browser.tally import Tally
from openflywheel.collect._web.web import FetchFailed, Web

APP = """<!doctype html><div id="root"></div><script src="/app.js"></script>"""
SCRIPT = """
fetch('/api/story.json').then(r => r.json()).then(story => {
  document.getElementById('root').innerHTML = '<h1>' + story.title + '</h1><p>' + story.text + '</p>';
  document.title = story.title;
});
"""


def application(site):
    site.page("/app.js", SCRIPT, content_type="text/javascript")
    site.page(
        "/api/story.json", '{"title": "Späti", "text": "open all night"}', content_type="application/json"
    )
    return site.page("/", APP)


def test_an_application_is_rendered_with_what_its_scripts_fetch(site, rendered):
    document = rendered(application(site))
    assert "<h1>Späti</h1><p>open all night</p>" in document
    assert site.asked[-1][1]["user-agent"].startswith("openflywheel/")


def test_the_document_is_fetched_once_and_pictures_fonts_frames_and_styles_never(site, rendered):
    url = site.page(
        "/",
        "<link rel=stylesheet href=/s.css onload=\"document.body.append('styled')\">"
        "<link rel=icon href=/i.ico>"
        "<img src=/p.png><video src=/v.mp4></video><iframe src=/frame.html></iframe><p>text",
    )
    assert "styled" in rendered(url)
    assert site.paths() == ["/"]


REACHING = """<p id=p>text</p><script>
const at = '127.0.0.1:%(port)d', said = [];
const no = what => { said.push(what);
  document.getElementById('p').textContent = 'refused: ' + said.sort().join(' ') };
const safely = f => { try { f() } catch (e) {} };
fetch('http://' + at + '/fetch', {mode: 'no-cors'}).catch(e => no('fetch'));
fetch('/moved').catch(e => no('moved'));
fetch('http://169.254.169.254/latest/meta-data/').catch(e => no('metadata'));
fetch('http://localhost:%(port)d/').catch(e => no('localhost'));
safely(() => fetch('file:///etc/passwd').catch(e => no('file')));
safely(() => { const s = new WebSocket('ws://' + at + '/ws'); s.onclose = () => no('socket') });
safely(() => new Worker(URL.createObjectURL(new Blob([
  `new WebSocket('ws://${at}/wws'); fetch('http://${at}/wfetch'); importScripts('http://${at}/wimport')`]))));
safely(() => navigator.sendBeacon('http://' + at + '/beacon', 'x'));
safely(() => new EventSource('http://' + at + '/events'));
safely(() => { const c = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:%(udp)d'}]});
  c.createDataChannel('x'); c.createOffer().then(o => c.setLocalDescription(o)) });
safely(() => new WebTransport('https://' + at + '/wt'));
for (const rel of ['preconnect', 'prefetch', 'preload', 'modulepreload']) {
  const l = document.createElement('link'); l.rel = rel; l.as = 'script'; l.href = 'http://' + at + '/' + rel;
  document.head.append(l) }
safely(() => window.open('http://' + at + '/popup'));
const f = document.createElement('iframe');
f.srcdoc = `<script>new WebSocket('ws://${at}/fws')</` + `script>`;
document.body.append(f);
const a = document.createElement('a'); a.href = 'http://' + at + '/down'; a.ping = 'http://' + at + '/ping';
a.download = 'x'; document.body.append(a); a.click();
setTimeout(() => { location = 'http://' + at + '/gone' }, 300);
const beat = setInterval(() => document.body.append('.'), 200); setTimeout(() => clearInterval(beat), 1800);
</script>"""


@contextmanager
def heard():
    """A server that nobody may reach, on TCP and UDP; a list of what it heard."""
    heard, over = [], threading.Event()
    tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    tcp.settimeout(0.1)
    udp.settimeout(0.1)

    def listen(take):
        while not over.is_set():
            try:
                heard.append(take())
            except TimeoutError:
                continue

    threads = [threading.Thread(target=listen, args=(t,)) for t in (tcp.accept, lambda: udp.recvfrom(99))]
    for thread in threads:
        thread.start()
    try:
        yield tcp.getsockname()[1], udp.getsockname()[1], heard
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for said in heard:
            if isinstance(said[0], socket.socket):
                said[0].close()
        tcp.close()
        udp.close()


def test_a_page_reaches_nothing_that_our_client_would_not(site):
    with heard() as (port, udp, reached), only(site) as run:
        moved = f"http://127.0.0.1:{port}/moved-there"
        site.page("/moved", "", 302, location=moved)
        document = run(site.page("/", REACHING % {"port": port, "udp": udp}))
        assert "refused: fetch file localhost metadata moved socket" in document
        time.sleep(0.3)  # for what may still be under way
        assert reached == []
    assert set(site.paths()) == {"/", "/moved", "/robots.txt"}


@contextmanager
def only(site):
    """A client that may reach this one site alone, and a browser on it."""
    path = shutil.which("chromium") or pytest.skip("there is no chromium: apt install chromium")
    web = Web(WebSettings(allow=(site.url.removeprefix("http://"),), contact="test@example.com", delay=0))
    chromium = Chromium(path, web.agent)
    fetching = Rendered(web, chromium, Tally({}), obey=True)

    async def render(url):
        return await rendering.render(chromium, await web.fetch(url), fetching._load)

    try:
        yield lambda url: web.run(render(url)).decode()
    finally:
        web.run(chromium.close())
        web.close()


def test_what_is_sent_goes_to_the_pages_own_host_alone(site, rendered):
    site.page("/graph", '{"t": "answered"}', content_type="application/json")
    url = site.page(
        "/",
        "<p id=p></p><script>fetch('/graph', {method: 'POST', body: 'q'}).then(r => r.json())"
        ".then(j => document.getElementById('p').append(j.t));"
        "fetch('/graph', {method: 'DELETE'}).catch(() => document.getElementById('p').append(' no delete'));"
        "fetch(location.href.replace('127.0.0.1', 'localhost') + 'graph', {method: 'POST', body: 'q'})"
        ".catch(() => document.getElementById('p').append(' no stranger'))</script>",
    )
    document = rendered(url)
    assert all(said in document for said in ("answered", "no delete", "no stranger"))
    assert [h[":body"] for p, h in site.asked if p == "/graph"] == ["q"]


def test_robots_txt_holds_for_what_a_page_asks_for(site, rendered):
    url = application(site)
    site.page("/robots.txt", "user-agent: *\ndisallow: /api/", content_type="text/plain")
    assert "open all night" not in rendered(url)
    assert "/api/story.json" not in site.paths()


HARMFUL = {
    "loops": ("for (;;) {}", rendering.UNSETTLED),
    "alerts": ("for (;;) alert('no')", rendering.UNSETTLED),
    "changes": ("setInterval(() => document.body.append('more '), 50)", rendering.UNSETTLED),
    "remembers": ("const a = []; for (;;) a.push(new Array(1e5).fill(Math.random()))", rendering.CRASHED),
    "grows": ("document.body.title = 'x'.repeat(9e6)", rendering.TOO_LARGE),
    "lies": (
        "Object.defineProperty(Element.prototype, 'outerHTML', {get() { return 'x'.repeat(5e8) }})",
        rendering.TOO_LARGE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_page_is_given_up_and_the_next_one_is_rendered(site, rendered, name, monkeypatch):
    monkeypatch.setattr(rendering, "SECONDS", 4.0)
    script, reason = HARMFUL[name]
    bad, good = site.page("/bad", f"<body><script>{script}</script>"), application(site)
    with pytest.raises(FetchFailed) as failed:
        rendered(bad)
    assert failed.value.reason == reason
    assert "open all night" in rendered(good)


def test_a_page_that_polls_for_ever_is_taken_as_it_stands(site, rendered):
    poll = "const ask = () => fetch('/poll').finally(() => setTimeout(ask, 50)); ask()"
    assert "here" in rendered(site.page("/", f"<p>here</p><script>{poll}</script>"))


def test_a_page_that_goes_elsewhere_or_opens_windows_stays_what_it_was(site, rendered):
    site.page("/other", "elsewhere")
    url = site.page(
        "/",
        "<p>here</p><meta http-equiv=refresh content='0;url=/other'>"
        "<script>open('/other'); location = '/other'</script>",
    )
    assert "here" in rendered(url)
    assert site.paths() == ["/"]


def test_service_workers_are_blocked_and_nothing_is_kept_between_pages(site, rendered):
    site.page("/sw.js", "self.onfetch = e => {}", content_type="text/javascript")
    url = site.page(
        "/",
        "<p id=p></p><script>const p = document.getElementById('p');"
        "p.append(localStorage.getItem('seen') || 'first'); localStorage.setItem('seen', 'again');"
        "document.cookie = 'a=b'; navigator.serviceWorker?.register('/sw.js')</script>",
    )
    for _ in range(2):
        assert "first" in rendered(url)
    assert site.paths() == ["/", "/"]
    assert all("cookie" not in headers for _, headers in site.asked)


def test_the_browser_is_replaced_after_some_pages(site, rendered, chromium):
    url = site.page("/", "<p>text")
    for _ in range(6):
        rendered(url)
    assert chromium.started == 2


@pytest.mark.fault
def test_a_browser_that_is_killed_is_replaced(site, rendered, chromium, monkeypatch):
    monkeypatch.setattr(rendering, "SECONDS", 4.0)
    good, slow = application(site), site.page("/slow", "<script>for (;;) {}</script>")
    assert "open all night" in rendered(good)
    before = browsers()
    threading.Timer(1.0, lambda: [os.kill(pid, 9) for pid in before]).start()
    with pytest.raises(FetchFailed, match="crashes the browser|browser failed"):
        rendered(slow)
    assert "open all night" in rendered(good)
    assert chromium.started == 2


def browsers():
    """The browser processes below this one (not their renderers)."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            line = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--remote-debugging-pipe" in line and not any(part.startswith(b"--type=") for part in line):
            found.append(int(folder.name))
    return found


def test_no_process_stays_behind(site, web):
    path = shutil.which("chromium") or pytest.skip("there is no chromium: apt install chromium")
    before = set(browsers())
    chromium = Chromium(path, web.agent)
    fetching = Rendered(web, chromium, Tally({}), obey=True)
    url = site.page("/", "<p>text")

    async def render():
        return await rendering.render(chromium, await web.fetch(url), fetching._load)

    web.run(render())
    ours = set(browsers()) - before
    assert ours
    web.run(chromium.close())
    until = time.monotonic() + 20
    while ours & set(browsers()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not ours & set(browsers())
