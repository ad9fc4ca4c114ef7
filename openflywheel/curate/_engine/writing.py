"""A result as a dataset: the Delta tables `rows` and `dropped`, and a card.

A new version is one commit of each table, and the card, which names them, comes last: whoever reads by the
card, or the newest version of a table, sees the old dataset or the new one.
"""

import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.nouns import Row
from openflywheel.curate._batches import kept
from openflywheel.curate._card import LIGHT, Card, counted, markdown, most_common, tokens_of
from openflywheel.curate._engine.files import finished
from openflywheel.curate._engine.former import DROPPED, Former, former
from openflywheel.curate._engine.tables import add, replace, settled
from openflywheel.curate._nouns import whole
from openflywheel.curate._rows import fold, without_purpose

CARD, PAGE = "dataset.json", "README.md"
BESIDE = [pa.field("unit", pa.string()), pa.field("tokens", pa.int64()), pa.field("run", pa.string())]
VECTOR = pa.field("embedding", pa.list_(pa.float32()))  # Delta has no half floats


class Results(Protocol):
    """What a run gives (result.py)."""

    run: str
    changed: pa.Table

    def tables(self) -> Iterator[pa.Table]: ...


def write(
    result: Results,
    to: str | Path,
    recipe: Sequence[Any],
    *,
    code: str = "",
    name: str = "",
    added: bool = False,
) -> Card:
    """Write a result as the dataset in the folder `to`, in bounded memory; returns its card.

    rows: columns of Row, "unit" (the id under which the steps knew the row), "tokens", "run", and "embedding"
        where the steps made one.
    dropped: "id", "uri", "source", "reason", "run".
    recipe: the steps with their settings (name, settings); they are on the card and in the version.
    code: hash of all that decides what the steps do, in the version too; by default that of `recipe`.
    added: the run remembered the rows of earlier ones (`state`): they stay, but for what it changed in them.

    The version is a hash of the recipe and of all rows' ids, sorted; these are hashes of all that the rows
    say. It does not depend on shards, order, engine or time. Writing a result twice writes it once. Raises
    SettingsError when it would be added to another recipe's rows.
    """
    place, steps = Path(to), tuple(msgspec.to_builtins(list(recipe), str_keys=True))
    code = code or recipe_hash(recipe)
    before = _before(place, code, result) if added and (place / CARD).exists() else None
    place.mkdir(parents=True, exist_ok=True)
    for table, schema, parts in (
        (place / "dropped", DROPPED, _dropped(result)),
        (place / "rows", _schema(result, place / "rows" if before else None), _rows(result, code)),
    ):
        if before is None:
            replace(table, schema, parts, result.run)
        elif table.name == "rows":
            add(table, schema, chain(parts, [before.again]), before.rows, "unit", result.run)
        else:
            add(table, schema, chain(parts, [before.left]), before.dropped, "id", result.run)
    card = _card(place, name or place.resolve().name, steps, code, before.waiting if before else 0)
    _publish(place, card)
    return card


def recipe_hash(recipe: Sequence[Any]) -> str:
    """Names steps with their settings, as in the wheel."""
    plain = msgspec.to_builtins(list(recipe), str_keys=True)
    return content_id(msgspec.json.encode(plain, order="deterministic"))[:12]


def read_card(place: Path) -> Card:
    """The card of a dataset. Raises SettingsError where there is none."""
    try:
        return msgspec.json.decode((place / CARD).read_bytes(), type=Card)
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{place}: holds no dataset: {error}") from error


def _before(place: Path, code: str, result: Results) -> Former:
    """What the run changes in a dataset. Raises SettingsError for one of another recipe."""
    made_by = read_card(place).recipe_hash
    if made_by != code:
        raise SettingsError(
            f"{place}: was made by the recipe {made_by}, this one is {code}: their rows do not fit together. "
            "Write to another folder, or curate everything again"
        )
    given = [whole(table["id"]) for table in result.tables()]
    return former(place, pa.concat_arrays([pa.array([], pa.string()), *given]), result.changed)


def _dropped(result: Results) -> Iterator[pa.Table]:
    for table in map(without_purpose, result.tables()):
        gone = table.filter(pc.invert(kept(table)))
        yield gone.select(["id", "uri", "source", "drop"]).rename_columns(["id", "uri", "source", "reason"])


def _rows(result: Results, code: str) -> Iterator[pa.Table]:
    for table in map(without_purpose, result.tables()):
        going = table.filter(kept(table))
        if not going.num_rows:
            continue
        rows = fold(going.append_column("recipe", pa.repeat(pa.scalar(code), going.num_rows)))
        rows = rows.append_column("tokens", tokens_of(rows)).append_column("unit", going["id"])
        if VECTOR.name in going.column_names:
            rows = rows.append_column(VECTOR, going[VECTOR.name].cast(VECTOR.type))
        yield rows


def _schema(result: Results, before: Path | None) -> pa.Schema:
    """Columns of the rows: those that are there before; all batches of a run have the same."""
    first = next(result.tables(), None)
    known = [f.name for f in DeltaTable(before).schema().fields] if before else []
    vector = [VECTOR] if VECTOR.name in [*known, *(first.column_names if first is not None else ())] else []
    return pa.schema([*schema_of(Row), *BESIDE, *vector])


def _card(place: Path, name: str, steps: Sequence[Any], code: str, waiting: int) -> Card:
    """Counted in the tables themselves, so that runs that add to them and runs that make them agree."""
    tables = {name: settled(place / name) for name in ("rows", "dropped")}
    rows = tables["rows"].to_pyarrow_dataset()
    light = rows.scanner(columns=list(LIGHT), batch_readahead=2).to_batches()
    reasons = tables["dropped"].to_pyarrow_dataset().to_table(columns=["reason"])["reason"]
    dropped = {entry["values"]: entry["counts"] for entry in pc.value_counts(reasons).to_pylist()}
    return Card(
        name=name,
        version=_version(rows.to_table(columns=["id"])["id"], code),
        recipe=tuple(steps),
        recipe_hash=code,
        dropped=most_common(dropped),
        waiting=waiting,
        tables={name: table.version() for name, table in tables.items()},
        created_at=time.time(),
        **counted(pa.Table.from_batches([batch]) for batch in light),
    )


def _version(ids: pa.ChunkedArray, code: str) -> str:
    digest = sha256(code.encode())
    digest.update(np.sort(np.array(ids.to_pylist(), "S32")).tobytes())
    return digest.hexdigest()


def _publish(place: Path, card: Card) -> None:
    for name, content in (
        (PAGE, markdown(card).encode()),
        (CARD, msgspec.json.format(msgspec.json.encode(card))),
    ):
        with finished(place / name) as part:
            part.write_bytes(content)
