"""CPU of the gateway's upstream client against kept libraries.  python -m benchmarks.upstream [--json]

Each posts the same 1.7 KB request, 8 at once, to one nginx; bursts are interleaved, the client's process
alone is counted. Libraries that are not installed are skipped by name.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from benchmarks.gateway.upstream import upstream
from benchmarks.report import Row, finish, say
from openflywheel.base.instruments.wire import Pool

ROUNDS, AT_ONCE, BURST = 9, 8, 600
BODY = b'{"model":"gpt-x","messages":[{"role":"user","content":"' + b"Where is my parcel? " * 80 + b'"}]}'
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-upstream"}

Ask = Callable[[], Awaitable[bytes]]


async def ours(url: str, open_: AsyncExitStack) -> Ask:
    """The client of this project."""
    pool = Pool(url, 5.0, 60.0)
    open_.callback(pool.close)

    async def ask() -> bytes:
        return await (await pool.request("POST", "/chat/completions", HEADERS, BODY)).read()

    return ask


async def aiohttp(url: str, open_: AsyncExitStack) -> Ask:
    """aiohttp as lean as its options make it."""
    library: Any = import_module("aiohttp")
    jar, connector = library.DummyCookieJar(), library.TCPConnector(limit=0)
    session = await open_.enter_async_context(
        library.ClientSession(connector=connector, cookie_jar=jar, auto_decompress=False)
    )

    async def ask() -> bytes:
        async with session.post(f"{url}/chat/completions", data=BODY, headers=HEADERS) as reply:
            body: bytes = await reply.read()
            return body

    return ask


async def httpx2(url: str, open_: AsyncExitStack) -> Ask:
    """The client under the SDKs."""
    client: Any = await open_.enter_async_context(import_module("httpx2").AsyncClient())

    async def ask() -> bytes:
        body: bytes = (await client.post(f"{url}/chat/completions", content=BODY, headers=HEADERS)).content
        return body

    return ask


CLIENTS = {"openflywheel": ours, "aiohttp": aiohttp, "httpx2": httpx2}


async def burst(ask: Ask) -> float:
    """CPU-milliseconds of this process for a request."""
    left = iter(range(BURST))

    async def worker() -> None:
        for _ in left:
            assert b"choices" in await ask()

    start = time.process_time()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return (time.process_time() - start) * 1000 / BURST


async def measure(url: str) -> dict[str, list[float]]:
    """Client -> CPU-milliseconds of a request, a figure a round."""
    figures: dict[str, list[float]] = {}
    async with AsyncExitStack() as open_:
        clients = {}
        for name, make in CLIENTS.items():
            try:
                clients[name] = await make(url, open_)
            except ModuleNotFoundError as error:
                say(f"{name} is skipped: {error}")
        for _ in range(ROUNDS):
            for name, ask in clients.items():
                figures.setdefault(name, []).append(await burst(ask))
    return figures


def rows(figures: dict[str, list[float]]) -> list[Row]:
    """Medians with their spread, and the ratio to ours round by round."""
    out = []
    for name, each in figures.items():
        ratios = [theirs / own for theirs, own in zip(each, figures["openflywheel"], strict=True)]
        out.append(
            Row(row=f"{name}, a request", value=median(each), unit="CPU-ms", interval=(min(each), max(each)))
        )
        if name != "openflywheel":
            spread = min(ratios), max(ratios)
            out.append(Row(row=f"{name} against ours", value=median(ratios), unit="x", interval=spread))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, upstream(Path(folder)) as ports:
        figures = uvloop.run(measure(f"http://127.0.0.1:{ports.answers}/v1"))
    finish("upstream", rows(figures), ROUNDS, as_json=arguments.json)


if __name__ == "__main__":
    main()
