"""Gateways before a fake provider: one in this process for most tests, real processes for faults."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import anthropic
import httpx2
import openai
import pytest
import uvicorn

from openflywheel.base.nouns import Call, Exchange, table_of
from openflywheel.base.settings import read
from openflywheel.serve._fake.server import Running, listen, url_of
from openflywheel.store import Store
from openflywheel.store.journal import decoder_of
from openflywheel.store.keys import Keys
from openflywheel.wheel.gateway.application import Application

sys.path.append(str(Path(__file__).parent))  # teaching.py
pytest.register_assert_rewrite("teaching")
from teaching import teacher  # noqa: E402

PATIENCE = 30  # seconds after which something that should have happened has not
ROUTE = {"variants": {"small": {"model": "up/small"}}, "retries": 1}


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with some of them changed; None takes one away."""
    out = dict(settings)
    for name, value in changes.items():
        old = out.get(name)
        out[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return {name: value for name, value in out.items() if value is not None}


def settings(url: str) -> dict[str, Any]:
    price = {"input": 1.0, "output": 2.0}
    provider = {"url": url, "key": "sk-upstream", "prices": {"small": price, "large": price, "big": price}}
    return {
        "name": "desk",
        "store": "wheel",
        "encoder": "ngrams",
        "tasks": {"route": {"kind": "label"}, "answer": {"kind": "text"}},
        "guard": {"pii": {}, "secrets": {}},
        "serve": {
            "gateway": {"spare_disk": 0},
            "providers": {"up": provider, "claude": {**provider, "dialect": "anthropic"}},
            "routes": {"answer": ROUTE},
            "cascade": {"route": {"least": 0}},
        },
    }


class Gate:
    """A gateway that runs: where it listens, and what it has kept."""

    def __init__(self, root: str, file: Path) -> None:
        self.root, self.url, self.file = root, f"{root}/v1", file
        self.store = file.parent / "wheel"
        self.closing = ExitStack()

    def openai(self, **options: Any) -> openai.OpenAI:
        """OpenAI's client; it does not retry unless it is told to."""
        options = {"api_key": "sk-client", "max_retries": 0} | options
        return self.closing.enter_context(openai.OpenAI(base_url=self.url, **options))

    def anthropic(self, **options: Any) -> anthropic.Anthropic:
        options = {"api_key": "sk-client", "max_retries": 0} | options
        return self.closing.enter_context(anthropic.Anthropic(base_url=self.root, **options))

    def http(self, **options: Any) -> httpx2.Client:
        """Plain HTTP, at the gateway's root."""
        return self.closing.enter_context(httpx2.Client(base_url=self.root, timeout=PATIENCE, **options))

    def kept(self, kind: type) -> list[Any]:
        """What another process finds in the journal, oldest first."""
        path = f"file:{self.store / 'live.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=PATIENCE)) as connection:
            rows = connection.execute(
                "SELECT body FROM journal WHERE kind = ? ORDER BY seq", (table_of(kind),)
            ).fetchall()
        return [decoder_of(kind).decode(body) for (body,) in rows]

    def exchanges(self) -> list[Exchange]:
        return self.kept(Exchange)

    def calls(self) -> list[Call]:
        return self.kept(Call)

    @contextmanager
    def keys(self) -> Iterator[Keys]:
        """The API keys, as another process sees them."""
        store = Store(self.store)
        try:
            yield Keys(store.journal)
        finally:
            store.journal.close()

    def key(self, *scopes: str, **limits: Any) -> str:
        """The secret of a new key. A gateway that already runs knows it after a second."""
        with self.keys() as keys:
            return keys.create("test", scopes or ("infer",), **limits)[1]


def until(check: Callable[[], Any]) -> Any:
    """What `check` gives as soon as it is true."""
    ends = time.monotonic() + PATIENCE
    while not (found := check()):
        assert time.monotonic() < ends, f"{check} stayed {found!r}"
        time.sleep(0.01)
    return found


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture
def written(fake: Running, tmp_path: Path) -> Callable[..., Path]:
    """Write the settings of a flywheel, some of them changed."""

    def write(folder: Path = tmp_path, **changes: Any) -> Path:
        path = folder / "flywheel.yaml"
        path.write_text(json.dumps(merged(settings(fake.url), changes)))
        return path

    return write


@pytest.fixture
def gateway(written: Callable[..., Path]) -> Iterator[Callable[..., Gate]]:
    """Start gateways in this process; they stop after the test."""
    with ExitStack() as stop:

        def start(folder: Path | None = None, **changes: Any) -> Gate:
            path = written(folder, **changes) if folder else written(**changes)
            return stop.enter_context(_inside(path))

        yield start


@contextmanager
def _inside(file: Path) -> Iterator[Gate]:
    application = Application(read(file))
    config = uvicorn.Config(
        application, loop="uvloop", http="httptools", ws="none", lifespan="on", log_config=None,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listening],), name="gateway", daemon=True)
        thread.start()
        gate = Gate(url_of(listening).removesuffix("/v1"), file)
        try:
            until(lambda: server.started or not thread.is_alive())
            assert server.started, "the gateway did not start"
            with gate.closing:
                yield gate
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def gate(gateway: Callable[..., Gate]) -> Gate:
    """A gateway with the usual settings."""
    return gateway()


