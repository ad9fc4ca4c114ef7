"""Fake far sides with an empty script, and plain HTTP to them."""

from collections.abc import Iterator

import httpx2
import pytest

from openflywheel.collect._fake.server import Running, running


@pytest.fixture(scope="module")
def _far() -> Iterator[Running]:
    with running() as far:
        yield far


@pytest.fixture
def far(_far: Running) -> Running:
    _far.script({})
    return _far


@pytest.fixture
def http(far: Running) -> Iterator[httpx2.Client]:
    """A client with a key."""
    with httpx2.Client(base_url=far.url, headers={"Authorization": "Bearer bd-test"}) as client:
        yield client
