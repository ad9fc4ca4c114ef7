"""vLLM's LoRA adapters at run time: the fake provider acts like vLLM where the variable allows it.

As vLLM does it (vllm/entrypoints/openai/models/serving.py, docs/source/features/lora.md): the endpoints are
there only with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True; an adapter is asked by its name as `model`, and the
answer repeats that name; a model that nobody loaded is a 404. Stricter than vLLM in one thing: whoever
unloads an adapter tears off the requests that it is answering, so that a client that does so too early is
found out.
"""

import asyncio
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from openflywheel.serve._fake.line import Line
from openflywheel.serve._fake.models import CREATED
from openflywheel.serve._fake.problem import Problem
from openflywheel.serve._fake.script import Rule
from openflywheel.serve._fake.stage import Stage
from openflywheel.serve._fake.surface import encode
from openflywheel.serve._fake.talk import Ask

ALLOWED = "VLLM_ALLOW_RUNTIME_LORA_UPDATING"
LOAD, UNLOAD, MODELS, HEALTH = "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v1/models", "/health"
BUILT_FROM = "adapter_config.json"  # what vLLM looks for in an adapter's folder
TEXT, JSON = "text/plain; charset=utf-8", "application/json"
S = TypeVar("S", bound=Struct)


class Turn(Protocol):
    """What of a request is needed here (app.py)."""

    stage: Stage
    line: Line
    method: str
    path: str
    headers: dict[bytes, bytes]

    async def _trouble(self, rule: Rule) -> None: ...


class Said(Struct, frozen=True):
    """The fields of the two requests."""

    lora_name: str = ""
    lora_path: str = ""
    load_inplace: bool = False


class Named(Struct, frozen=True):
    """Of any other request, the model that it names."""

    model: str = ""


class _Error(Exception):
    """What vLLM answers instead: a status, and what stands under "error"."""

    def __init__(self, status: int, said: str | Mapping[str, Any]) -> None:
        super().__init__(said)
        self.status, self.body = status, encode({"error": said})


def _wrong(status: int, kind: str, message: str, param: str | None = None) -> _Error:
    return _Error(status, {"message": message, "type": kind, "param": param, "code": status})


class Adapters:
    """The adapters of one fake provider: name -> path."""

    def __init__(self) -> None:
        self._loaded: dict[str, str] = {}
        self._running: dict[str, set[asyncio.Task[Any]]] = {}

    async def answer(self, turn: Turn, body: bytes) -> bool:
        """Answer what vLLM answers otherwise than OpenAI. Says whether it did."""
        found: bytes | _Error | None
        try:
            found = await self._answer(turn, body)
        except Problem as told:
            found = _wrong(told.status, "InternalServerError", told.message)
        except _Error as error:
            found = error
        if isinstance(found, _Error):
            await _send(turn.line, found.status, JSON, found.body)
            return True
        if found is not None:
            await _send(turn.line, 200, JSON if turn.path == MODELS else TEXT, found)
        return found is not None

    async def _answer(self, turn: Turn, body: bytes) -> bytes | None:
        bases, asked = turn.stage.script.prices, (turn.method, turn.path)
        keys = [f"Bearer {key}".encode() for key in turn.stage.script.keys]
        if keys and turn.path.startswith("/v1") and turn.headers.get(b"authorization") not in keys:
            raise _Error(401, "Unauthorized")
        if asked == ("GET", HEALTH):
            return b""
        if asked == ("GET", MODELS):
            return encode(self._models(bases))
        if asked == ("POST", LOAD):
            return await self._load(turn, _decode(body, Said))
        if asked == ("POST", UNLOAD):
            return self._unload(_decode(body, Said).lora_name)
        if turn.method == "POST":
            self._begin(_decode(body, Named).model, bases)
        return None

    def _models(self, bases: Collection[str]) -> dict[str, Any]:
        base = next(iter(bases), None)
        cards = [_card(name, name, None) for name in bases]
        return {
            "object": "list",
            "data": [*cards, *(_card(name, path, base) for name, path in self._loaded.items())],
        }

    async def _load(self, turn: Turn, said: Said) -> bytes:
        if not said.lora_name or not said.lora_path:
            raise _wrong(400, "InvalidUserInput", "Both 'lora_name' and 'lora_path' must be provided.")
        if said.lora_name in self._loaded and not said.load_inplace:
            raise _wrong(
                400, "InvalidUserInput",
                f"The lora adapter '{said.lora_name}' has already been loaded. If you want to load the "
                "adapter in place, set 'load_inplace' to True.",
            )  # fmt: skip
        await turn._trouble(turn.stage.rule(turn.path, Ask(model=said.lora_name)))
        if not Path(said.lora_path, BUILT_FROM).is_file():
            why = f"Loading lora {said.lora_name} failed: No adapter found for {said.lora_path}"
            raise _wrong(404, "NotFoundError", why)
        self._loaded[said.lora_name] = said.lora_path
        return f"Success: LoRA adapter '{said.lora_name}' added successfully.".encode()

    def _unload(self, name: str) -> bytes:
        if not name:
            raise _wrong(
                400, "InvalidUserInput", "'lora_name' needs to be provided to unload a LoRA adapter."
            )
        if name not in self._loaded:
            raise _wrong(404, "NotFoundError", f"The lora adapter '{name}' cannot be found.")
        del self._loaded[name]
        for task in self._running.pop(name, ()):
            task.cancel()
        return f"Success: LoRA adapter '{name}' removed successfully.".encode()

    def _begin(self, name: str, bases: Mapping[str, object]) -> None:
        """A request for a model begins; it ends with its task."""
        if name in bases:
            return
        if name not in self._loaded:
            raise _wrong(404, "NotFoundError", f"The model `{name}` does not exist.", "model")
        task = asyncio.current_task()
        assert task is not None  # uvicorn runs each request in one
        running = self._running.setdefault(name, set())
        running.add(task)
        task.add_done_callback(running.discard)


def adapters() -> Adapters | None:
    """The adapters of a new fake provider; None where the variable does not allow them."""
    allowed = os.environ.get(ALLOWED, "0").strip().lower() in ("1", "true")
    return Adapters() if allowed else None


def _card(name: str, root: str, parent: str | None) -> dict[str, Any]:
    return {
        "id": name, "object": "model", "created": CREATED, "owned_by": "vllm", "root": root, "parent": parent,
        "max_model_len": None if parent else 32_768,
    }  # fmt: skip


def _decode(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise _wrong(400, "BadRequestError", str(error)) from error


async def _send(line: Line, status: int, kind: str, body: bytes) -> None:
    await line.begin(status, [("content-type", kind), ("content-length", str(len(body)))])
    await line.end(body)
