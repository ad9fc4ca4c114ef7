"""A prompt to a configured model, from this process: for steps that write texts (curate.synthesise)."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from openflywheel.base.errors import FlywheelError, SettingsError, suggest
from openflywheel.serve._gateway import answered
from openflywheel.serve._upstream.chain import Chain, NoAnswer, Prepared, Reached, Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Provider

RETRIES, RETRY_SHARE = 2, 1.0
MOST_TOKENS = 1_024  # of an answer; Anthropic's API wants a bound
PATHS = {"openai": "/chat/completions", "anthropic": "/messages"}


class AskFailed(FlywheelError):
    """No model answered a prompt."""


def ask(prompt: str, *, model: str, providers: Mapping[str, Provider]) -> str:
    """What `model` ("provider/model") answers to one message of a user. Raises SettingsError, AskFailed."""
    name, _, own = model.partition("/")
    if name not in providers:
        raise SettingsError(
            f"model {model!r}: {suggest(name, providers)}; a model is named provider/model, with a provider "
            "of serve.providers (see: flywheel providers)"
        )
    return asyncio.run(_asked(prompt, own, name, providers[name]))


async def _asked(prompt: str, model: str, name: str, provider: Provider) -> str:
    upstream = Upstream(name, provider)
    request: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    if provider.dialect == "anthropic":
        request["max_tokens"] = MOST_TOKENS
    prepared = Prepared(PATHS[provider.dialect], msgspec.json.encode(request), {})
    try:
        chain = Chain([Target(upstream, model)], RETRIES, RETRY_SHARE, stream=False)
        return _text(await chain.reach(lambda _: prepared), name)
    except NoAnswer as nobody:
        if nobody.last:
            return _text(nobody.last, name)
        raise _failed(name, str(nobody)) from nobody
    finally:
        upstream.close()


def _text(reached: Reached, name: str) -> str:
    if reached.response.status != 200:
        raise _failed(
            name, f"status {reached.response.status}: {reached.body[:200].decode(errors='replace')}"
        )
    return answered.read(reached.body, (), stream=False).text


def _failed(name: str, why: str) -> AskFailed:
    return AskFailed(f"the provider {name} gave no answer: {why} (see: flywheel providers)")
