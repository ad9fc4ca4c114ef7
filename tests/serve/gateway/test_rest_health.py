"""Who may read the metrics. That a request came from another machine is told by the server's scope."""

import asyncio

import pytest
from starlette.requests import Request

from openflywheel.base.keys import Key, Scope, Unauthorised
from openflywheel.serve._gateway.rest import Headers
from openflywheel.serve._gateway.rest_health import HealthPages


class ClosedDoor:
    """Nobody has a key; `asked` is what was wanted."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def key(self, headers: Headers, scope: Scope) -> Key | None:
        self.asked.append(scope)
        raise Unauthorised("no key")


def fetch(door: ClosedDoor, client: tuple[str, int] | None) -> bytes:
    pages = HealthPages(lambda: "", door, lambda: b"metric 1\n")
    request = Request({"type": "http", "headers": [], "client": client})
    return bytes(asyncio.run(pages.metrics(request, None)).body)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_reads_metrics_without_a_key(host: str) -> None:
    door = ClosedDoor()
    assert fetch(door, (host, 5000)) == b"metric 1\n"
    assert door.asked == []


@pytest.mark.parametrize("client", [("10.0.0.7", 5000), ("2001:db8::7", 5000), ("0.0.0.0", 1), None])
def test_another_machine_needs_the_scope_operate(client: tuple[str, int] | None) -> None:
    door = ClosedDoor()
    with pytest.raises(Unauthorised):
        fetch(door, client)
    assert door.asked == ["operate"]
