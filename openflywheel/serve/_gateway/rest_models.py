"""The list of models: what `model` of a request may name, in OpenAI's shape and in Anthropic's."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.errors import suggest
from openflywheel.base.keys import Key
from openflywheel.serve._gateway.rest import Page, answer
from openflywheel.serve._gateway.surfaces import Refusal
from openflywheel.serve._gateway.targets import Directory
from openflywheel.serve._upstream.client import Upstream

FRESH = 60.0  # seconds for which the providers' lists hold
PATIENCE = 5.0  # seconds that a provider has to list its models
UNKNOWN = "1970-01-01T00:00:00Z"  # what Anthropic's API says of a model whose release date is not known

log = logging.getLogger("openflywheel")


class Model(Struct, frozen=True, tag_field="object", tag="model"):
    """A model as OpenAI's API describes it; `created` is in Unix seconds, 0 when unknown."""

    id: str
    owned_by: str
    created: int = 0


class Models(Struct, frozen=True, tag_field="object", tag="list"):
    """OpenAI's list."""

    data: list[Model]


class ModelInfo(Struct, frozen=True, tag_field="type", tag="model"):
    """A model as Anthropic's API describes it."""

    id: str
    display_name: str
    created_at: str = UNKNOWN
    lifecycle: str = "active"


class ModelInfos(Struct, frozen=True):
    """Anthropic's list; it comes in one page."""

    data: list[ModelInfo]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


class _Served(Struct, frozen=True):
    id: str


class _Serves(Struct, frozen=True):
    data: list[_Served]


class ModelPages:
    """Our own names, and what each provider of OpenAI's dialect lists itself; who fails is left out."""

    def __init__(self, directory: Directory, upstreams: Mapping[str, Upstream]) -> None:
        self._directory = directory
        self._upstreams = [u for u in upstreams.values() if u.provider.dialect == "openai"]
        self._one_at_a_time = asyncio.Lock()
        self._served: list[str] = []
        self._until = 0.0

    def pages(self) -> Iterator[Page]:
        yield Page(
            method="GET", path="/v1/models", endpoint=self.all, scope="infer", gives=(Models, ModelInfos),
            summary="What `model` may name; in Anthropic's shape if asked with anthropic-version",
        )  # fmt: skip
        yield Page(
            method="GET", path="/v1/models/{id:path}", endpoint=self.one, scope="infer",
            gives=(Model, ModelInfo), errors=(404,), summary="One model of the list",
        )  # fmt: skip

    async def all(self, request: Request, key: Key | None) -> Response:
        del key
        names = await self._names()
        if _anthropic(request):
            ends = (names[0], names[-1]) if names else (None, None)
            return answer(ModelInfos([ModelInfo(name, name) for name in names], *ends))
        return answer(Models([_model(name) for name in names]))

    async def one(self, request: Request, key: Key | None) -> Response:
        del key
        name, names = request.path_params["id"], await self._names()
        if name not in names:
            raise Refusal(404, f"there is no model {name!r}; {suggest(name, names)}", "model_not_found")
        return answer(ModelInfo(name, name) if _anthropic(request) else _model(name))

    async def _names(self) -> list[str]:
        async with self._one_at_a_time:
            if time.monotonic() >= self._until:
                found = await asyncio.gather(*map(_serves, self._upstreams))
                self._served = [name for names in found for name in names]
                self._until = time.monotonic() + FRESH
        return list(dict.fromkeys([*self._directory.names(), *self._served]))


async def _serves(upstream: Upstream) -> list[str]:
    """The models that a provider lists; none when it does not answer as OpenAI's API would."""
    try:
        async with asyncio.timeout(PATIENCE):
            reply = await upstream.get("/models")
            served = msgspec.json.decode(await reply.read(), type=_Serves)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        log.info("the provider %s lists no models: %s", upstream.name, error or type(error).__name__)
        return []
    return [f"{upstream.name}/{model.id}" for model in served.data]


def _anthropic(request: Request) -> bool:
    return "anthropic-version" in request.headers


def _model(name: str) -> Model:
    return Model(name, name.partition("/")[0])
