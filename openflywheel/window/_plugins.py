"""What can be written into flywheel.yaml: the rooms' plugins, and the schema of the file."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec
from msgspec import Struct
from rich.console import RenderableType
from rich.text import Text

from openflywheel.base import door
from openflywheel.base.errors import MissingExtra
from openflywheel.base.schema import schema as schema_of_settings
from openflywheel.window._command import command, json_option, print_json


class Setting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A setting as it is shown; a required one has no default."""

    name: str
    type: str
    required: bool = False
    default: Any = None


class Plugin(Struct, frozen=True, kw_only=True):
    """A plugin as it is shown; `missing` says what to install before it can be looked at."""

    room: str
    name: str
    doc: str = ""
    settings: list[Setting] = []
    handed: list[str] = []
    missing: str = ""


def _look(room: str, name: str) -> Plugin:
    try:
        about = door.describe(room, name)
    except MissingExtra as error:
        return Plugin(room=room, name=name, missing=str(error))
    settings = [_setting(setting) for setting in about.settings]
    return Plugin(room=room, name=name, doc=about.doc, settings=settings, handed=list(about.handed))


def _setting(setting: door.Setting) -> Setting:
    kind = inspect.formatannotation(setting.type)
    if setting.required:
        return Setting(name=setting.name, type=kind, required=True)
    return Setting(name=setting.name, type=kind, default=msgspec.to_builtins(setting.default))


def _show(plugins: Sequence[Plugin]) -> Iterator[RenderableType]:
    for plugin in plugins:
        yield Text.assemble((f"{plugin.room}.{plugin.name}", "bold"), f"  {plugin.missing or _line(plugin)}")
        for setting in plugin.settings:
            default = "required" if setting.required else f"= {msgspec.json.encode(setting.default).decode()}"
            yield f"    {setting.name}: {setting.type} {default}"
        if plugin.handed:
            yield Text(f"    handed in by the wheel: {', '.join(plugin.handed)}", "dim")


def _line(plugin: Plugin) -> str:
    return plugin.doc.partition("\n")[0]


@command("plugins", show=_show)
@click.argument("room", required=False)
def plugins(room: str | None) -> list[Plugin]:
    """Show what each room offers, with its settings.

    ROOM narrows it to one. A plugin that needs a library which is not installed says what to install.
    """
    rooms = [room] if room else door.ROOMS
    return [_look(room, name) for room in rooms for name in door.names(room)]


@click.command("schema")
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON Schema of flywheel.yaml.

    An editor with a YAML language server checks and completes the file with it:
    flywheel schema > flywheel.schema.json
    """
    del as_json  # a schema is JSON with and without it
    print_json(schema_of_settings())


COMMANDS = {"plugins": plugins, "schema": schema}
