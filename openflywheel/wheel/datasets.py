"""Versions of datasets, in the store or in folders: what is in one, what changed from one to another."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from msgspec import Struct

from openflywheel.base.errors import FlywheelError, HoldoutRefused, suggest
from openflywheel.base.instruments.columns import schema_of, to_batch
from openflywheel.base.nouns import Dataset, Row
from openflywheel.curate._card import Card, counted
from openflywheel.curate._diff import COLUMNS, Changes, changes
from openflywheel.curate._engine.writing import CARD, read_card
from openflywheel.customize._hosted.export import Exported, export
from openflywheel.customize._hosted.formats import Format
from openflywheel.store import Store

AT_ONCE = 5_000  # rows that are looked up at a time
COUNTED = ("source", "label", "role")


class UnknownDataset(FlywheelError):
    """There is no dataset of that name, or more than one."""


class Listed(Struct, frozen=True, kw_only=True):
    """A dataset of the store without the names of its rows."""

    id: str
    name: str
    task: str
    role: str
    rows: int
    recipe: str
    at: float


class Turned(Struct, frozen=True, kw_only=True):
    """A step that differs between two recipes: its settings in each, None where it is missing."""

    step: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Difference(Struct, frozen=True, kw_only=True):
    """From one version to another. counts: source, label, role -> value -> rows before and after, if others.

    `recipe` is empty where the recipes are the same, and where a version in the store knows only its hash.
    """

    before: Card
    after: Card
    rows: Changes
    counts: dict[str, dict[str, tuple[int, int]]]
    recipe: list[Turned]


class Version(Protocol):
    """A version of a dataset, wherever it lies."""

    def ids(self) -> pa.Array:
        """Of all its rows."""
        ...

    def take(self, ids: pa.Array) -> pa.Table:
        """Rows by their ids, with the columns that are compared."""
        ...

    def card(self) -> Card:
        """What is in it."""
        ...


class Stored:
    """A dataset of the store."""

    def __init__(self, store: Store, dataset: Dataset) -> None:
        self._store, self._dataset = store, dataset

    def ids(self) -> pa.Array:
        """See Version."""
        return pa.array(self._dataset.rows, pa.string())

    def take(self, ids: pa.Array) -> pa.Table:
        """See Version."""
        found = [schema_of(Row).empty_table(), *self._tables(ids.to_pylist())]
        return pa.concat_tables(found).select(COLUMNS)

    def card(self) -> Card:
        """Counted now, from the rows in the store."""
        about = self._dataset
        return Card(
            name=about.name, version=about.id, recipe_hash=about.recipe, created_at=about.at,
            **counted(self._tables(about.rows)),
        )  # fmt: skip

    def _tables(self, ids: Sequence[str]) -> Iterator[pa.Table]:
        for start in range(0, len(ids), AT_ONCE):
            found = self._store.get(Row, ids[start : start + AT_ONCE])
            yield pa.Table.from_batches([to_batch(list(found.values()), Row)])


class Folder:
    """A dataset that `flywheel curate --to` wrote, as its card names it."""

    def __init__(self, place: Path) -> None:
        self._card = read_card(place)
        rows = DeltaTable(place / "rows", version=self._card.tables["rows"])
        self._rows: ds.Dataset = rows.to_pyarrow_dataset()

    def ids(self) -> pa.Array:
        """See Version."""
        return self._rows.to_table(columns=["id"])["id"].combine_chunks()

    def take(self, ids: pa.Array) -> pa.Table:
        """See Version."""
        return self._rows.to_table(columns=list(COLUMNS), filter=ds.field("id").isin(ids))

    def card(self) -> Card:
        """See Version."""
        return self._card


def is_folder(name: str) -> bool:
    """Is it the path of a dataset?"""
    return (Path(name) / CARD).is_file()


def listed(store: Store) -> list[Listed]:
    """Every dataset of the store, the newest first."""
    return [
        Listed(id=d.id, name=d.name, task=d.task, role=d.role, rows=len(d.rows), recipe=d.recipe, at=d.at)
        for d in reversed(store.all(Dataset))
    ]


def version(name: str, store: Store | None) -> Version:
    """A dataset by its folder, its id or the beginning of it, its name (the newest), or name@id.

    `store` may be None for folders. Raises UnknownDataset, SettingsError.
    """
    if is_folder(name) or store is None:
        return Folder(Path(name))
    return Stored(store, _meant(name, store))


def _meant(name: str, store: Store) -> Dataset:
    datasets = store.all(Dataset)
    called, at, id = name.rpartition("@")
    named = [d for d in datasets if d.name == name]
    begin = [d for d in datasets if id and d.id.startswith(id) and (not at or d.name == called)]
    if named or len(begin) == 1:
        return (named or begin)[-1]
    raise UnknownDataset(_unknown(name, datasets, begin, store))


def exported(name: str, store: Store, to: Path, form: Format, system: str = "") -> Exported:
    """Write a dataset of the store as a provider's training file. Rows that were erased since are counted.

    Raises UnknownDataset, HoldoutRefused, SettingsError.
    """
    dataset = _meant(name, store)
    if dataset.role == "holdout":
        raise HoldoutRefused(f"dataset {dataset.name} {dataset.id} is a holdout: it teaches nobody")
    found = store.get(Row, list(dataset.rows))
    rows = [found[id] for id in dataset.rows if id in found]
    return export(rows, dataset.task, to, form, system=system, gone=len(dataset.rows) - len(rows))


def _unknown(name: str, datasets: Sequence[Dataset], begin: Sequence[Dataset], store: Store) -> str:
    if not datasets:
        return f"there is no dataset in {store.path} yet; make one with: flywheel turn"
    if begin:
        return f"{name!r} fits {len(begin)} datasets: {', '.join(f'{d.name}@{d.id}' for d in begin)}"
    called, at, _ = name.rpartition("@")
    of_name = [f"{d.name}@{d.id}" for d in datasets if at and d.name == called]
    hint = suggest(name, of_name or {d.name for d in datasets})
    return f"there is no dataset {name!r}; {hint} (see: flywheel datasets)"


def difference(before: Version, after: Version) -> Difference:
    """What changed from one version to another. Only rows that are not in both are looked up."""
    old, new = before.ids(), after.ids()
    first, second = before.card(), after.card()
    return Difference(
        before=first,
        after=second,
        rows=changes(before.take(_without(old, new)), after.take(_without(new, old))),
        counts={name: _moved(first.counts[name], second.counts[name]) for name in COUNTED},
        recipe=_turned(first, second),
    )


def _without(ids: pa.Array, others: pa.Array) -> pa.Array:
    return ids.filter(pc.invert(pc.is_in(ids, others)))


def _moved(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Values whose counts differ, the largest difference first."""
    both = {name: (before.get(name, 0), after.get(name, 0)) for name in {*before, *after}}
    moved = sorted(both.items(), key=lambda pair: (-abs(pair[1][0] - pair[1][1]), pair[0]))
    return {name: counts for name, counts in moved if counts[0] != counts[1]}


def _turned(before: Card, after: Card) -> list[Turned]:
    """Steps that came, left or have other settings, in the order of the recipes."""
    if not before.recipe or not after.recipe:
        return []
    old, new = (_settings(card) for card in (before, after))
    return [
        Turned(step=name, before=old.get(name), after=new.get(name))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _settings(card: Card) -> dict[str, dict[str, Any]]:
    """Step -> settings; a step that is there several times is numbered from its second time on."""
    found: dict[str, dict[str, Any]] = {}
    for step in card.recipe:
        name, number = step["name"], sum(known.partition(" ")[0] == step["name"] for known in found)
        found[f"{name} {number + 1}" if number else name] = step["settings"]
    return found
