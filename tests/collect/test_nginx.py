"""A crawl of a site behind nginx: gzip, ETags and redirects are those of a real server."""

import gzip
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from openflywheel.base.nouns import Gap, Record
from openflywheel.base.settings import Budget, Task
from openflywheel.collect.crawl import crawl
from openflywheel.store.objects import Objects

if not shutil.which("nginx"):
    pytest.skip("nginx is not installed here", allow_module_level=True)

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    types {{ text/html html; }} access_log {folder}/asked; gzip on; gzip_min_length 1; gzip_types text/html;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port}; root {folder}/site;
        location = /old.html {{ return 301 /new.html; }}
        location = /private.html {{ return 403; }}
    }}
}}
"""
PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p>{2}</body></html>"


def page(title: str, text: str, *links: str) -> str:
    return PAGE.format(title, text, "".join(f'<a href="{link}">{link}</a>' for link in links))


@pytest.fixture
def root(tmp_path):
    """URL of a small site behind nginx; the folder holds its log, `asked`."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text(page("Home", "Welcome.", "/old.html", "/private.html", "/deep/"))
    (site / "new.html").write_text(page("New", "What moved stands here now."))
    (site / "deep").mkdir()
    (site / "deep/index.html").write_text(page("Deep", "A page in a folder. " * 200))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(CONFIGURATION.format(folder=tmp_path, port=port))
    command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    command += ["-g", "user root;"] if os.getuid() == 0 else []  # else its worker may not read the folder
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/"
        server.terminate()


@pytest.fixture
def crawled(web, tmp_path):
    kept = {}

    def run(start, **settings):
        state = dict(kept)  # each call is a passage of its own
        found = list(crawl(
            Gap(topic="answer", why="cold start", task="answer"), start=start, web=web,
            objects=Objects(tmp_path / "objects"), workspace=tmp_path / "work", folder=tmp_path, state=state,
            encoder=None, known=list, exchanges=lambda ids: {}, subject=str, budget=Budget(),
            tasks={"answer": Task(kind="text")}, progress=lambda figures: None, **settings,
        ))  # fmt: skip
        kept.update(state)
        return {r.uri.removeprefix(start): r for r in found if isinstance(r, Record)}

    return run


def test_pages_come_unpacked_and_where_they_moved(root, crawled, tmp_path):
    found = crawled(root)
    assert set(found) == {"", "new.html", "deep/"}
    assert found["new.html"].meta["title"] == "New"
    assert found["deep/"].text.count("A page in a folder.") == 200
    [part] = found["deep/"].parts
    body = Objects(tmp_path / "objects").get(part.digest)
    assert body == (tmp_path / "site/deep/index.html").read_bytes()
    assert len(gzip.compress(body)) < len(body) / 5  # nginx sent it packed


def test_what_did_not_change_is_answered_with_304(root, crawled, tmp_path):
    crawled(root)
    assert crawled(root, refresh=0) == {}
    assert '" 304 ' in Path(tmp_path / "asked").read_text()
    (tmp_path / "site/new.html").write_text(page("Newer", "It changed, and is longer than it was before."))
    assert set(crawled(root, refresh=0)) == {"new.html"}