@pytest.fixture(name="teach")
def _teach(written: Callable[..., Path], gateway: Callable[..., Gate], tmp_path: Path) -> Callable[..., Gate]:
    """Teach with rows and a trainer; the gateway before what they taught."""
    return teacher(written, gateway, tmp_path)


@pytest.fixture
def taught(desk: Path, gateway: Callable[..., Gate]) -> Callable[..., Gate]:
    """Start a gateway that has a champion for `route`."""
    return lambda **changes: gateway(desk, **changes)


class Serving(Gate):
    """`flywheel serve` as its own processes."""

    def __init__(self, root: str, file: Path, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(root, file)
        self.process = process

    def children(self) -> list[int]:
        """The ids of the processes under the supervisor."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def workers(self) -> list[int]:
        """Of those, the ones that answer: they map the file of rate limits."""
        return [pid for pid in self.children() if "/wheel/rates" in Path(f"/proc/{pid}/maps").read_text()]

    def said(self) -> str:
        return (self.file.parent / "said").read_text()

    def stop(self, signal: int = signal.SIGTERM) -> int:
        """Stop it as an operator does; its exit code."""
        self.process.send_signal(signal)
        return self.process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(name="free_port")
def _free_port() -> Callable[[], int]:
    return free_port


@pytest.fixture
def serving(written: Callable[..., Path]) -> Iterator[Callable[..., Serving]]:
    """Start `flywheel serve`; what still runs after the test is killed."""
    with ExitStack() as stop:

        def start(
            *options: str, folder: Path | None = None, environment: Mapping[str, str] = {}, **changes: Any
        ) -> Serving:
            path = written(folder, **changes) if folder else written(**changes)
            return stop.enter_context(_outside(path, options, environment))

        yield start


@contextmanager
def _outside(file: Path, options: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[Serving]:
    port = free_port()
    command = [sys.executable, "-c", "from openflywheel.window.terminal import main; main()", "serve"]
    command += ["-f", str(file), "--port", str(port), "--no-turns", *options]
    with (file.parent / "said").open("ab") as said:
        process = subprocess.Popen(
            command, stderr=said, stdout=said, env={**os.environ, **environment}, start_new_session=True
        )
    scheme = "https" if "certificate" in file.read_text() else "http"
    serving = Serving(f"{scheme}://127.0.0.1:{port}", file, process)
    try:
        until(lambda: process.poll() is not None or _ready(serving))
        assert process.poll() is None, serving.said()
        with serving.closing:
            yield serving
    finally:
        with suppress(ProcessLookupError):  # none of them is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ready(serving: Serving) -> bool:
    try:
        return httpx2.get(f"{serving.root}/healthz", verify=False).status_code == 200
    except httpx2.TransportError:
        return False
