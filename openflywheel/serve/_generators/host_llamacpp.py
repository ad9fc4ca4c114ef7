"""llama.cpp's own server, one for each model: it takes adapters only when it starts (xllamacpp).

Threads of its own answer; several servers share the mapped file of their base.
"""

import os
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import xllamacpp

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import checkpoint
from openflywheel.serve._generators import gguf_adapter, gguf_base, gguf_read
from openflywheel.serve._generators.champion import CHECKPOINT, Champion, refuse
from openflywheel.serve._generators.share import Share
from openflywheel.serve.generators import Generator

PATIENCE = 60.0  # seconds until a new server must answer
PART, OLD = ".new-", 24 * 3600.0  # how an unfinished file is named, and when nobody writes it any more
LOCKS = "llamacpp-locks"  # one file a champion: who of this machine uses what was converted for it


class Hosting:
    """The servers of this process; `workspace` keeps what was converted.

    Bases stay there; what belongs to one champion goes when the last process of this machine unloads it.
    """

    def __init__(self, generator: Generator, workspace: Path, folder: Path) -> None:
        self._generator, self._workspace, self._folder = generator, workspace, folder
        self._servers: dict[str, tuple[xllamacpp.Server, Share]] = {}

    def load(self, champion: Champion) -> str:
        """Raises NotLoaded, StoreError."""
        refuse("llamacpp", champion)
        if champion.id not in self._servers:
            self._servers[champion.id] = self._begun(champion)
        return f"{self._servers[champion.id][0].listening_address}/v1"

    def special(self, champion: Champion) -> tuple[str, ...]:
        """Those of its base: the server reads them wherever they stand."""
        return gguf_read.read(self._base(champion)).special

    def unload(self, champion: Champion) -> None:
        """Stop its server, and remove what was converted for it alone."""
        if champion.id in self._servers:
            self._let_go(champion, self._servers.pop(champion.id)[1])

    def close(self) -> None:
        """Stop all servers. What was converted stays: a new process will want it."""
        while self._servers:
            self._servers.popitem()[1][1].close()

    def _begun(self, champion: Champion) -> tuple[xllamacpp.Server, Share]:
        self._workspace.mkdir(0o700, parents=True, exist_ok=True)
        share = Share(self._workspace / LOCKS / champion.id)
        try:
            return self._server(champion), share
        except Exception:
            self._let_go(champion, share)
            raise

    def _let_go(self, champion: Champion, share: Share) -> None:
        try:
            if share.last():
                for file in (self._whole(champion), self._adapter_file(champion)):
                    file.unlink(missing_ok=True)
        finally:
            share.close()

    def _server(self, champion: Champion) -> xllamacpp.Server:
        params, own = xllamacpp.CommonParams(), self._generator
        base = self._base(champion)
        params.model.path, params.model_alias = str(base), {champion.id}
        params.n_parallel, params.n_ctx = own.parallel, own.context * own.parallel
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = own.threads
        params.hostnames, params.port, params.use_jinja = ["127.0.0.1"], 0, True
        params.warmup, params.verbosity = False, -1
        params.chat_template = champion.template  # empty: the one in the GGUF file
        if champion.adapted:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path, adapter.scale = str(self._adapter(champion, base)), 1.0
            params.lora_adapters = [adapter]
        return _running(xllamacpp.Server(params))

    def _base(self, champion: Champion) -> Path:
        if self._generator.gguf:
            return self._folder / Path(self._generator.gguf).expanduser()
        # Its own weights go by its id: whatever sha256 its manifest says, nobody compares them with it.
        file = self._shared(champion) if champion.outside else self._whole(champion)
        if not file.exists():
            _made(file, partial(gguf_base.convert, self._source(champion)))
        return file

    def _source(self, champion: Champion) -> Path:
        if not champion.outside:
            return champion.place / CHECKPOINT
        return checkpoint.local(champion.base, self._folder, (self._generator.base,))

    def _shared(self, champion: Champion) -> Path:
        """A base; what is converted under its sha256 was compared with it (checkpoint.local).

        So was its tokenizer, which a GGUF file holds as well.
        """
        said = [champion.base.get("sha256", ""), champion.base.get("config_sha256")]
        digests = [digest for digest in said if digest is not None]
        for digest in digests:
            if not re.fullmatch("[0-9a-f]{64}", digest):
                raise StoreError(
                    f"the model in {champion.place} says that sha256 = {digest!r} is that of its base, which "
                    "is none; teach it anew"
                )
        return self._workspace / f"{'-'.join(digests)}.gguf"

    def _whole(self, champion: Champion) -> Path:
        return self._workspace / f"{champion.id}.gguf"

    def _adapter_file(self, champion: Champion) -> Path:
        return self._workspace / f"{champion.id}-adapter.gguf"

    def _adapter(self, champion: Champion, base: Path) -> Path:
        file = self._adapter_file(champion)
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
    _sweep(file.parent)
    number, name = tempfile.mkstemp(dir=file.parent, prefix=PART)
    os.close(number)
    part = Path(name)
    try:
        write(part)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what a process that was killed had begun to write."""
    for part in folder.glob(f"{PART}*"):
        with suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > OLD:
                part.unlink()
