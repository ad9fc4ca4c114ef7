"""Traffic replay: what the gateway was asked, sent again to another gateway, model or variant.

Requests go out byte for byte except for `model`; what comes back is compared with what was answered then.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import first_id
from openflywheel.base.instruments.wire import Pool
from openflywheel.base.nouns import Call
from openflywheel.serve._gateway import answered, asked
from openflywheel.serve._gateway.surfaces import SURFACES, Surface
from openflywheel.store import Store

CONNECT, SILENCE = 5.0, 600.0  # seconds
BY_NAME = {surface.name: surface for surface in SURFACES.values()}


class Logged(Struct, frozen=True, kw_only=True):
    """A request as it was, and the text that answered it; a line of a traffic file."""

    id: str
    at: float
    surface: str
    request: bytes
    output: str = ""
    stream: bool = False


class Sent(Struct, frozen=True, kw_only=True):
    """What came of a request that was sent again; `status` is 0 when no answer came."""

    id: str
    status: int
    seconds: float
    same: bool
    output: str = ""
    error: str = ""


class Replayed(Struct, frozen=True, kw_only=True):
    """A replay in figures; seconds of whole answers. `same`: share of the answers that are as they were."""

    sent: int
    failed: int
    same: float | None = None
    median_seconds: float | None = None
    p95_seconds: float | None = None
    statuses: dict[str, int] = {}
    errors: list[str] = []


def logged(store: Store, *, since: float, limit: int) -> list[Logged]:
    """The newest answered requests of the log since a moment, oldest first.

    Requests in which a guard found something are not kept byte for byte, and so cannot be sent again.
    """
    sql = (
        "SELECT body FROM journal WHERE kind = 'call' AND id >= ? AND body IS NOT NULL "
        "ORDER BY id DESC LIMIT ?"
    )
    rows = store.journal.rows(sql, (first_id(since), limit))
    calls = [msgspec.msgpack.decode(body, type=Call) for (body,) in reversed(rows)]
    return [_logged(call) for call in calls if call.request and call.status == 200]


def _logged(call: Call) -> Logged:
    said = answered.read(call.response, (), stream=call.stream).text
    return Logged(
        id=call.id, at=call.at, surface=call.surface, request=call.request, output=said, stream=call.stream
    )


def save(requests: Iterable[Logged], path: Path) -> int:
    """Write a traffic file: one request a line, its bytes in base64; returns how many."""
    lines = [msgspec.json.encode(request) + b"\n" for request in requests]
    path.write_bytes(b"".join(lines))
    return len(lines)


def load(path: Path) -> list[Logged]:
    """Requests of a traffic file. Raises SettingsError."""
    if not path.is_file():
        raise SettingsError(f"there is no traffic file {str(path)!r}; write one with: flywheel replay --save")
    return list(_read(path))


def _read(path: Path) -> Iterator[Logged]:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            yield msgspec.json.decode(line, type=Logged)
        except msgspec.DecodeError as error:
            raise SettingsError(f"{path}:{number}: {error}") from None


def replay(
    requests: Sequence[Logged],
    *,
    to: str,
    key: str = "",
    model: str = "",
    speed: float = 0.0,
    concurrency: int = 8,
) -> Replayed:
    """Send requests to a base URL (with /v1); at `speed` times their pace, or as fast as may be for 0."""
    return summary(asyncio.run(_replay(requests, to, key, model, speed, concurrency)))


async def _replay(
    requests: Sequence[Logged], to: str, key: str, model: str, speed: float, concurrency: int
) -> list[Sent]:
    pool, places = Pool(to, CONNECT, SILENCE), asyncio.Semaphore(concurrency)
    begun, first = time.monotonic(), min((r.at for r in requests), default=0.0)

    async def one(request: Logged) -> Sent:
        if speed:
            await asyncio.sleep(max((request.at - first) / speed - (time.monotonic() - begun), 0))
        async with places:
            return await _send(pool, request, key, model)

    try:
        return await asyncio.gather(*(one(request) for request in requests))
    finally:
        pool.close()


async def _send(pool: Pool, request: Logged, key: str, model: str) -> Sent:
    surface = BY_NAME[request.surface]
    body = asked.patched(request.request, model) if model else request.request
    start, error, status, said = time.monotonic(), "", 0, ""
    try:
        reply = await pool.request("POST", surface.path, _headers(surface, key), body)
        whole, status = await reply.read(), reply.status
    except OSError as broken:
        error = str(broken)
    else:
        said = answered.read(whole, (), stream=request.stream).text
        error = "" if status == 200 else whole[:200].decode(errors="replace")
    return Sent(
        id=request.id,
        status=status,
        seconds=time.monotonic() - start,
        same=not error and said == request.output,
        output=said,
        error=error,
    )


def _headers(surface: Surface, key: str) -> Mapping[str, str]:
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    if surface.dialect == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
    return headers | ({"authorization": f"Bearer {key}"} if key else {})


def summary(sent: Sequence[Sent]) -> Replayed:
    """A replay in figures."""
    good = [s for s in sent if s.status == 200 and not s.error]
    statuses = [str(s.status or "none") for s in sent]
    return Replayed(
        sent=len(sent),
        failed=len(sent) - len(good),
        same=float(np.mean([s.same for s in good])) if good else None,
        median_seconds=float(np.median([s.seconds for s in good])) if good else None,
        p95_seconds=float(np.quantile([s.seconds for s in good], 0.95)) if good else None,
        statuses={status: statuses.count(status) for status in dict.fromkeys(statuses)},
        errors=list(dict.fromkeys(s.error for s in sent if s.error))[:5],
    )
