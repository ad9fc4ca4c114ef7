"""JSON Schema (draft 2020-12) of flywheel.yaml: for editors, and for programs that write settings.

It says what the Structs in settings.py and the plugins' signatures say, with their docstrings.
"""

from importlib import import_module
from typing import Any

import msgspec

from openflywheel.base import door
from openflywheel.base.errors import MissingExtra
from openflywheel.base.settings import DURATION, Table, Task

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/{name}"


def schema() -> Schema:
    """The schema of the whole file, with every plugin that this machine offers."""
    _, definitions = msgspec.json.schema_components([Table, Task], ref_template=REFERENCE)
    table = definitions.pop("Table")
    properties = table["properties"]
    wheel = properties.pop("wheel")
    properties["tasks"]["additionalProperties"] = _reference("Task")
    rooms = {room: _room(room, definitions) for room in door.ROOMS}
    definitions["TurnWhen"]["properties"]["or_after"]["anyOf"] = [
        {"type": "number"},
        {"type": "string", "pattern": DURATION.pattern},
    ]
    return {
        "$schema": DRAFT,
        **table,
        "title": "flywheel.yaml",
        "description": "An AI data flywheel: its store, its tasks, and one table a room in loop order.",
        "properties": {**properties, **rooms, "wheel": wheel},
        "$defs": definitions,
    }


def _room(room: str, definitions: Schema) -> Schema:
    """A room's table: plugin names with their settings, or a list of them in working order."""
    plugins = {name: _plugin(room, name, definitions) for name in door.names(room)}
    bare = [name for name, settings in plugins.items() if "required" not in settings]
    definitions[room] = {"type": "object", "properties": plugins, "additionalProperties": False}
    item = {"anyOf": [{"enum": bare}, _reference(room)]}
    doc = import_module(f"openflywheel.{room}").__doc__
    return {"description": _first(doc), "anyOf": [_reference(room), {"type": "array", "items": item}]}


def _plugin(room: str, name: str, definitions: Schema) -> Schema:
    """A plugin's settings; anything goes when a library is missing that is needed to look at it."""
    try:
        about = door.describe(room, name)
    except MissingExtra:
        return {"type": ["object", "null"]}
    types = [*(s.type for s in about.settings), about.named]
    (*shapes, named), found = msgspec.json.schema_components(types, ref_template=REFERENCE)
    definitions.update(found)
    required = [s.name for s in about.settings if s.required]
    return {
        "type": "object" if required else ["object", "null"],
        "description": _first(about.doc),
        "properties": {s.name: _setting(s, shape) for s, shape in zip(about.settings, shapes, strict=True)},
        "additionalProperties": named if about.named else False,
        **({"required": required} if required else {}),
    }


def _setting(setting: door.Setting, shape: Schema) -> Schema:
    return shape if setting.required else {**shape, "default": msgspec.to_builtins(setting.default)}


def _reference(name: str) -> Schema:
    return {"$ref": REFERENCE.format(name=name)}


def _first(doc: str | None) -> str:
    """First paragraph of a docstring, in one line."""
    return " ".join((doc or "").strip().partition("\n\n")[0].split())
