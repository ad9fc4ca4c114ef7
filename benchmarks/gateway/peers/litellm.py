"""LiteLLM proxy, as open on the loopback as the others, with a callback that writes exchanges to a file."""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.gateway.asking import marked
from benchmarks.gateway.upstream import Upstream

NAME = "LiteLLM proxy"
INSTALL = "python3 -m venv V && V/bin/pip install 'litellm[proxy]'; export OPENFLYWHEEL_LITELLM=V/bin/litellm"
LOG = "callback after the answer, a file, not synced"
PATH, MODEL = "/v1/chat/completions", "gpt-x"

SETTINGS = """
model_list:
  - model_name: gpt-x
    litellm_params: {{model: openai/gpt-x, api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-upstream}}
litellm_settings: {{callbacks: callback.handler, telemetry: false}}
general_settings: {{dangerously_permit_weak_or_unset_master_key: true}}
"""
CALLBACK = """
import json
from litellm.integrations.custom_logger import CustomLogger

class Handler(CustomLogger):
    def __init__(self):
        super().__init__()
        self.file = open("exchanges.jsonl", "a", buffering=1)

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        row = {"messages": kwargs["messages"], "answer": response_obj.model_dump()}
        self.file.write(json.dumps(row, default=str) + "\\n")

handler = Handler()
"""


def installed() -> str | None:
    """The version of the litellm that OPENFLYWHEEL_LITELLM names, else of the one on the PATH."""
    program = _program()
    if program is None:
        return None
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True, env=_ENV).stdout
    return said.split()[-1]


def command(folder: Path, upstream: Upstream, port: int) -> list[str]:
    """One worker, its table of prices read from its own package."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "litellm.yaml").write_text(SETTINGS.format(upstream=upstream.answers), encoding="utf-8")
    (folder / "callback.py").write_text(CALLBACK, encoding="utf-8")
    serve = [_program() or "litellm", "--config", "litellm.yaml", "--host", "127.0.0.1"]
    return ["env", "LITELLM_LOCAL_MODEL_COST_MAP=True", *serve, "--port", str(port), "--num_workers", "1"]


def headers(_: Upstream) -> dict[str, str]:
    """None."""
    return {}


def kept(folder: Path) -> set[str]:
    """Markers in the callback's file."""
    return marked(folder / "exchanges.jsonl")


_ENV = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def _program() -> str | None:
    return shutil.which(os.environ.get("OPENFLYWHEEL_LITELLM", "litellm"))
