"""Sites to crawl: Debian's documentation behind a local web server, and pages that are made up."""

import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.gateway.tree import Tree, free_port

FOLDERS = {"PostgreSQL": "postgresql-doc-15/html", "Python": "python3.11/html", "SQLite": "sqlite3"}
HOW = """the documentation is missing; get it with
  apt-get download postgresql-doc-15 python3.11-doc sqlite3-doc
  for package in *.deb; do dpkg -x $package docs; done
  python -m benchmarks.crawl --site docs/usr/share/doc"""

START = """<html><head><title>Manuals</title></head><body><h1>Manuals to read</h1>
<p>Here are three manuals, each of them with many pages that are linked.</p>{}</body></html>"""
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types; access_log off; sendfile on;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


@contextmanager
def documentation(site: Path, folder: Path) -> Iterator[str]:
    """URL of a page that links to the three manuals, served by nginx or else by Python's own server."""
    www = folder / "www"
    www.mkdir(parents=True)
    for number, where in enumerate(FOLDERS.values()):
        if not (site / where / "index.html").is_file():
            sys.exit(HOW)
        (www / str(number)).symlink_to((site / where).resolve())
    links = "".join(f'<p><a href="/{n}/index.html">{name}</a></p>' for n, name in enumerate(FOLDERS))
    (www / "index.html").write_text(START.format(links))
    port = free_port()
    with Tree(_server(folder, www, port), folder) as tree:
        tree.wait(port)
        yield f"http://127.0.0.1:{port}/"


def server() -> str:
    """What serves the documentation."""
    return "nginx" if shutil.which("nginx") else "http.server"


def _server(folder: Path, www: Path, port: int) -> list[str]:
    if server() == "nginx":
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        return ["nginx", "-c", str(folder / "nginx.conf"), "-g", "user root;"]
    serve = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    return [*serve, "--directory", str(www), "--protocol", "HTTP/1.1"]


class MadeUp:
    """A site whose pages `page` makes (None: there is none), with a log of what was asked."""

    def __init__(self, page: Callable[[str], str | None]) -> None:
        self.asked = Counter[str]()
        made = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                made.asked[self.path] += 1
                body = (page(self.path) or "").encode()
                self.send_response(200 if body else 404)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None: ...

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:  # who asked was killed
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> "MadeUp":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def words(number: int) -> str:
    """A number in letters: pages that differ in digits alone are taken for endless ones."""
    return "".join(chr(97 + int(digit)) for digit in str(number))
