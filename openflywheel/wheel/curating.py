"""Curation beyond one process: its recipe, its engine, what its steps are handed there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Row
from openflywheel.base.settings import Settings
from openflywheel.collect._files.transcribe import transcribe
from openflywheel.curate import step_of
from openflywheel.curate._card import Card
from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.files import finished
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import Terms, shards
from openflywheel.curate._engine.run import curate
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
            "holdouts": lambda: partial(_holdouts, settings),
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


def recipe(settings: Settings) -> str:
    """Hash of the steps and their settings: it is part of every dataset's version."""
    return recipe_hash(settings.rooms.get(ROOM, ()))


def curate_beside(
    settings: Settings, source: Path, to: Path, terms: Terms, progress: Told | None = None
) -> tuple[Card, tuple[Stats, ...]]:
    """Take data that lie beside the store through the wheel's steps, into a dataset in a folder of its own.

    What the folder holds of earlier runs stays, and duplicates are found against it as well; of the source
    only what is new since is read. A run that was killed goes on where it was. Raises SettingsError,
    StateRefused when the folder was made by another recipe, StepFailed.
    """
    known, state = to / ".read", to / ".state"
    read = known.read_text().split() if known.exists() and state.exists() else []
    fresh = [shard for shard in shards(source, terms=terms) if shard.name not in set(read)]
    with (
        engine(settings) as where,
        curate(
            fresh, opener(settings), recipe=recipe(settings), engine=where, work=to / ".work",
            state=state, progress=progress,
        ) as result,
    ):  # fmt: skip
        card = write(result, to, settings.rooms.get(ROOM, ()), added=bool(read))
    with finished(known) as part:
        part.write_text("\n".join([*read, *(shard.name for shard in fresh)]))
    return card, result.stats


def engine(settings: Settings) -> AbstractContextManager[Engine]:
    """Where runs work, as `wheel.engine` says, until the block ends. Raises MissingExtra, SettingsError."""
    kind, _, address = settings.wheel.engine.partition(":")
    if kind == "local":
        return Local()
    try:  # importing it takes a second, and only those who want it have it
        from openflywheel.curate._engine.ray import Ray  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise MissingExtra("wheel.engine: ray needs 'ray': pip install 'openflywheel[ray]'") from error
    return Ray(address or None)
