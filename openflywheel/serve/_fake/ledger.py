"""What was received, and what it would have cost."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from starlette.types import Scope

from openflywheel.serve._fake.script import Price

KEPT = 64 << 20  # bytes of received requests; the oldest are forgotten
OVERHEAD = 1024  # bytes that a request is counted beside its body
RawHeaders = Iterable[tuple[bytes, bytes]]
SECRET = (b"authorization", b"x-api-key", b"api-key", b"cookie", b"proxy-authorization")


class Received(Struct, frozen=True):
    """A request as it came; the values of secret headers are "***". `body` is JSON, else text."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Cost(Struct, kw_only=True):
    """What one model was asked for; `dollars` is None for a model without a price."""

    model: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    trained_tokens: int = 0
    dollars: float | None = None


class Bill(Struct, frozen=True, kw_only=True):
    """All models, and the dollars of those that have a price."""

    models: list[Cost]
    dollars: float


class Ledger:
    """Keeps requests and counts tokens."""

    def __init__(self) -> None:
        self._requests: deque[tuple[str, str, RawHeaders, bytes]] = deque()
        self._size = 0
        self._costs: dict[str, Cost] = {}
        self.number = 0

    def keep(self, scope: Scope, body: bytes) -> int:
        """Keep a request; its number, from 1."""
        self._requests.append((scope["method"], scope["path"], scope["headers"], body))
        self._size += len(body) + OVERHEAD
        while self._size > KEPT and len(self._requests) > 1:
            self._size -= len(self._requests.popleft()[-1]) + OVERHEAD
        self.number += 1
        return self.number

    def charge(self, model: str, input_tokens: int, output_tokens: int) -> None:
        """Count an answer."""
        cost = self._costs.setdefault(model, Cost(model=model))
        cost.requests += 1
        cost.input_tokens += input_tokens
        cost.output_tokens += output_tokens

    def charge_training(self, model: str, tokens: int) -> None:
        """Count a fine-tuning job of a base model."""
        self._costs.setdefault(model, Cost(model=model)).trained_tokens += tokens

    def requests(self) -> list[Received]:
        """What was received, oldest first."""
        return [_received(*request) for request in list(self._requests)]

    def bill(self, prices: Mapping[str, Price], training: float = 0.0) -> Bill:
        """What it would have cost at these prices; `training` is dollars for a million trained tokens."""
        costs = [_priced(cost, prices.get(cost.model), training) for cost in list(self._costs.values())]
        return Bill(models=costs, dollars=sum(cost.dollars or 0 for cost in costs))

    def clear(self) -> None:
        """Forget requests and costs; numbers go on."""
        self._requests.clear()
        self._costs.clear()
        self._size = 0


def _received(method: str, path: str, raw: RawHeaders, body: bytes) -> Received:
    headers = {k.decode("latin-1"): "***" if k in SECRET else v.decode("latin-1") for k, v in raw}
    return Received(method, path, headers, _read(body))


def _read(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")


def _priced(cost: Cost, price: Price | None, training: float) -> Cost:
    if price is None and not cost.trained_tokens:
        return cost
    used = price or Price()
    answers = cost.input_tokens * used.input + cost.output_tokens * used.output
    dollars = (answers + cost.trained_tokens * training) / 1e6
    return msgspec.structs.replace(cost, dollars=dollars)
