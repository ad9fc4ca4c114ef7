"""Who looks on while requests are answered: Prometheus metrics, the tally of providers, OpenTelemetry."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from openflywheel.base.errors import MissingExtra
from openflywheel.base.nouns import Signal
from openflywheel.serve._gateway.app import App
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.metrics import FOLDER, Metrics
from openflywheel.serve._gateway.names import Names
from openflywheel.serve._gateway.rest import Readiness
from openflywheel.serve._gateway.rest_admin import Tally
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.gateway import GatewaySettings

if TYPE_CHECKING:
    from openflywheel.serve._gateway.telemetry import Telemetry

LOOK_EVERY = 1.0  # seconds: so old may the gauges of a worker be

log = logging.getLogger("openflywheel")


class Observers:
    """All of them at once. `names` are those that `model` may have, `telemetry` is None unless it is on."""

    def __init__(self, names: Iterable[str], listens: GatewaySettings) -> None:
        known = Names(part for name in names for part in (name, name.rpartition("/")[2]))
        self.metrics, self.tally = Metrics(known), Tally()
        self.telemetry = _telemetry(known, listens.content) if listens.telemetry else None
        self._each: list[Callable[[Finished], object]] = [self.metrics, self.tally]
        self._each += [self.telemetry] if self.telemetry else []

    def __call__(self, finished: Finished) -> None:
        for observer in self._each:
            try:
                observer(finished)
            except Exception:  # whoever only counts must not cost a client the answer
                log.exception("a request could not be counted")

    def heard(self, signals: Sequence[Signal], replies: Mapping[str, str]) -> None:
        """Tell of signals; `replies` as in Office.replies."""
        self.metrics.heard(signals)
        if self.telemetry:
            self.telemetry.heard(signals, replies)

    async def watch(
        self, upstreams: Mapping[str, Upstream], ready: Readiness, behind: Callable[[], Collection[str]]
    ) -> None:
        """Look at the state of this worker again and again; `behind` gives tasks without their champion."""
        while True:
            self.metrics.look(upstreams.values(), trouble=bool(ready()), behind=behind())
            await asyncio.sleep(LOOK_EVERY)

    def traced(self, app: App) -> App:
        """The application, with each client's trace for the spans' parent where spans are made."""
        return self.telemetry.traced(app) if self.telemetry else app

    async def close(self) -> None:
        """Send what waits to the collector."""
        if self.telemetry:
            await self.telemetry.close()


def _telemetry(names: Names, content: bool) -> "Telemetry":
    try:
        module = import_module("openflywheel.serve._gateway.telemetry")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"serve.gateway: telemetry needs {error.name!r}: pip install 'openflywheel[otel]'"
        ) from error
    telemetry: Telemetry = module.Telemetry(names, content=content)
    return telemetry


@contextmanager
def metrics_folder(store: Path, port: int) -> Iterator[None]:
    """Where the workers of a gateway on this machine count together: empty at first, and gone afterwards."""
    folder = store / "metrics" / f"{socket.gethostname()}-{port}"
    rmtree(folder, ignore_errors=True)  # what a killed gateway left
    folder.mkdir(parents=True)
    os.environ[FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[FOLDER]
        rmtree(folder, ignore_errors=True)
