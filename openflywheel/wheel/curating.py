"""Curation beyond one process: its recipe, its engine, what its steps are handed there."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from functools import cache, partial
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
from msgspec import Struct

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Row
from openflywheel.base.settings import Settings
from openflywheel.collect._files.transcribe import transcribe
from openflywheel.curate import step_of
from openflywheel.curate._card import Card
from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.files import finished
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import Terms, names, shards, unread
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.shard import Shard
from openflywheel.curate._engine.state import version
from openflywheel.curate._engine.stats import Stats, Told
from openflywheel.curate._engine.step import Opener, Step
from openflywheel.curate._engine.writing import recipe_hash, write
from openflywheel.store import Store
from openflywheel.store.objects import Objects
from openflywheel.store.vault import Vault
from openflywheel.store.vectors import CachedEncoder
from openflywheel.wheel.asking import ask
from openflywheel.wheel.documents import read_document
from openflywheel.wheel.tables import providers

ROOM = "curate"
KEY = re.compile("[0-9a-f]{32}")  # of a person


class Workshop(Mapping[str, Any]):
    """What the steps of curation are handed in a process of their own, each made when it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._made: dict[str, Any] = {}
        place = Path(settings.store)
        place.mkdir(parents=True, exist_ok=True)
        self._makers: Mapping[str, Callable[[], Any]] = {
            "ask": lambda: partial(ask, providers=providers(settings)),
            "detect": lambda: detect(settings),
            "documents": lambda: read_document,
            "encoder": lambda: CachedEncoder(open_encoder(settings.encoder), place / "vectors.db"),
            "folder": lambda: settings.folder,
            "holdouts": lambda: cache(partial(_holdouts, settings)),  # asked for once a batch
            "objects": lambda: Objects(place / "objects"),
            "tasks": lambda: settings.tasks,
            "transcribe": lambda: transcribe,
            "vault": lambda: _vault(settings),
            "workspace": lambda: place / ROOM,
        }

    def __getitem__(self, name: str) -> Any:
        if name not in self._makers:
            raise SettingsError(
                f"a step of curate wants {name!r}, which is not handed to steps; choices: {', '.join(self)}"
            )
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def detect(settings: Settings) -> guard.Detect:
    """The guards that the settings choose."""
    chosen = settings.rooms.get("guard", ())
    return guard.Detect([door.load("guard", c.name, c.settings) for c in chosen])


def _vault(settings: Settings) -> Vault:
    """It needs the store's secret, and opens its own file at every call."""
    with closing(Store.of(settings)) as store:
        return store.vault


def _holdouts(settings: Settings) -> list[str]:
    with closing(Store.of(settings)) as store:
        return holdouts(store)


def holdouts(store: Store) -> list[str]:
    """Texts of all held-out rows: they judge models, and must teach none."""
    return [row.text for row in store.all(Row) if row.role == "holdout"]


def open_steps(settings: Settings) -> list[Step]:
    """The steps of curation, loaded in this process."""
    shop = Workshop(settings)
    return [step_of(door.load(ROOM, c.name, c.settings, shop)) for c in settings.rooms.get(ROOM, ())]


def opener(settings: Settings) -> Opener:
    """What every process of a run is sent."""
    return partial(open_steps, settings)


def recipe(settings: Settings, store: Store) -> str:
    """Hash of all that decides what becomes of a record: it is part of every dataset's version.

    These are the steps with their settings and the files that they name, the guards, the encoder, the
    release; and where a step looks at the holdouts, their texts: a new one is held against old rows as well.
    """
    steps = settings.rooms.get(ROOM, ())
    given = [value for step in steps for value in step.settings.values() if isinstance(value, str)]
    files = [place.read_bytes() for name in given if name and (place := settings.folder / name).is_file()]
    looks = any("holdouts" in door.describe(ROOM, step.name).handed for step in steps)
    return recipe_hash([
        *steps, *settings.rooms.get("guard", ()), settings.encoder or "", metadata.version("openflywheel"),
        *(sha256(content).hexdigest() for content in files),
        *(sorted(map(content_id, holdouts(store))) if looks else ()),
    ])  # fmt: skip


def curate_beside(
    settings: Settings, source: str | Path, to: Path, terms: Terms, progress: Told | None = None
) -> tuple[Card, tuple[Stats, ...]]:
    """Take data that lie beside the store through the wheel's steps, into a dataset in a folder of its own.

    What the folder holds of earlier runs stays, and duplicates are found against it as well; of the source
    only what is new since is read (all of it where `.state` was deleted). A run that was killed goes on
    where it was. Raises SettingsError, also when `to` lies in the source, StateRefused when the folder was
    made by another recipe, StepFailed.
    """
    _check_apart(source, to)
    found = shards(source, terms=terms)  # before a folder is made for what is not there
    to.mkdir(parents=True, exist_ok=True)
    known, work, state = to / ".read", to / ".work", to / ".state"
    for folder in (work, state):  # they hold texts as they came
        folder.mkdir(mode=0o700, exist_ok=True)
    read = known.read_text().split() if known.exists() and version(state) else []
    with closing(Store.of(settings)) as store:
        code, fresh = recipe(settings, store), unread(found, read)
        inputs = [Keyed(shard, store.naming()) for shard in fresh]
    with (
        engine(settings) as where,
        curate(
            inputs, opener(settings), recipe=code, engine=where, work=work, state=state, progress=progress
        ) as result,
    ):
        card = write(result, to, settings.rooms.get(ROOM, ()), code=code, added=bool(read))
    shutil.rmtree(work)  # of runs that were given up, too
    with finished(known) as part:
        part.write_text("\n".join([*read, *(name for shard in fresh for name in names(shard))]))
    return card, result.stats


class Keyed(Struct, frozen=True):
    """A shard whose people stand under opaque keys, as in the store; what is such a key already stays."""

    shard: Shard
    key: Callable[[str], str]

    @property
    def name(self) -> str:
        """The shard's."""
        return self.shard.name

    @property
    def rows(self) -> int | None:
        """The shard's."""
        return self.shard.rows

    def read(self) -> Iterator[pa.Table]:
        """Its rows."""
        for table in self.shard.read():
            people = table["subject"].combine_chunks().dictionary_encode()
            known = [p if not p or KEY.fullmatch(p) else self.key(p) for p in people.dictionary.to_pylist()]
            keys = pa.array(known, pa.string()).take(people.indices)
            yield table.set_column(table.column_names.index("subject"), "subject", keys)


def _check_apart(source: str | Path, to: Path) -> None:
    """A run must not read what the last one wrote."""
    if to.resolve().is_relative_to(Path(source).resolve()):
        raise SettingsError(
            f"the dataset {to} would lie in its own source {source}; give it a folder beside that"
        )


def engine(settings: Settings) -> AbstractContextManager[Engine]:
    """Where runs work, as `wheel.engine` says, until the block ends. Raises MissingExtra, SettingsError."""
    address = settings.wheel.cluster
    if address is None:
        return Local()
    try:  # importing it takes a second, and only those who want it have it
        from openflywheel.curate._engine.ray import Ray  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise MissingExtra("wheel.engine: ray needs 'ray': pip install 'openflywheel[ray]'") from error
    return Ray(address)
