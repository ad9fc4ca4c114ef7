"""nginx as a proxy that logs the bodies of requests: the floor, a gateway in C that understands nothing."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.gateway import upstream
from benchmarks.gateway.asking import marked
from benchmarks.gateway.upstream import Upstream

NAME = "nginx with a body log"
INSTALL = "apt-get install nginx-light"
LOG = "access_log with $request_body, not synced"
PATH, MODEL = "/v1/chat/completions", "gpt-x"

PROXY = """
    log_format body escape=json '{{"at": "$msec", "status": $status, "request": "$request_body"}}';
    access_log body.log body;
    upstream answers {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://answers; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
"""


def installed() -> str | None:
    """The version of nginx on the PATH."""
    if shutil.which("nginx") is None:
        return None
    said = subprocess.run(["nginx", "-v"], check=True, capture_output=True, text=True).stderr
    return said.strip().rpartition("/")[2]


def command(folder: Path, upstream_: Upstream, port: int) -> list[str]:
    """One worker."""
    return upstream.nginx(folder, PROXY.format(upstream=upstream_.answers, port=port))


def headers(_: Upstream) -> dict[str, str]:
    """None."""
    return {}


def kept(folder: Path) -> set[str]:
    """Markers in the access log."""
    return marked(folder / "body.log")
