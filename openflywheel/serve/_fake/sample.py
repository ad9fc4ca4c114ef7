"""A value that fits a JSON Schema: the same one every time. Simple types; no patterns."""

from collections.abc import Mapping
from math import inf
from typing import Any

import msgspec

DEEP = 4  # below it a recursive schema takes null, an empty array or no optional property
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
Schema = Mapping[str, Any]


def sample(schema: Schema, root: Schema | None = None, depth: int = 0) -> Any:
    """A value for a schema; `root` is where its references point to."""
    root = schema if root is None else root
    schema = _plain(schema, root, depth)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = _kind(schema, depth)
    if kind in ("object", "array"):
        return (_object if kind == "object" else _array)(schema, root, depth)
    if kind in ("integer", "number"):
        return _number(schema)
    return {"string": _string(schema), "boolean": True}.get(kind)


def _plain(schema: Schema, root: Schema, depth: int) -> Schema:
    """The schema with its references, alternatives and parts resolved."""
    while True:
        rest = {k: v for k, v in schema.items() if k not in ("$ref", "anyOf", "oneOf", "allOf")}
        if "$ref" in schema:
            schema = {**_follow(schema["$ref"], root), **rest}
        elif options := schema.get("anyOf") or schema.get("oneOf"):
            null = [o for o in options if o.get("type") == "null"] if depth >= DEEP else []
            schema = {**rest, **(null or options)[0]}
        elif "allOf" in schema:
            for part in schema["allOf"]:
                rest = {**rest, **_plain(part, root, depth)}
            schema = rest
        else:
            return schema


def _follow(reference: str, root: Schema) -> Schema:
    """What a reference within the schema, such as #/$defs/Point, points to."""
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found[step] if step else found
    return dict(found)


def _kind(schema: Schema, depth: int) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, str):
        return kind
    return "null" if depth >= DEEP and "null" in kind else str(kind[0])


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    required = schema.get("required", ())
    wanted = [(k, v) for k, v in schema.get("properties", {}).items() if depth < DEEP or k in required]
    return {name: sample(part, root, depth + 1) for name, part in wanted}


def _array(schema: Schema, root: Schema, depth: int) -> list[Any]:
    count = max(schema.get("minItems", 0), 0 if depth >= DEEP else 1)
    return [sample(schema.get("items", {}), root, depth + 1) for _ in range(count)]


def _string(schema: Schema) -> str:
    text = FORMATS.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]


def _number(schema: Schema) -> float:
    """1, or the nearest number that is allowed."""
    low, high = schema.get("minimum", -inf), schema.get("maximum", inf)
    low = max(low, schema.get("exclusiveMinimum", -inf) + 1)
    high = min(high, schema.get("exclusiveMaximum", inf) - 1)
    found = float(max(low, min(1.0, high)) if low <= high else (low + high) / 2)
    return int(found) if found.is_integer() else found


def sample_json(schema: Schema) -> str:
    """The value as JSON text."""
    return msgspec.json.encode(sample(schema)).decode()
