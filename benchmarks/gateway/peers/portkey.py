"""Portkey's open gateway on node. It has no log of its own, so it is measured without one."""

import json
import os
import shutil
from pathlib import Path

from benchmarks.gateway.upstream import Upstream

NAME = "Portkey gateway"
INSTALL = "npm install --prefix P @portkey-ai/gateway; export OPENFLYWHEEL_PORTKEY=P"
LOG = "none"
PATH, MODEL = "/v1/chat/completions", "gpt-x"


def installed() -> str | None:
    """The version that lies in the node_modules of the folder OPENFLYWHEEL_PORTKEY, else of this folder."""
    manifest = _package() / "package.json"
    if shutil.which("node") is None or not manifest.exists():
        return None
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])


def command(folder: Path, _: Upstream, port: int) -> list[str]:
    """One process."""
    folder.mkdir(parents=True, exist_ok=True)
    return ["node", str(_package() / "build/start-server.js"), f"--port={port}", "--headless"]


def headers(upstream: Upstream) -> dict[str, str]:
    """Where requests go is said with each of them."""
    return {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{upstream.answers}/v1",
    }


def kept(_: Path) -> set[str]:
    """Nothing."""
    return set()


def _package() -> Path:
    return Path(os.environ.get("OPENFLYWHEEL_PORTKEY", "."), "node_modules/@portkey-ai/gateway").absolute()
