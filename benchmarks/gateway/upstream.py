"""What stands behind every gateway: nginx with a fixed answer, and a slow writer of streams."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from benchmarks.gateway.tree import Tree, free_port

STREAMS = Path(__file__).with_name("streams.py")

CONTENT = (
    "I am sorry that your parcel is late. It left our warehouse on Friday and waits at a depot; it will "
    "be with you on Wednesday. If it is not, write to us again and we send another one at once. You need "
    "not pay for that, and you may keep both of them. Is there anything else that I can do for you?"
)
MESSAGE = {"role": "assistant", "content": CONTENT}
ANSWER = {
    "id": "chatcmpl-benchmark",
    "object": "chat.completion",
    "created": 1_760_000_000,
    "model": "gpt-x",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 340, "completion_tokens": 60, "total_tokens": 400},
}

# Paths of its own, so that it runs without root; limits on what one connection may ask are lifted.
NGINX = """
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_body_buffer_size 64k;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
{inner}
}}
"""
SERVER = """
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        location /v1/chat/completions {{ default_type application/json; return 200 '{answer}'; }}
    }}
"""


class Upstream(Struct, frozen=True):
    """Ports of 127.0.0.1: whole answers, and streams."""

    answers: int
    streams: int


def nginx(folder: Path, inner: str) -> list[str]:
    """Write a configuration; returns the command that serves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(inner=inner), encoding="utf-8")
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", "nginx.conf"]


@contextmanager
def upstream(folder: Path) -> Iterator[Upstream]:
    """Both upstreams, ready."""
    ports = Upstream(free_port(), free_port())
    serving = nginx(folder, SERVER.format(port=ports.answers, answer=json.dumps(ANSWER)))
    streaming = [sys.executable, str(STREAMS), str(ports.streams)]
    with ExitStack() as stack:
        for port, command in ((ports.answers, serving), (ports.streams, streaming)):
            stack.enter_context(Tree(command, folder)).wait(port)
        yield ports
