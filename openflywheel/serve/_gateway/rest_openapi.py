"""The gateway's own description (OpenAPI 3.1), made of its pages and of the types that it checks with."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import Raw, Struct
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.keys import Key
from openflywheel.serve._gateway.asked import Asked
from openflywheel.serve._gateway.rest import Page
from openflywheel.serve._gateway.surfaces import SURFACES

TEMPLATE = "#/components/schemas/{name}"
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
MODEL_ERRORS = (400, 401, 403, 404, 413, 429, 502, 503)
SAID = {
    400: "The request is wrong", 401: "No valid API key", 403: "The key's scopes do not cover this",
    404: "There is no such thing", 413: "The request is too large", 429: "Too many requests, or no budget",
    500: "Something went wrong here", 502: "The provider gave no answer", 503: "Nothing can be kept now",
}  # fmt: skip


class ErrorDetail(Struct, frozen=True):
    """What is wrong, for people and (`code`) for programs."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Error(Struct, frozen=True):
    """An error in OpenAI's shape; where the dialect is Anthropic's, in Anthropic's."""

    error: ErrorDetail


# A request to a model, as far as it is looked at: the bytes of `Raw` fields pass as they are.
ModelRequest = msgspec.defstruct(
    "ModelRequest",
    [("model", str)]
    + [
        (
            field.name,
            Any if field.type is Raw else field.type,
            field.default if field.type is not Raw else None,
        )
        for field in msgspec.structs.fields(Asked)
        if not field.required
    ],
)


class OpenApiPage:
    """The page /openapi.json, which describes all of them, itself included."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = [*pages, *self.pages()]

    def pages(self) -> Iterator[Page]:
        yield Page(
            method="GET", path="/openapi.json", endpoint=self.show, summary="This description",
            gives=(dict[str, Any],),
        )  # fmt: skip

    async def show(self, request: Request, key: Key | None) -> Response:
        del request, key
        return Response(self._body, media_type="application/json")

    @cached_property
    def _body(self) -> bytes:
        return msgspec.json.encode(description(self._pages))


def description(pages: Sequence[Page]) -> dict[str, Any]:
    """The document; the model APIs are described as far as the gateway looks at them."""
    types = [t for page in pages for t in (*page.takes, *page.gives)]
    schemas, components = msgspec.json.schema_components([*types, Error, ModelRequest], ref_template=TEMPLATE)
    of = {id(t): schema for t, schema in zip([*types, Error, ModelRequest], schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {path: {"post": _model_call(path)} for path in SURFACES}
    for page in pages:
        path = page.path.replace(":path}", "}")
        paths.setdefault(path, {})[page.method.lower()] = _operation(page, of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Openflywheel gateway", "version": version("openflywheel")},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY},
    }


def _operation(page: Page, of: Mapping[int, Any]) -> dict[str, Any]:
    gives: Any = _json(page.gives, of) if page.gives else {"text/plain": {}}  # that is Prometheus' text
    errors = {*page.errors, 500, *((401, 403) if page.scope else ())}
    told: dict[str, Any] = {
        "summary": page.summary,
        "operationId": _operation_id(page),
        "parameters": [*_path_parameters(page.path), *_query_parameters(page.query)],
        "responses": {str(page.status): {"description": "The answer", "content": gives}, **_errors(errors)},
    }
    if page.takes:
        told["requestBody"] = {"required": True, "content": _json(page.takes, of)}
    return told | _security(page.scope)


def _model_call(path: str) -> dict[str, Any]:
    """What a provider answers is passed on; so only what is asked has a shape."""
    surface, asked = SURFACES[path], {"$ref": TEMPLATE.format(name="ModelRequest")}
    gives: dict[str, Any] = {"application/json": {}, "text/event-stream": {}}
    return {
        "summary": f"{surface.name} as in {surface.dialect.title()}'s API; unknown fields pass through",
        "operationId": surface.name,
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {"description": "The answer", "content": gives},
            **_errors({*MODEL_ERRORS, 500}),
        },
    } | _security("infer")


def _json(types: Sequence[Any], of: Mapping[int, Any]) -> dict[str, Any]:
    schemas = [of[id(t)] for t in types]
    return {"application/json": {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}}


def _security(scope: str) -> dict[str, Any]:
    """Without any key ever made, whoever reaches the gateway may ask, signal and look; never administer."""
    if not scope:
        return {}
    open_ring: list[dict[str, list[str]]] = [] if scope == "admin" else [{}]
    return {"security": [{"bearer": []}, {"x-api-key": []}, *open_ring], "x-scope": scope}


def _errors(statuses: set[int]) -> dict[str, Any]:
    schema = {"schema": {"$ref": TEMPLATE.format(name="Error")}}
    content = {"application/json": schema}
    return {str(s): {"description": SAID[s], "content": content} for s in sorted(statuses)}


def _operation_id(page: Page) -> str:
    words = re.findall(r"\w+", page.path.replace(":path", ""))
    return "_".join([page.method.lower(), *words])


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)", path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name, said in query.items():
        yield {"name": name, "in": "query", "description": said, "schema": {"type": "string"}}
