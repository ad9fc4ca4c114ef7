"""One fake provider a module, with the real SDKs before it; every test begins with an empty script."""

from collections.abc import Iterator

import anthropic
import httpx2
import openai
import pytest

from openflywheel.serve._fake.server import Running


@pytest.fixture
def client(fake: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fake.url, api_key="sk-secret", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(fake: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=fake.root, api_key="sk-secret", max_retries=0) as client:
        yield client


@pytest.fixture
def http(fake: Running) -> Iterator[httpx2.Client]:
    """Plain HTTP, at the root of the fake provider."""
    with httpx2.Client(base_url=fake.root) as client:
        yield client
