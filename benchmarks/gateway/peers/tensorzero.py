"""TensorZero's gateway with its log switched off, which is how its own figures are measured."""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.gateway.upstream import Upstream

NAME = "TensorZero, logging off"
INSTALL = (
    "cargo build --release -p gateway in github.com/tensorzero/tensorzero; "
    "export OPENFLYWHEEL_TENSORZERO=target/release/gateway"
)
LOG = "none"
PATH, MODEL = "/openai/v1/chat/completions", "tensorzero::model_name::gpt-x"

SETTINGS = """
[gateway]
bind_address = "127.0.0.1:{port}"
observability.enabled = false

[models.gpt-x]
routing = ["up"]

[models.gpt-x.providers.up]
type = "openai"
model_name = "gpt-x"
api_base = "http://127.0.0.1:{upstream}/v1/"
api_key_location = "none"
"""


def installed() -> str | None:
    """The version of the gateway that OPENFLYWHEEL_TENSORZERO names, else of the one on the PATH."""
    program = _program()
    if program is None:
        return None
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return said.split()[-1]


def command(folder: Path, upstream: Upstream, port: int) -> list[str]:
    """Without ClickHouse and Postgres, which only its log needs."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = SETTINGS.format(upstream=upstream.answers, port=port)
    (folder / "tensorzero.toml").write_text(settings, encoding="utf-8")
    return [_program() or "tensorzero-gateway", "--config-file", "tensorzero.toml"]


def headers(_: Upstream) -> dict[str, str]:
    """None."""
    return {}


def kept(_: Path) -> set[str]:
    """Nothing."""
    return set()


def _program() -> str | None:
    return shutil.which(os.environ.get("OPENFLYWHEEL_TENSORZERO", "tensorzero-gateway"))
