"""Why a record became the row that it is, or none: its way through the steps of curation, taken once more."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from openflywheel.base import door
from openflywheel.base.errors import UnknownRecord
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record, Row
from openflywheel.curate import step_of
from openflywheel.curate._batches import META, kept
from openflywheel.curate._engine.recall import recall
from openflywheel.curate._whole import Whole
from openflywheel.store import Store
from openflywheel.wheel.curating import ROOM, recipe
from openflywheel.wheel.flywheel import Flywheel

SHOWN = 60  # characters of a value


class Said(Struct, frozen=True):
    """What one step did with the record."""

    step: str
    did: str


def explain(wheel: Flywheel, id: str) -> Iterator[Said]:
    """What every step did with a record, or with the record of a row. Raises UnknownRecord.

    Steps that look at one row do it again; what steps over all rows decided is read from what they left.
    """
    record = _record(wheel.store, id)
    yield Said("collect", f"{record.source} {record.uri}: {_short(record.text)!r}")
    table = pa.Table.from_batches([to_batch([record], Record)]).append_column(
        "drop", pa.nulls(1, pa.string())
    )
    steps = [step_of(plugin) for plugin in wheel.plugins.get(ROOM, [])]
    for step in steps:
        if "ask" in door.describe(ROOM, step.name).handed:
            yield Said(step.name, "not asked again: it writes rows of its own, and costs money")
        elif not isinstance(step.does, Whole) and any(kept(table).to_pylist()):
            before, table = table, step.does(table)
            yield Said(step.name, _difference(before, table))
    whole = ", ".join(step.name for step in steps if isinstance(step.does, Whole))
    if whole and any(kept(table).to_pylist()):
        state = wheel.store.path / ROOM / recipe(wheel.settings, wheel.store)
        ids = dict.fromkeys([record.id, *table["id"].to_pylist()])
        yield Said(whole, _decided(state, list(ids)))


def _record(store: Store, id: str) -> Record:
    parents = [parent for row in store.get(Row, [id]).values() for parent in row.parents]
    for record in store.get(Record, [id, *parents]).values():
        return record
    raise UnknownRecord(f"there is no record or row {id!r} in {store.path} (see: flywheel datasets list)")


def _decided(state: Path, ids: list[str]) -> str:
    """What the steps over all rows say of these now."""
    if not state.exists():
        return "not yet; let them: flywheel turn --only curate"
    return "; ".join(filter(None, map(_marks, recall(state, ids).to_pylist()))) or "nothing"


def _marks(mark: dict[str, object]) -> str:
    names = {name: "dropped" if name == "drop" else name.removeprefix(META) for name in mark}
    return ", ".join(f"{names[name]}: {value}" for name, value in mark.items() if value is not None)


def _difference(before: pa.Table, after: pa.Table) -> str:
    """What a step changed, in words."""
    drops = sorted({reason for reason in after["drop"].to_pylist() if reason})
    if drops:
        return f"dropped: {', '.join(drops)}"
    if after.num_rows > before.num_rows:
        return f"{before.num_rows:,} rows became {after.num_rows:,}"
    said = []
    if after["text"] != before["text"]:
        said.append(f"text: {_short(''.join(after['text'].to_pylist()))!r}")
    for name in after.column_names:
        old = before[name].to_pylist() if name in before.column_names else [None]
        new = after[name].to_pylist()
        if name.startswith(META) and new != old and new[0] is not None:
            said.append(f"{name.removeprefix(META)} = {_short(new[0])}")
    return "; ".join(said) or "nothing"


def _short(text: str) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 3]}..."
