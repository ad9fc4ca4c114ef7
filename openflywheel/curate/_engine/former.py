"""What a dataset held before a run that adds to it, and what of that the run changes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from msgspec import Struct

from openflywheel.base.nouns import Row
from openflywheel.curate._batches import META
from openflywheel.curate._nouns import named, whole
from openflywheel.curate._rows import with_facts

DROPPED = pa.schema([(name, pa.string()) for name in ("id", "uri", "source", "reason", "run")])


class Former(Struct, frozen=True, kw_only=True):
    """What this run changes in the tables of earlier ones.

    rows, dropped: units to take out of each table. again: those of the rows that stay, as they are now. left:
    those that are dropped now. waiting: how many would come back, but their texts are not here.
    """

    rows: pa.Array
    dropped: pa.Array
    again: pa.Table
    left: pa.Table
    waiting: int


def former(place: Path, given: pa.Array, changed: pa.Table) -> Former:
    """What a run changes that gives these units, known ones among them, and those marks of others."""
    rows = DeltaTable(place / "rows").to_pyarrow_dataset()
    dropped = whole(DeltaTable(place / "dropped").to_pyarrow_dataset().to_table(columns=["id"])["id"])
    known = rows.to_table(columns=["unit", "parents"])
    marks = _marks(known, changed.filter(pc.invert(pc.is_in(changed["id"], given))))
    marks = marks.filter(pc.invert(pc.is_in(marks["unit"], given)))
    fresh = changed.filter(pc.and_(pc.is_null(changed["drop"]), pc.invert(pc.is_in(changed["id"], given))))
    here = pa.concat_arrays([whole(known["unit"]), pc.list_flatten(whole(known["parents"]))])
    old = rows.to_table(filter=pc.field("unit").isin(whole(marks["unit"])))
    marks = marks.take(pc.index_in(old["unit"], marks["unit"]))
    stays = pc.is_null(marks["drop"])
    left = old.select(["unit", "uri", "source"]).rename_columns(["id", "uri", "source"])
    left = left.append_column("reason", marks["drop"]).filter(pc.invert(stays))
    units = whole(known["unit"])
    return Former(
        rows=pa.concat_arrays([units.filter(pc.is_in(units, given)), whole(old["unit"])]),
        dropped=dropped.filter(pc.is_in(dropped, pa.concat_arrays([given, whole(left["id"])]))),
        again=_remarked(old.filter(stays), marks.filter(stays)),
        left=left,
        waiting=pc.sum(pc.invert(pc.is_in(fresh["id"], here))).as_py() or 0,
    )


def _marks(known: pa.Table, changed: pa.Table) -> pa.Table:
    """The changed marks by the unit of each row that they are about: the row itself, or one cut out of it."""
    units, parents = whole(known["unit"]), whole(known["parents"])
    own = pc.index_in(units, changed["id"])
    inherited = pc.index_in(pc.list_flatten(parents), changed["id"])
    rows = np.concatenate([np.arange(len(units)), pc.list_parent_indices(parents).to_numpy()])
    places = pa.concat_arrays([whole(own), whole(inherited)])
    found = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
    rows, first = np.unique(rows[found], return_index=True)  # a row's own marks come before its parents'
    about = changed.drop_columns("id").take(places.take(pa.array(found[first])))
    return about.append_column("unit", units.take(pa.array(rows)))


def _remarked(rows: pa.Table, marks: pa.Table) -> pa.Table:
    """The rows with their marks, under the ids that these give them."""
    for name in {"role", "weight"} & set(marks.column_names):
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pc.coalesce(marks[name], rows[name]))
    facts = {n.removeprefix(META): marks[n] for n in marks.column_names if n.startswith(META)}
    at = rows.schema.get_field_index("meta")
    rows = rows.set_column(at, rows.schema.field(at), with_facts(whole(rows["meta"]), facts))
    ids = named(rows.select(list(Row.__struct_fields__)), Row)["id"]
    return rows.set_column(rows.schema.get_field_index("id"), rows.schema.field("id"), ids)
