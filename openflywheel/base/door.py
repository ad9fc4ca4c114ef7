"""The door of every room: a plugin's name is its file's name.

Positional arguments are data; keyword-only arguments are settings, except those named in `HANDED_IN`,
which the wheel hands in (what a room needs from a neighbour). A plugin with `**name: Type` takes settings
under names of the user's own, each of that type (providers, routes). A room may share settings among all
its plugins (`shared` in its package: the terms under which every source collects). A module is imported only
when its plugin is asked for, so a heavy dependency may stand at the top of the file that needs it. Built-ins
and strangers (entry-point group "openflywheel.<room>") come through the same door.
"""

import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from openflywheel.base.errors import MissingExtra, UnknownPlugin, UnknownSetting, suggest
from openflywheel.base.ids import content_id
from openflywheel.base.misfit import misfit

Plugin = Callable[..., Any]

ROOMS = ("collect", "curate", "customize", "evaluate", "guard", "serve", "signals", "study", "velocity")

HANDED_IN: Mapping[str, str] = {
    "web": "the safe HTTP client of all sources",
    "objects": "the store of media by digest",
    "workspace": "a folder of the store for a room's or a source's own files",
    "state": "a source's own state, kept with what it gives in one transaction",
    "inbox": "what was pushed to the gateway",
    "known": "the newest texts that the store holds",
    "subject": "the opaque key of a person",
    "progress": "called with what a long fetch or training has done so far",
    "encoder": "the sentence encoder, with its cache",
    "errors": "the share of wrong answers that serve's cascade may give, by task",
    "exchanges": "look-up of exchanges by id",
    "heard": "look-up of the signals about an exchange",
    "experts": "the queue of questions for experts",
    "detect": "the guards' detectors: text -> spans",
    "cluster": "the Ray cluster that trains: its address, or None for this process",
    "folder": "the folder of flywheel.yaml",
    "predict": "answers of a stored model: (model, texts) -> labels",
    "artefacts": "the folder that keeps models",
    "tasks": "the flywheel's tasks with their costs",
    "budget": "how many labels a turn may ask for",
    "holdout": "the share of people whose exchanges never teach",
    "holdouts": "the texts that judge models and must teach none",
    "vault": "what was redacted, encrypted, for those purposes that may see it",
    "ask": "a configured model's answer to a prompt",
    "providers": "the configured providers of models, by name",
    "documents": "text and facts of a document of any kind: (content, name) -> text, facts",
    "transcribe": "the words of a piece of media, by installed plugins",
    "seed": "the seed of this turn's random choices",
}


SECRETS = ("headers", "key", "login", "secret", "token")  # settings that change without meaning another place
AT_CALL = (
    "budget",
    "progress",
    "state",
)  # of those, what a room that shares settings binds only when it calls a plugin


class Under(Struct, frozen=True):
    """A loaded plugin with the settings that its room shares among all.

    `identity` names this use of it: its name with those settings that say where and what.
    """

    plugin: Plugin
    terms: Any
    identity: str

    def __call__(self, *data: Any, **handed: Any) -> Any:
        return self.plugin(*data, **handed)


class Setting(Struct, frozen=True):
    """One keyword-only argument of a plugin, or what it shares with all of its room."""

    name: str
    type: Any
    default: Any
    required: bool
    shared: bool = False  # with all plugins of the room


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
        raise _missing(room, name, missing) from error


def _missing(room: str, name: str, module: str) -> MissingExtra:
    return MissingExtra(f"{room}.{name} needs {module!r}: pip install {_what_installs(module)}")


def _what_installs(module: str) -> str:
    """The extra of ours that brings a module, the largest of several; else the module's own name."""
    package, brings = module.partition(".")[0], dict[str, list[str]]()
    for line in metadata.requires("openflywheel") or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"](.+?)['\"]", line)
        if name and extra:
            brings.setdefault(extra[1], []).append(name[0].lower().replace("-", "_"))
    found = [extra for extra, packages in brings.items() if package.lower() in packages]
    return f"'openflywheel[{max(found, key=lambda extra: len(brings[extra]))}]'" if found else repr(package)


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
    settings += _shared_settings(room, name)
    handed = tuple(p.name for p in keyword if p.name in HANDED_IN)
    return Description(room, name, doc, settings, handed, named)


def shared(room: str, name: str) -> type[Struct] | None:
    """The settings that a plugin shares with all of its room, where it has any."""
    of = getattr(import_module(f"openflywheel.{room}"), "shared", None)
    found: type[Struct] | None = of(name) if of else None
    return found


def _shared_settings(room: str, name: str) -> tuple[Setting, ...]:
    kind = shared(room, name)
    fields = msgspec.structs.fields(kind) if kind else ()
    return tuple(
        Setting(
            f.name,
            f.type,
            f.default if f.default_factory is msgspec.NODEFAULT else f.default_factory(),
            f.required,
            True,
        )
        for f in fields
    )


