"""What does rendering only what needs it save, and what does it miss?  python -m benchmarks.rendered

A local site of the standard library's docstrings. Most of its pages are plain; some show their text to a
browser alone and say so (an empty root), some have an empty root and need nothing, and in one section the
pages need a browser and do not say so. The crawl of `rendered` is run on it as it is, and once more rendering
everything. CPU is that of the crawler and of all that it started, the browser with its renderers.
"""

import argparse
import ctypes
import html
import inspect
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

from msgspec import Struct

from benchmarks.report import Row, at_least, at_most, finish, say
from openflywheel.base.nouns import Record
from openflywheel.base.settings import WebSettings
from openflywheel.collect._browser.chromium import Chromium, find
from openflywheel.collect._browser.fetching import Rendered
from openflywheel.collect._browser.tally import Tally
from openflywheel.collect._frontier.engine import crawl_site
from openflywheel.collect._frontier.plan import plan
from openflywheel.collect._site.page import Page
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

PLAIN, TELLING, SILENT, EMPTY = 170, 20, 40, 10
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2): what chromium leaves behind becomes our child
MENU = " ".join(f"<span>menu entry number {n}</span>" for n in range(20))
SCRIPT = """
fetch('/text' + location.pathname).then(r => r.text()).then(text => {
  for (const part of text.split('\\n\\n')) {
    const p = document.createElement('p'); p.textContent = part; document.getElementById('root').append(p);
  }
});
"""


class Arm(Struct):
    """What one crawl brought: sections of the pages whose text was found, and how many were rendered."""

    found: dict[str, int]
    rendered: int
    needless: int
    pages: int
    cpu: float = 0.0


class Everything(Tally):
    """Renders whatever comes."""

    def wants(self, url: str, asks: bool) -> bool:
        super().wants(url, asks)
        return True


def texts() -> Iterator[str]:
    """Docstrings of the standard library that are long enough to be a page."""
    for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib", "turtledemo"}):
        if name.startswith("_"):
            continue
        try:
            members = vars(import_module(name))
        except ImportError:
            continue
        said = (inspect.getdoc(member) or "" for key, member in members.items() if not key.startswith("_"))
        yield from (text for text in said if 300 < len(text) < 3_000)


def site() -> dict[str, str]:
    """Path -> body. Each page's text holds a marker that stands nowhere else."""
    known = iter(dict.fromkeys(texts()))
    pages = {"/app.js": SCRIPT}
    for section, count in (("plain", PLAIN), ("telling", TELLING), ("silent", SILENT), ("empty", EMPTY)):
        for n in range(count):
            path, text = f"/{section}/{n}", f"marker-{section}-{n}-end\n\n{next(known)}"
            pages[path] = _page(section, text)
            pages[f"/text{path}"] = text
    links = " ".join(f'<a href="{path}">{path}</a>' for path in pages if path.count("/") == 2)
    return pages | {"/": f"<p>{html.escape(next(known))}</p>{links}"}


def _page(section: str, text: str) -> str:
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n"))
    marker = text.partition("\n")[0]
    shell = '<div id="root"></div><script src="/app.js"></script>'
    match section:
        case "plain":
            return f"<!doctype html><title>x</title>{paragraphs}"
        case "telling":
            return f"<!doctype html><title>x</title>{shell}"
        case "silent":
            return f"<!doctype html><title>x</title><div>{MENU}</div>{shell}"
        case _:
            return f'<!doctype html><div id="root"></div><p>{marker}</p><script>"use strict"</script>'


@contextmanager
def served(pages: dict[str, str]) -> Iterator[str]:
    """The site on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = pages.get(self.path)
            raw = (body or "").encode()
            kind = (
                "text/javascript"
                if self.path.endswith(".js")
                else "text/plain"
                if "/text" in self.path
                else "text/html"
            )
            self.send_response(404 if body is None else 200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def crawl(start: str, tally: Tally) -> Arm:
    """Crawl the site; which markers came?"""
    web = Web(WebSettings(allow=("127.0.0.1",), contact="benchmark@example.com", delay=0.0))
    chromium = Chromium(find(""), web.agent)
    wanted = plan(start=start, source="rendered", pages=1_000, web=web)
    found = dict.fromkeys(("plain", "telling", "silent", "empty"), 0)
    with tempfile.TemporaryDirectory() as folder:
        try:
            for given in crawl_site(
                wanted, web=web, workspace=Path(folder), state={}, make=_record,
                fetch=Rendered(web, chromium, tally, obey=True).fetch,
            ):  # fmt: skip
                if (
                    isinstance(given, Record)
                    and given.text.startswith(("marker-", "menu"))
                    and "-end" in given.text
                ):
                    found[given.uri.rsplit("/", 2)[1]] += 1
        finally:
            web.run(chromium.close())
            web.close()
    return Arm(found, tally.rendered, tally.needless, tally.pages)


def _record(_: Response, page: Page) -> Record:
    return Record(text=page.text, source="rendered", uri=page.url)


def measured(start: str, arm: str) -> Arm:
    """One arm in a process of its own, with the CPU of all its descendants."""
    command = [sys.executable, "-m", "benchmarks.rendered", "--arm", arm, "--site", start]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SystemExit(f"the arm {arm} ended with {process.returncode}")
    return Arm(**json.loads(said), cpu=usage.ru_utime + usage.ru_stime)


def run_arm(arm: str, start: str) -> None:
    """The inside of `measured`: waits for every process that the browser has left behind."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    found = crawl(start, Everything({}) if arm == "everything" else Tally({}))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    print(json.dumps({k: getattr(found, k) for k in ("found", "rendered", "needless", "pages")}))


def rows(ours: Arm, everything: Arm) -> list[Row]:
    """The table."""
    total = PLAIN + TELLING + SILENT + EMPTY
    return [
        Row(row="detecting: CPU", value=ours.cpu, unit="CPU-s"),
        Row(row=f"rendering all {everything.rendered} pages: CPU", value=everything.cpu, unit="CPU-s"),
        at_least("CPU of rendering everything, to that of detecting", everything.cpu / ours.cpu, 2.0, "x"),
        at_least(
            "pages that need a browser and say so: text found", ours.found["telling"] / TELLING, 1.0, "share"
        ),
        at_least(
            "pages that need one and do not say so: text found", ours.found["silent"] / SILENT, 0.9, "share"
        ),
        at_least("plain pages: text found", ours.found["plain"] / PLAIN, 1.0, "share"),
        at_least(
            "text found when everything is rendered", sum(everything.found.values()) / total, 1.0, "share"
        ),
        at_most("pages rendered needlessly", ours.needless / ours.pages, 0.05, "share"),
        Row(row="pages rendered", value=float(ours.rendered), unit=f"of {ours.pages}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--arm", choices=("detecting", "everything"), help=argparse.SUPPRESS)
    parser.add_argument("--site", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.arm:
        run_arm(args.arm, args.site)
        return
    with served(site()) as start:
        say("detecting")
        ours = measured(start, "detecting")
        say("rendering everything: some minutes")
        everything = measured(start, "everything")
    finish("rendered", rows(ours, everything), 1, as_json=args.json)


if __name__ == "__main__":
    main()
