"""The door of every room: a plugin's name is its file's name.

Positional arguments are data; keyword-only arguments are settings, except those named in `HANDED_IN`,
which the wheel hands in (what a room needs from a neighbour). A plugin with `**name: Type` takes settings
under names of the user's own, each of that type (providers, routes). A module is imported only when its
plugin is asked for, so a heavy dependency may stand at the top of the file that needs it. Built-ins and
strangers (entry-point group "openflywheel.<room>") come through the same door.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from openflywheel.base.errors import MissingExtra, UnknownPlugin, UnknownSetting, suggest

Plugin = Callable[..., Any]

ROOMS = ("collect", "curate", "customize", "evaluate", "guard", "serve", "signals", "study", "velocity")

HANDED_IN: Mapping[str, str] = {
    "encoder": "the sentence encoder, with its cache",
    "errors": "the share of wrong answers that serve's cascade may give, by task",
    "exchanges": "look-up of exchanges by id",
    "heard": "look-up of the signals about an exchange",
    "experts": "the queue of questions for experts",
    "detect": "the guards' detectors: text -> spans",
    "folder": "the folder of flywheel.yaml",
    "predict": "answers of a stored model: (model, texts) -> labels",
    "artefacts": "the folder that keeps models",
    "tasks": "the flywheel's tasks with their costs",
    "budget": "how many labels a turn may ask for",
    "holdout": "the share of people whose exchanges never teach",
    "seed": "the seed of this turn's random choices",
}


class Setting(Struct, frozen=True):
    """One keyword-only argument of a plugin."""

    name: str
    type: Any
    default: Any
    required: bool


class Description(Struct, frozen=True):
    """What `flywheel plugins` shows of one plugin."""

    room: str
    name: str
    doc: str
    settings: tuple[Setting, ...]
    handed: tuple[str, ...]
    named: Any = None  # the type of settings under names of the user's own, if the plugin takes any

    def setting(self, name: str) -> Setting | None:
        """A setting by its name; None when the plugin has none of that name."""
        found = next((s for s in self.settings if s.name == name), None)
        return found or (Setting(name, self.named, ..., False) if self.named else None)


def names(room: str) -> list[str]:
    """Every plugin that a room can offer, built in or installed."""
    return sorted({*_files(room), *(e.name for e in metadata.entry_points(group=f"openflywheel.{room}"))})


def _files(room: str) -> set[str]:
    """The built-in plugins; a file named _name.py is the room's own machinery."""
    if room not in ROOMS:
        raise UnknownPlugin(f"there is no room {room!r}; {suggest(room, ROOMS)}")
    files = (m.name for m in iter_modules(import_module(f"openflywheel.{room}").__path__))
    return {name for name in files if not name.startswith("_")}


def find(room: str, name: str) -> Plugin:
    """The plugin's function. Raises UnknownPlugin or MissingExtra.

    A stranger cannot take the place of a built-in; so these cost no search through all that is installed.
    """
    if name in _files(room):
        return _import(room, name, lambda: _own(room, name))
    for entry in metadata.entry_points(group=f"openflywheel.{room}", name=name):
        return _import(room, name, entry.load)
    raise UnknownPlugin(
        f"{room} has no plugin {name!r}; {suggest(name, names(room))} (see: flywheel plugins {room})"
    )


def _own(room: str, name: str) -> Plugin:
    module = import_module(f"openflywheel.{room}.{name}")
    if not hasattr(module, name):
        raise UnknownPlugin(f"{module.__file__} has no function {name!r}: a plugin is named like its file")
    function: Plugin = getattr(module, name)
    return function


def _import(room: str, name: str, load: Callable[[], Plugin]) -> Plugin:
    try:
        return load()
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] == "openflywheel":
            raise
        raise MissingExtra(
            f"{room}.{name} needs {missing!r}: pip install {_what_installs(missing)}"
        ) from error


def _what_installs(module: str) -> str:
    """The extra of ours that brings a module, else the module's own name."""
    package = module.partition(".")[0]
    for line in metadata.requires("openflywheel") or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"](.+?)['\"]", line)
        if name and extra and name[0].lower().replace("-", "_") == package.lower():
            return f"'openflywheel[{extra[1]}]'"
    return repr(package)


def describe(room: str, name: str) -> Description:
    """A plugin's settings, read from its signature."""
    function = find(room, name)
    hints = get_type_hints(function)
    parameters = inspect.signature(function).parameters.values()
    keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    settings = tuple(
        Setting(p.name, hints.get(p.name, Any), p.default, p.default is p.empty)
        for p in keyword
        if p.name not in HANDED_IN
    )
    doc = inspect.getdoc(function) or inspect.getdoc(inspect.getmodule(function)) or ""
    named = next((hints[p.name] for p in parameters if p.kind is p.VAR_KEYWORD), None)
    handed = tuple(p.name for p in keyword if p.name in HANDED_IN)
    return Description(room, name, doc, settings, handed, named)


def check(room: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings converted to the types that the plugin declares. Raises UnknownSetting."""
    about = describe(room, name)
    for key in given:
        if about.setting(key) is None:
            known = [s.name for s in about.settings]
            raise UnknownSetting(f"{room}.{name} has no setting {key!r}; {suggest(key, known)}", key)
    for setting in about.settings:
        if setting.required and setting.name not in given:
            raise UnknownSetting(f"{room}.{name} needs the setting {setting.name!r}")
    return {key: _convert(about, key, value) for key, value in given.items()}


def _convert(about: Description, key: str, value: Any) -> Any:
    setting = about.setting(key)
    try:
        return msgspec.convert(value, setting.type if setting else Any)
    except msgspec.ValidationError as error:
        raise UnknownSetting(f"{about.room}.{about.name}: {key} = {value!r}: {error}", key) from None


def function_of(plugin: Plugin) -> Plugin:
    """The function behind a loaded plugin, without its settings."""
    while isinstance(plugin, partial):
        plugin = plugin.func
    return plugin


def name_of(plugin: Plugin) -> str:
    """The name under which a loaded plugin was found."""
    return function_of(plugin).__name__


def load(
    room: str, name: str, given: Mapping[str, Any] | None = None, handed: Mapping[str, Any] | None = None
) -> Plugin:
    """A plugin with its settings bound, and what the wheel hands in."""
    settings = check(room, name, given or {})
    wanted = describe(room, name).handed
    return partial(find(room, name), **settings, **{key: (handed or {})[key] for key in wanted})
