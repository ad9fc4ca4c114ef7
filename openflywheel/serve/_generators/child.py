"""A process of our own that serves models: torch or llama.cpp stay out of the gateway.

We talk over its standard input and output, a line of JSON each way (host.py); requests go to it over HTTP.
It ends with its input, so also when this process dies.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from openflywheel.base.instruments.special import special
from openflywheel.serve._generators.champion import Champion, NotLoaded
from openflywheel.serve._generators.host import Answer
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.generators import Generator
from openflywheel.serve.providers import Provider

HOST = "openflywheel.serve._generators.host"
LONGEST = 900.0  # seconds that loading may take: a large checkpoint is hashed and converted the first time
PATIENCE = 10.0  # seconds in which it must have ended once its input has
LINE = 2**20  # bytes of an answer: 100 times what host.py says at most


class Child:
    """One such process, started when it is first needed, and anew after it has died.

    `folder` is that of flywheel.yaml, `workspace` one for files that it makes once (GGUF).
    """

    def __init__(self, name: str, generator: Generator, workspace: Path, folder: Path) -> None:
        self._name = name
        self._told = {"generator": generator, "workspace": str(workspace), "folder": str(folder)}
        self._process: Process | None = None
        self._lock = asyncio.Lock()
        self._number = 0  # of the newest command
        self._served: dict[str, Upstream] = {}

    async def load(self, champion: Champion) -> Target:
        """Raises NotLoaded."""
        answer = await self._ask({"load": champion})
        if champion.id not in self._served:
            self._served[champion.id] = Upstream(self._name, Provider(url=answer.url))
        found = special(answer.special) if answer.special else None
        return Target(self._served[champion.id], champion.id, found)

    async def unload(self, champion: Champion) -> None:
        """Raises NotLoaded."""
        if champion.id in self._served:
            self._served.pop(champion.id).close()
        if self._process and self._process.returncode is None:
            await self._ask({"unload": champion})

    async def holds(self, champion: Champion) -> bool:
        """Does the process live that has loaded it?"""
        return champion.id in self._served and self._process is not None and self._process.returncode is None

    async def close(self) -> None:
        """End the process."""
        self._forget()
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        if self._lock.locked():  # it is loading what nobody waits for any more
            self._process.kill()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _forget(self) -> None:
        """No process has any model now."""
        while self._served:
            self._served.popitem()[1].close()

    async def _ask(self, said: dict[str, Any]) -> Answer:
        async with self._lock:
            process = await self._started()
            self._number += 1
            try:
                async with asyncio.timeout(LONGEST):
                    answer = await _answered(process, self._number, said)
            except Exception as error:  # it is stuck, gone, or says what nobody can read: it is started anew
                with suppress(ProcessLookupError):
                    process.kill()
                ended = f"ended with the code {await process.wait()} ({type(error).__name__})"
                raise NotLoaded(f"the generator {self._name!r} {ended}") from error
        if answer.error:
            raise NotLoaded(f"the generator {self._name!r}: {answer.error}")
        return answer

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._forget()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", HOST, stdin=PIPE, stdout=PIPE, limit=LINE
            )
            assert self._process.stdin is not None
            self._process.stdin.write(msgspec.json.encode(self._told) + b"\n")
        return self._process


async def _answered(process: Process, number: int, said: dict[str, Any]) -> Answer:
    """The answer to a command: one to an earlier one is there still when nobody waited for it any more."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode({"number": number, **said}, enc_hook=str) + b"\n")
    await process.stdin.drain()
    answer = Answer(-1)
    while answer.number < number:
        answer = msgspec.json.decode(await process.stdout.readuntil(b"\n"), type=Answer)
    return answer
