"""How the model providers do, and on whom everything depends."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct

from openflywheel.base.ids import first_id
from openflywheel.base.nouns import Attempt
from openflywheel.base.settings import Settings
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Provider
from openflywheel.store import Store
from openflywheel.wheel.tables import models, providers, routes, teachers

DAY = 86400
NEARLY_ALL = 0.95  # share of the answers above which one provider carries everything
OWN = "flywheel"


class Asked(Struct, frozen=True):
    """The part of a Call that counts here: reading its bytes too would fill the memory."""

    attempts: tuple[Attempt, ...] = ()


class ProviderView(Struct, frozen=True, kw_only=True):
    """One provider over the last day; seconds until an answer began, of those that came."""

    name: str
    url: str
    dialect: str
    attempts: int = 0
    failures: int = 0
    share: float = 0.0
    median_seconds: float | None = None
    p95_seconds: float | None = None
    last_error: str = ""
    reachable: str = ""


class Providers(Struct, frozen=True, kw_only=True):
    """All providers, and what is wrong with depending on them so."""

    providers: list[ProviderView]
    warnings: list[str]


def look_at_providers(settings: Settings, store: Store, *, ask: bool = False) -> Providers:
    """The providers of the settings as the log of the last day shows them; `ask`: try each of them now."""
    named, tried = providers(settings), _tried(store, time.time() - DAY)
    reached = asyncio.run(_reach(named)) if ask else {}
    answered = Counter(a.provider for a in tried if _answered(a))
    views = [_view(name, p, tried, answered, reached.get(name, "")) for name, p in named.items()]
    return Providers(providers=views, warnings=list(warnings(settings, answered)))


def _tried(store: Store, since: float) -> list[Attempt]:
    sql = "SELECT body FROM journal WHERE kind = 'call' AND id >= ? AND body IS NOT NULL"
    decode = msgspec.msgpack.Decoder(Asked).decode
    return [a for (body,) in store.journal.rows(sql, (first_id(since),)) for a in decode(body).attempts]


def _answered(attempt: Attempt) -> bool:
    return 0 < attempt.status < 400


def _view(
    name: str, provider: Provider, tried: Sequence[Attempt], answered: Mapping[str, int], reachable: str
) -> ProviderView:
    mine = [a for a in tried if a.provider == name]
    seconds = [a.seconds for a in mine if _answered(a)]
    errors = [a.error or f"status {a.status}" for a in mine if not _answered(a)]
    return ProviderView(
        name=name,
        url=provider.url,
        dialect=provider.dialect,
        attempts=len(mine),
        failures=len(errors),
        share=answered[name] / max(sum(answered.values()), 1),
        median_seconds=float(np.median(seconds)) if seconds else None,
        p95_seconds=float(np.quantile(seconds, 0.95)) if seconds else None,
        last_error=errors[-1] if errors else "",
        reachable=reachable,
    )


def warnings(settings: Settings, answered: Mapping[str, int]) -> Iterator[str]:
    """What would stop answering if one provider did: single-provider dependency.

    `answered` counts answers by provider; it may be empty.
    """
    named = providers(settings)
    if len(named) == 1:
        yield f"{next(iter(named))} is the only provider: its failures and its prices hit everything"
    for task, route in routes(settings).items():
        behind = {model.partition("/")[0] for model in models(route)}
        if len(behind) == 1 and behind != {OWN}:
            yield f"task {task} depends on {behind.pop()} alone; add another provider's model to its fallback"
    for task, model in teachers(settings).items():
        yield f"task {task}: where our own model is unsure, only {model.partition('/')[0]} answers"
    total = sum(answered.values())
    for name, count in answered.items():
        if len(named) > 1 and count >= NEARLY_ALL * total:
            yield f"{name} gave {count / total:.0%} of the last day's answers; the others are untried"


async def _reach(named: Mapping[str, Provider]) -> dict[str, str]:
    found = await asyncio.gather(*(_try(name, provider) for name, provider in named.items()))
    return dict(zip(named, found, strict=True))


async def _try(name: str, provider: Provider) -> str:
    upstream = Upstream(name, provider)
    try:
        reply = await asyncio.wait_for(upstream.get("/models"), provider.connect + 5)
        await reply.read()
    except OSError as error:
        return f"no: {error}"
    finally:
        upstream.close()
    return "yes" if reply.status < 400 else f"status {reply.status}"
