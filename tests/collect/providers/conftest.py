"""One set of fake far sides a module; every test begins with an empty script."""

from collections.abc import Iterator

import pytest

from openflywheel.collect._fake.server import Running, running
from openflywheel.collect._providers import orders


@pytest.fixture(scope="module")
def _far() -> Iterator[Running]:
    with running() as far:
        yield far


@pytest.fixture
def far(_far: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Bright Data, SearXNG, Brave and a small site on this machine; polls do not wait long for them."""
    monkeypatch.setattr(orders, "PAUSE", 0.01)
    _far.script({})
    return _far
