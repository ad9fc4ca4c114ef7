"""Is the gateway alive, can it answer, and what do its counters say?"""

import asyncio
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.keys import Key
from openflywheel.serve._gateway.rest import Door, Page, Readiness, answer, headers

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' text format


class Health(Struct, frozen=True, omit_defaults=True):
    """`reason` says why no request can be answered now."""

    status: str
    reason: str = ""


class HealthPages:
    """`expose` gives the metrics in Prometheus' text format; it reads files, so it runs in a thread."""

    def __init__(self, ready: Readiness, door: Door, expose: Callable[[], bytes]) -> None:
        self._ready, self._door, self._expose = ready, door, expose

    def pages(self) -> Iterator[Page]:
        yield Page(
            method="GET", path="/healthz", endpoint=self.healthz, gives=(Health,), summary="Is it alive?"
        )
        yield Page(
            method="GET", path="/readyz", endpoint=self.readyz, gives=(Health,), errors=(503,),
            summary="Can it answer and keep what it answers?",
        )  # fmt: skip
        yield Page(
            method="GET", path="/metrics", endpoint=self.metrics, errors=(401, 403),
            summary="Prometheus metrics; from another machine with the scope operate",
        )  # fmt: skip

    async def healthz(self, request: Request, key: Key | None) -> Response:
        del request, key
        return answer(Health("ok"))

    async def readyz(self, request: Request, key: Key | None) -> Response:
        del request, key
        reason = self._ready()
        return answer(Health("unavailable", reason), 503) if reason else answer(Health("ok"))

    async def metrics(self, request: Request, key: Key | None) -> Response:
        del key
        if not _loopback(request):
            self._door.key(headers(request), "operate")
        return Response(await asyncio.to_thread(self._expose), media_type=EXPOSITION)


def _loopback(request: Request) -> bool:
    """Does the request come from this machine?"""
    return request.client is not None and ip_address(request.client.host).is_loopback
