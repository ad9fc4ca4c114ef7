"""llama.cpp's own server, one for each model: it takes adapters only when it starts (xllamacpp).

Threads of its own answer; several servers share the mapped file of their base.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import xllamacpp

from openflywheel.base.instruments import checkpoint
from openflywheel.serve._generators import gguf_adapter, gguf_base
from openflywheel.serve._generators.champion import CHECKPOINT, Champion, NotLoaded
from openflywheel.serve.generators import Generator

PATIENCE = 60.0  # seconds until a new server must answer


class Hosting:
    """The servers of this process; `workspace` keeps what was converted."""

    def __init__(self, generator: Generator, workspace: Path, folder: Path) -> None:
        self._generator, self._workspace, self._folder = generator, workspace, folder
        self._servers: dict[str, xllamacpp.Server] = {}

    def load(self, champion: Champion) -> str:
        """Raises NotLoaded, StoreError."""
        if champion.instruction:
            raise NotLoaded(
                f"{champion.id} has an instruction of its own; serve it with  engine: transformers"
            )
        if champion.id not in self._servers:
            self._servers[champion.id] = self._server(champion)
        return f"{self._servers[champion.id].listening_address}/v1"

    def unload(self, champion: Champion) -> None:
        """Stop its server."""
        self._servers.pop(champion.id, None)

    def close(self) -> None:
        """Stop all servers."""
        self._servers.clear()

    def _server(self, champion: Champion) -> xllamacpp.Server:
        params, own = xllamacpp.CommonParams(), self._generator
        base = self._base(champion)
        params.model.path, params.model_alias = str(base), {champion.id}
        params.n_parallel, params.n_ctx = own.parallel, own.context * own.parallel
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = own.threads
        params.hostnames, params.port, params.use_jinja = ["127.0.0.1"], 0, True
        params.warmup, params.verbosity = False, -1
        if champion.adapted:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path, adapter.scale = str(self._adapter(champion, base)), 1.0
            params.lora_adapters = [adapter]
        return _running(xllamacpp.Server(params))

    def _base(self, champion: Champion) -> Path:
        if self._generator.gguf:
            return self._folder / Path(self._generator.gguf).expanduser()
        file = self._workspace / f"{champion.base.get('sha256') or champion.id}.gguf"
        if not file.exists():
            inside = champion.place / CHECKPOINT
            source = inside if inside.is_dir() else checkpoint.local(champion.base, self._folder)
            _made(file, partial(gguf_base.convert, source))
        return file

    def _adapter(self, champion: Champion, base: Path) -> Path:
        file = self._workspace / f"{champion.id}-adapter.gguf"
        if not file.exists():
            _made(file, partial(gguf_adapter.convert, champion.adapter, base))
        return file


def _running(server: xllamacpp.Server) -> xllamacpp.Server:
    """Once it has answered through its queue: one that is destroyed before may wait for itself forever."""
    with urlopen(f"{server.listening_address}/slots", timeout=PATIENCE) as answer:  # noqa: S310  our own
        answer.read()
    return server


def _made(file: Path, write: Callable[[Path], None]) -> None:
    """Write a file that is there whole or not at all, whoever else writes it now."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    try:
        write(part)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