def check(room: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings converted to the types that the plugin declares. Raises UnknownSetting."""
    about = describe(room, name)
    for key in given:
        if about.setting(key) is None:
            known = [s.name for s in about.settings]
            raise UnknownSetting(f"{room}.{name} has no setting {key!r}; {suggest(key, known)}", key)
    for setting in about.settings:
        if setting.required and setting.name not in given:
            choices = f"; choices: {', '.join(get_args(setting.type))}" if _is_literal(setting.type) else ""
            raise UnknownSetting(f"{room}.{name} needs the setting {setting.name!r}{choices}")
    return {key: _convert(about, key, value) for key, value in given.items()}


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _convert(about: Description, key: str, value: Any) -> Any:
    setting = about.setting(key)
    kind = setting.type if setting else Any
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        said = misfit(error, kind)
        raise UnknownSetting(f"{about.room}.{about.name}: {key} = {value!r}: {said}", key) from None


def function_of(plugin: Plugin) -> Plugin:
    """The function behind a loaded plugin, without its settings."""
    while isinstance(plugin, partial | Under):
        plugin = plugin.func if isinstance(plugin, partial) else plugin.plugin
    return plugin


def name_of(plugin: Plugin) -> str:
    """The name under which a loaded plugin was found."""
    return function_of(plugin).__name__


def settings_of(plugin: Plugin) -> dict[str, Any]:
    """The settings that a loaded plugin is bound to, without what was handed in."""
    if isinstance(plugin, Under):
        return settings_of(plugin.plugin)
    if not isinstance(plugin, partial):
        return {}
    own = {name: value for name, value in plugin.keywords.items() if name not in HANDED_IN}
    return {**settings_of(plugin.func), **own}


def load(
    room: str, name: str, given: Mapping[str, Any] | None = None, handed: Mapping[str, Any] | None = None
) -> Plugin:
    """A plugin with its settings bound, and what the wheel hands in. Raises MissingExtra.

    A module that imports what is heavy only when it is called names that in `REQUIRES`: it is looked up here.
    """
    settings, about = check(room, name, given or {}), describe(room, name)
    for needed in getattr(inspect.getmodule(find(room, name)), "REQUIRES", ()):
        if find_spec(needed) is None:
            raise _missing(room, name, needed)
    common = {s.name for s in about.settings if s.shared}
    own = {key: value for key, value in settings.items() if key not in common}
    kind = shared(room, name)
    early = [key for key in about.handed if kind is None or key not in AT_CALL]
    plugin = partial(find(room, name), **own, **{key: (handed or {})[key] for key in early})
    if kind is None:
        return plugin
    terms = kind(**{key: value for key, value in settings.items() if key in common})
    return Under(plugin, terms, _identity(name, own, getattr(terms, "task", "")))


def _identity(name: str, own: Mapping[str, Any], task: str) -> str:
    """Names one use of a plugin; a new key or another limit leaves it the same."""
    place = {k: v for k, v in own.items() if k not in SECRETS and not isinstance(v, int | float)}
    if task:
        place["task"] = task
    return f"{name}-{content_id(msgspec.json.encode(place, order='deterministic'))[:12]}" if place else name


def told_apart(plugins: Sequence[Plugin]) -> list[Plugin]:
    """Loaded plugins in their order; uses that look the same are numbered, so that each has a state."""
    seen: Counter[str] = Counter()
    return [_numbered(plugin, seen) if isinstance(plugin, Under) else plugin for plugin in plugins]


def _numbered(plugin: Under, seen: Counter[str]) -> Under:
    seen[plugin.identity] += 1
    number = seen[plugin.identity]
    name = plugin.identity if number == 1 else f"{plugin.identity}-{number}"
    return msgspec.structs.replace(plugin, identity=name)


def wants(plugin: Plugin) -> tuple[str, ...]:
    """What a plugin still has to be handed when it is called."""
    named = inspect.signature(function_of(plugin)).parameters
    return tuple(name for name in AT_CALL if name in named)


def beside(plugin: Plugin, name: str) -> Plugin | None:
    """The function of that name in a loaded plugin's file, bound to those of its settings that it takes.

    A setting that nobody gave has the plugin's default, so that this stands in one place. Beside a plugin of
    that very name, it ends in an underscore.
    """
    function = function_of(plugin)
    name = f"{name}_" if name == function.__name__ else name
    found = getattr(sys.modules[function.__module__], name, None)
    if not inspect.isfunction(found) or found.__module__ != function.__module__:
        return None
    bound = plugin.plugin if isinstance(plugin, Under) else plugin
    parameters = inspect.signature(function).parameters.values()
    given = {p.name: p.default for p in parameters if p.default is not p.empty}
    given |= bound.keywords if isinstance(bound, partial) else {}
    wanted = {p.name for p in inspect.signature(found).parameters.values() if p.kind is p.KEYWORD_ONLY}
    return partial(found, **{key: value for key, value in given.items() if key in wanted})
