"""Adapters that change while 8 clients ask, through a gateway in a process of its own.

A swap lasts from the moment at which the gateway notices a promotion, which it logs, until a client has the
first answer of the new model in full. What a promotion waits to be noticed, at most .25 s, is not in it. The
clients ask in closed loops, without retries and without a fallback; a request fails that is not answered with
a 200, or by another model than those that were promoted. The fake vLLM answers after 20 ms and tears off
requests whose adapter is unloaded; llama.cpp (1 thread, 8 slots) serves a Qwen3 of 1.5 million random
parameters, and gets adapters of rank 8 for all its linear layers: to convert them is a part of the swap.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, NamedTuple

import msgspec

from benchmarks.customize.adapters import Adapters
from benchmarks.gateway.tree import Tree, free_port
from benchmarks.report import Row, at_most, say
from openflywheel.base.champion import PROMOTION
from openflywheel.base.ids import event_id
from openflywheel.base.instruments.wire import Pool
from openflywheel.base.nouns import Model, Verdict
from openflywheel.serve._fake.adapters import ALLOWED
from openflywheel.serve._fake.server import running
from openflywheel.store import Store

CLIENTS, SWAPS, SETTLE = 8, 6, 0.5  # seconds between two swaps
LATENCY, BAR = 0.02, 100.0  # seconds; milliseconds
TASK = "answer"
ASKED = {
    "model": f"flywheel/{TASK}",
    "messages": [{"role": "user", "content": "where is my parcel?"}],
    "max_tokens": 8,
    "temperature": 0,
}
SERVE = """
import logging, sys, uvicorn
from openflywheel.base.settings import read
from openflywheel.wheel.gateway.application import Application
from openflywheel.wheel.tables import SERVED
logging.basicConfig(filename=sys.argv[3], format="%(created)f %(message)s", level="INFO")
app = Application(read(sys.argv[1], SERVED))
uvicorn.run(app, port=int(sys.argv[2]), loop="uvloop", http="httptools", log_config=None, access_log=False)
"""


class Answer(NamedTuple):
    """When it was there (Unix seconds), by whom, with which status."""

    at: float
    model: str
    status: int


class Said(msgspec.Struct):
    model: str = ""


class Clients:
    """Closed loops in a thread of their own."""

    def __init__(self, port: int) -> None:
        self.answers: list[Answer] = []
        self._pool_url, self._stop = f"http://127.0.0.1:{port}/v1", Event()
        self._thread = Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self) -> "Clients":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _all(self) -> None:
        pool = Pool(self._pool_url, 5.0, 60.0)
        await asyncio.gather(*(self._ask(pool) for _ in range(CLIENTS)))
        pool.close()

    async def _ask(self, pool: Pool) -> None:
        body = msgspec.json.encode(ASKED)
        while not self._stop.is_set():
            try:
                reply = await pool.request(
                    "POST", "/chat/completions", {"content-type": "application/json"}, body, repeat=False
                )
                said = msgspec.json.decode(await reply.read(), type=Said)
                self.answers.append(Answer(time.time(), said.model, reply.status))
            except OSError:
                self.answers.append(Answer(time.time(), "", 0))

    def first(self, model: str, patience: float = 60.0) -> Answer:
        """The first answer of a model. Raises TimeoutError."""
        until = time.monotonic() + patience
        while not (found := next((a for a in self.answers if a.model == model), None)):
            if time.monotonic() > until:
                raise TimeoutError(f"{model} does not answer: {self.answers[-1:]}")
            time.sleep(0.005)
        return found


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """All rows."""
    del data  # what is asked does not matter here
    adapters = Adapters(folder, rounds * SWAPS + 1)
    rows = list[Row]()
    with vllm() as url:
        gpu = {"engine": "vllm", "url": url}
        rows += _rows("vLLM-shaped fake", swapped(folder / "vllm", gpu, adapters))
    own = {"engine": "llamacpp", "parallel": CLIENTS, "context": 64, "threads": 1}
    return rows + _rows("xllamacpp", swapped(folder / "llamacpp", own, adapters))


def _rows(name: str, found: tuple[list[float], int, int]) -> list[Row]:
    swaps, failed, asked = found
    say(f"{name}: {[round(ms) for ms in swaps]} ms, {asked} requests, {failed} failed")
    spread = (min(swaps), max(swaps))
    return [
        at_most(
            f"swap: {name}, noticed to first new answer, median of {len(swaps)}",
            median(swaps),
            BAR,
            "ms",
            spread,
        ),
        at_most(f"swap: {name}, failed of {asked} requests", failed, 0, "requests"),
    ]


@contextmanager
def vllm() -> Iterator[str]:
    """The fake provider as a vLLM that loads adapters."""
    before = os.environ.get(ALLOWED)
    os.environ[ALLOWED] = "True"
    rule = {"path": "chat/completions", "latency": LATENCY}
    try:
        with running({"prices": {"tiny": {}}, "rules": [rule]}) as fake:
            yield fake.url
    finally:
        os.environ.pop(ALLOWED) if before is None else os.environ.update({ALLOWED: before})


def swapped(folder: Path, generator: Mapping[str, Any], adapters: Adapters) -> tuple[list[float], int, int]:
    """Milliseconds of each swap; failed requests; all requests."""
    folder.mkdir()
    route = {"variants": {"own": {"model": "flywheel/champion"}}, "retries": 0}
    settings = {
        "name": "swap", "store": "wheel", "encoder": "ngrams", "tasks": {TASK: {"kind": "text"}},
        "serve": {"generators": {"own": dict(generator)}, "routes": {TASK: route}},
    }  # fmt: skip
    (folder / "flywheel.yaml").write_bytes(msgspec.json.encode(settings))
    store, log, port = Store(folder / "wheel"), folder / "log", free_port()
    ids = [kept(store, adapters, number) for number in range(adapters.number)]
    promote(store, ids[0])
    command = [sys.executable, "-c", SERVE, str(folder / "flywheel.yaml"), str(port), str(log)]
    with Tree(command, folder) as tree:
        tree.wait(port)
        _until_answered(port)
        with Clients(port) as clients:
            firsts = [_swap(store, clients, id) for id in ids[1:]]
    store.close()
    told = {
        id: float(line.split()[0])
        for line in log.read_text().splitlines()
        for id in ids
        if f"{id} was" in line
    }
    swaps = [(first.at - told[first.model]) * 1000 for first in firsts]
    failed = sum(a.status != 200 or a.model not in ids for a in clients.answers)
    return swaps, failed, len(clients.answers)


def _swap(store: Store, clients: Clients, id: str) -> Answer:
    time.sleep(SETTLE)
    promote(store, id)
    return clients.first(id)


def kept(store: Store, adapters: Adapters, number: int) -> str:
    """A model in the store; its id."""
    place = adapters.keep(store.artefacts, TASK, number)
    model = Model(
        name=f"{TASK}-{number}", task=TASK, base="tiny", method="lora", taught_by=(f"d{number}",),
        uri=f"{store.artefacts.name}/{place.name}",
    )  # fmt: skip
    store.append([model])
    return model.id


def promote(store: Store, id: str) -> None:
    store.append([Verdict(id=event_id(), check=PROMOTION, about=id, task=TASK, against="", passed="yes")])


def _until_answered(port: int) -> None:
    """The first model is there once the gateway answers with it."""
    with Clients(port) as clients:
        while not any(answer.status == 200 for answer in clients.answers):
            time.sleep(0.05)
