"""A real site to crawl: Debian's manuals of PostgreSQL, Python and SQLite on a local server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FOLDERS = {"PostgreSQL": "postgresql-doc-15/html", "Python": "python3.11/html", "SQLite": "sqlite3"}
SITE = Path("/usr/share/doc")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A crawl that stops breaks off what is in flight."""


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The three packages below one start page, on a local server. Gives its URL."""
    missing = [folder for folder in FOLDERS.values() if not (site / folder).is_dir()]
    if missing:
        packages = "postgresql-doc-15 python3.11-doc sqlite3-doc"
        raise SystemExit(f"{site} has no {', '.join(missing)}: apt install {packages}")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name in {path.partition("/")[0] for path in FOLDERS.values()}:
            (root / name).symlink_to(site / name)
        links = (f'<li><a href="/{path}/index.html">{name}</a>' for name, path in FOLDERS.items())
        (root / "index.html").write_text(f"<title>Manuals</title><ul>{''.join(links)}</ul>")
        server = _Server(("127.0.0.1", 0), partial(_Quiet, directory=folder))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
