"""flywheel.yaml: read, checked and explained with file and line.

One table a room in loop order, each holding plugin names with their settings. `${NAME}` in a value is
replaced by the environment variable NAME, so that no secret stands in the file.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec
import yaml
from msgspec import Meta, Struct, field

from openflywheel.base import door
from openflywheel.base.errors import FlywheelError, MissingSecret, SettingsError, suggest
from openflywheel.base.ids import content_id
from openflywheel.base.misfit import plain

T = TypeVar("T")
SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*([smhd])$")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Costs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unit costs of a task, in one currency: a model's call, a wrong answer, a person's answer."""

    call: float = 0.0
    error: float = 1.0
    person: float = 1.0


class Task(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the product asks of AI.

    `label` chooses among known answers, `number` says one (a price, a score), `rank` orders items (search,
    recommendation), `text` writes an answer.
    """

    kind: Literal["label", "number", "rank", "text"]
    costs: Costs = field(default_factory=Costs)


class TurnWhen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When `flywheel spin` turns: after so many new signals, or after so long (seconds, or 15m, 1h, 2d)."""

    signals: int = 50
    or_after: float | str = "1h"

    @property
    def seconds(self) -> float:
        return duration(self.or_after)


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one turn may ask of experts, and spend on data and training.

    `labels` to learn from and for the sealed `holdout`; `dollars` for paid providers. Fetching and keeping
    a `document` costs so much in the currency of the tasks' costs: one that is worth less is not fetched. A
    training run that is to take more than `training` seconds, or `training_dollars`, waits until somebody
    agrees.
    """

    labels: int = 30
    holdout: int = 20
    dollars: float = 0.0
    document: float = 0.001
    training: float = 900.0
    training_dollars: float = 10.0


class Holdout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sealed holdout: the share of people whose exchanges never teach."""

    share: float = 0.05


class Trust(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far users' feedback is trusted: what one origin may give in a turn, and blind corrections.

    A person may give `per_subject` corrections and as many ratings; an API key that names no people, or an
    address block, may give `per_block`, or `block_share` of all where that is more. A correction waits while
    its chance of being blind is above `blind`.
    """

    per_subject: int = 10
    per_block: int = 20
    block_share: float = 0.5
    blind: float = 0.3


class Keep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept whole: of the calls that nothing marks as worth it, this share keeps its bytes."""

    unmarked: float = 1.0


class WebSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How sources behave on the web.

    `contact` (a URL or an e-mail address) stands in the user agent, so that a site's owner can reach you;
    `allow` names hosts of your own ("host" or "host:port") that may have private addresses; requests to one
    host are `delay` seconds apart, or as far as its robots.txt asks.
    """

    contact: str = ""
    allow: tuple[str, ...] = ()
    delay: float = 1.0


class WheelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `wheel:`.

    `engine` says where curation and the tuning of language models work: "local" (processes of this
    machine), "ray" (a cluster of this machine's own), or "ray:ADDRESS" (a cluster that is there, as in
    ray:auto or ray:10.0.0.1:6379).
    """

    engine: Annotated[str, Meta(pattern="^(local|ray(:.+)?)$")] = "local"
    turn_when: TurnWhen = field(default_factory=TurnWhen)
    budget: Budget = field(default_factory=Budget)
    holdout: Holdout = field(default_factory=Holdout)
    trust: Trust = field(default_factory=Trust)
    keep: Keep = field(default_factory=Keep)
    web: WebSettings = field(default_factory=WebSettings)
    seed: int = 0

    @property
    def cluster(self) -> str | None:
        """The address of the Ray cluster that `engine` names, "local" for a new one; None for no cluster."""
        kind, _, address = self.engine.partition(":")
        return (address or "local") if kind == "ray" else None


class Chosen(Struct, frozen=True):
    """One plugin that the user chose, with its checked settings."""

    name: str
    settings: dict[str, Any]


class Settings(Struct, frozen=True, kw_only=True):
    """A checked flywheel.yaml; `version` is its hash and stands on every row that came about under it."""

    name: str
    folder: Path
    store: str
    tasks: dict[str, Task]
    rooms: dict[str, tuple[Chosen, ...]]
    wheel: WheelSettings
    encoder: str | None
    database: str | None
    version: str


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The top level of the file, before the rooms' plugins are looked at."""

    name: str
    store: str
    tasks: dict[str, Any]
    database: str | None = None
    encoder: str | None = None
    wheel: WheelSettings = field(default_factory=WheelSettings)


TOP = (*(f for f in Table.__struct_fields__), *door.ROOMS)


def duration(value: float | str) -> float:
    """Seconds of "90s", "15m", "1h", "2d" or of a plain number."""
    if not isinstance(value, str):
        return float(value)
    found = DURATION.match(value.strip())
    if not found:
        raise SettingsError(f"{value!r} is not a duration; write 90s, 15m, 1h or 2d")
    return float(found[1]) * SECONDS[found[2]]


def read(path: str | Path, rooms: Sequence[str] = door.ROOMS) -> Settings:
    """Read and check a settings file. Raises SettingsError (with file and line) or MissingSecret.

    Only the plugins of `rooms` are looked at: those of all rooms take 120 MB of memory. "collect.webhook" is
    one plugin of a room.
    """
    path = Path(path)
    if not path.is_file():
        raise SettingsError(f"there is no {path}; write one with: flywheel init")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not a text in UTF-8: {error}") from None
    return parse(text, where=str(path), folder=path.parent, rooms=rooms)


def parse(
    text: str,
    *,
    where: str = "flywheel.yaml",
    folder: Path = Path(),
    rooms: Sequence[str] = door.ROOMS,
) -> Settings:
    """Settings from text; a relative `store` lies in `folder`."""
    page = _Page(text, where)
    for key in page.content:
        if key not in TOP:
            raise SettingsError(f"{page.at((key,))}: there is no setting {key!r}; {suggest(key, TOP)}")
    table = page.convert({k: v for k, v in page.content.items() if k in Table.__struct_fields__}, Table)
    tasks = {name: page.convert(given, Task, ("tasks", name)) for name, given in table.tasks.items()}
    with page.placed("wheel", "turn_when", "or_after"):
        duration(table.wheel.turn_when.or_after)
    chosen = {
        room: page.plugins(room, only)
        for room, _, only in (name.partition(".") for name in rooms)
        if room in page.content
    }
    store = table.store if "://" in table.store else str(folder / table.store)
    return Settings(
        name=table.name, folder=folder, store=store, tasks=tasks, rooms=chosen, wheel=table.wheel,
        encoder=table.encoder, database=table.database, version=content_id(text)[:12],
    )  # fmt: skip


class _Page:
    """A YAML text, its content, and where each key stands."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise SettingsError(f"{where}:{_line(error, text)}: {_problem(error)}") from None
        content = self._plain(self.root, ())
        if not isinstance(content, dict):
            raise SettingsError(f"{where}:1: expected a table of settings; write one with: flywheel init")
        self.content: dict[str, Any] = content

    def _plain(self, node: yaml.Node | None, path: tuple[str, ...]) -> Any:
        """Content of a node, with secrets filled in and repeated keys refused."""
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(child, (*path, str(i))) for i, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, child in node.value:
            name = str(key.value)
            if name in out:
                raise SettingsError(f"{self.where}:{key.start_mark.line + 1}: {name!r} stands here twice")
            out[name] = self._plain(child, (*path, name))
        return out

    def _scalar(self, node: yaml.Node | None) -> Any:
        if node is None:
            return None
        line = node.start_mark.line + 1
        try:
            value = yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise SettingsError(f"{self.where}:{line}: {_problem(error)}") from None
        if not isinstance(value, str):
            return value
        return SECRET.sub(lambda found: self._secret(found[1], line), value)

    def _secret(self, name: str, line: int) -> str:
        if name not in os.environ:
            raise MissingSecret(
                f"{self.where}:{line}: ${{{name}}} is not set; set it with: export {name}=..."
            )
        return os.environ[name]

    def at(self, path: tuple[str, ...]) -> str:
        """ "file:line" of a key, as near as it can be found."""
        node, line = self.root, 1
        for part in path:
            key, child = _child(node, part)
            if key is None:
                break
            line, node = key.start_mark.line + 1, child
        return f"{self.where}:{line}"

    @contextmanager
    def placed(self, *path: str) -> Iterator[None]:
        """Put file and line before what the block raises."""
        try:
            yield
        except FlywheelError as error:
            raise type(error)(f"{self.at((*path, getattr(error, 'setting', '')))}: {error}") from None

    def convert(self, content: Any, kind: type[T], path: tuple[str, ...] = ()) -> T:
        try:
            return msgspec.convert(content, kind)
        except msgspec.ValidationError as error:
            said, _, place = str(error).partition(" - at `$")
            parts = tuple(p for p in re.split(r"[.\[\]`]+", place) if p)
            where = (*path, *parts)
            if unknown := re.search(r"unknown field `(.+)`", said):
                name = unknown[1]
                said = f"there is no setting {name!r}; {suggest(name, _known(kind, parts))}"
                raise SettingsError(f"{self.at((*where, name))}: {said}") from None
            said = plain(error, kind)
            raise SettingsError(f"{self.at(where)}: {'.'.join(where) or 'settings'}: {said}") from None

    def plugins(self, room: str, only: str = "") -> tuple[Chosen, ...]:
        """The plugins chosen for a room, as a mapping or a list; of one name alone, if `only` names it."""
        content = self.content[room]
        if isinstance(content, list):
            pairs = [
                p for item in content for p in (item.items() if isinstance(item, dict) else [(item, {})])
            ]
        elif isinstance(content, dict):
            pairs = list(content.items())
        else:
            raise SettingsError(
                f"{self.at((room,))}: {room}: expected plugins, for example {door.names(room)[:2]}"
            )
        return tuple(self._chosen(room, str(n), given) for n, given in pairs if only in ("", str(n)))

    def _chosen(self, room: str, name: str, given: Any) -> Chosen:
        with self.placed(room, name):
            if not isinstance(given, dict | None):
                raise SettingsError(f"{room}.{name}: expected a table of its settings, for example {{}}")
            return Chosen(name, door.check(room, name, given or {}))


def _line(error: yaml.YAMLError, text: str) -> int:
    mark = getattr(error, "problem_mark", None)
    return int(mark.line if mark else text.count("\n", 0, getattr(error, "position", 0))) + 1


def _problem(error: Exception) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)


def _known(kind: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of the table at a path below a table."""
    for part in path:
        kind = get_type_hints(kind)[part]
    return tuple(kind.__struct_fields__)


def _child(node: yaml.Node | None, part: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The key and value nodes of one child."""
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if key.value == part:
                return key, child
    if isinstance(node, yaml.SequenceNode):
        for i, child in enumerate(node.value):
            if str(i) == part or (isinstance(child, yaml.ScalarNode) and child.value == part):
                return child, child
            if isinstance(child, yaml.MappingNode) and _child(child, part)[0] is not None:
                return _child(child, part)
    return None, None
