"""A vLLM that loads LoRA adapters while it serves, under the models' names (docs.vllm.ai, features/lora).

A model's id is the hash of its content, so that loading it twice is loading it once, whoever does it.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.base.instruments.special import Special
from openflywheel.base.instruments.wire import Pool
from openflywheel.serve._generators.champion import Champion, NotLoaded, refuse
from openflywheel.serve._generators.plain import special_of
from openflywheel.serve._generators.share import Share
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.generators import Generator
from openflywheel.serve.providers import Provider

LOAD, UNLOAD, MODELS = "/load_lora_adapter", "/unload_lora_adapter", "/models"
PATIENCE = 300.0  # seconds without a byte while an adapter is loaded
THERE = b"has already been loaded"  # how the 400 for an adapter that is loaded can be told from others
NOWHERE = b"No adapter found"  # how the 404 for a path of an adapter can be told from others
HINT = "start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"

log = logging.getLogger("openflywheel")


class Card(Struct):
    """A model in the list of models."""

    id: str


class Cards(Struct):
    """The list of models."""

    data: list[Card]


class VLLM:
    """One vLLM. `locks` is a folder that all processes of this machine which use it share, `home` that of
    flywheel.yaml."""

    def __init__(self, name: str, generator: Generator, locks: Path, home: Path) -> None:
        provider = Provider(url=generator.url, key=generator.key)
        self.upstream = Upstream(name, provider)
        self._name, self._folder, self._locks, self._home = name, generator.folder, locks, home
        self._pool = Pool(provider.url, provider.connect, PATIENCE)  # a failed load is no failed request
        self._headers = {"content-type": "application/json"}
        if generator.key:
            self._headers["authorization"] = f"Bearer {generator.key}"
        self._shares: dict[str, Share] = {}

    async def load(self, champion: Champion) -> Target:
        """Raises NotLoaded."""
        refuse("vllm", champion)
        new = champion.id not in self._shares
        if new:
            self._shares[champion.id] = await asyncio.to_thread(Share, self._locks / champion.id)
        path = Path(self._folder, champion.place.name, champion.adapter.name) if self._folder else None
        said = {"lora_name": champion.id, "lora_path": str((path or champion.adapter).absolute())}
        try:
            status, body = await self._post(LOAD, said)
            if status != 200 and not (status == 400 and THERE in body):
                raise self._failed(f"did not load {champion.id}", status, body)
        except NotLoaded:
            if new:  # else requests may still go to it, and no other process may unload it
                self._shares.pop(champion.id).close()
            raise
        return Target(self.upstream, champion.id, await asyncio.to_thread(self._special, champion))

    def _special(self, champion: Champion) -> Special | None:
        found = special_of(champion.base, self._home)
        if found is None:
            log.warning(
                "%s: the tokenizer of its base %s is not on this machine: special tokens in messages reach"
                " the generator %r as they are", champion.id, champion.base.get("name", ""), self._name,
            )  # fmt: skip
        return found

    async def unload(self, champion: Champion) -> None:
        """Unload an adapter that no process of this machine uses any more. Raises NotLoaded."""
        share = self._shares.pop(champion.id, None)
        if share is None:
            return
        try:
            if share.last():
                status, body = await self._post(UNLOAD, {"lora_name": champion.id})
                if status not in (200, 404):
                    raise self._failed(f"did not unload {champion.id}", status, body)
        finally:
            share.close()

    async def holds(self, champion: Champion) -> bool:
        """Raises NotLoaded when vLLM does not answer."""
        status, body = await self._ask("GET", MODELS, b"")
        if status != 200:
            raise self._failed("does not list its models", status, body)
        return any(card.id == champion.id for card in msgspec.json.decode(body, type=Cards).data)

    async def close(self) -> None:
        """Let go of the connections. Adapters stay: other processes may use them, and a new one will."""
        self._pool.close()
        self.upstream.close()
        while self._shares:
            self._shares.popitem()[1].close()

    async def _post(self, path: str, said: Mapping[str, Any]) -> tuple[int, bytes]:
        return await self._ask("POST", path, msgspec.json.encode(said))

    async def _ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            reply = await self._pool.request(method, path, self._headers, body)
            return reply.status, await reply.read()
        except OSError as error:
            raise NotLoaded(f"the generator {self._name!r} does not answer: {error}") from error

    def _failed(self, what: str, status: int, body: bytes) -> NotLoaded:
        hint = f"; {HINT}" if status == 404 and NOWHERE not in body else ""  # the path itself is not there
        return NotLoaded(
            f"the generator {self._name!r} {what}: {status} {body[:500].decode(errors='replace')}{hint}"
        )
