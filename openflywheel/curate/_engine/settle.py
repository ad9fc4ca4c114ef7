"""The whole steps of one stage, one after another, in this one process: what follows for which rows."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from openflywheel.curate._batches import marked
from openflywheel.curate._engine import files
from openflywheel.curate._engine.above import Above, changes, laid, nothing
from openflywheel.curate._engine.curated import Curated
from openflywheel.curate._engine.ground import Ground
from openflywheel.curate._engine.linking import Before, Mask, linked
from openflywheel.curate._engine.meet import Links, first_of
from openflywheel.curate._engine.segment import Positions
from openflywheel.curate._engine.state import StageKept, State
from openflywheel.curate._engine.stats import Clock, Stats
from openflywheel.curate._engine.step import Stage, Step
from openflywheel.curate._engine.telling import Teller
from openflywheel.curate._engine.working import failing, reasons
from openflywheel.curate._whole import Whole


class Settled(Struct, frozen=True):
    """What all rows of a stage are marked with after it, and which of earlier runs' rows changed by that."""

    above: Above
    changed: pa.Table


def settle(
    ground: Ground, stage: Stage, state: State, above: Above | None, shards: Sequence[Curated], teller: Teller
) -> Settled:
    """Let each whole step mark the rows; the marks are left in `marks.arrow` for whoever reads the shards.

    `above`: the stage before, None in the first one.
    """
    ground.folder.mkdir(parents=True, exist_ok=True)  # without a shard nobody has made it
    ids, kept = ground.ids(), state.stage(ground.stage)
    np.save(ground.folder / "order.npy", ids[0])
    inherited = above.of(ids[1]) if above and state.folder else nothing(ids.shape[1])
    old = np.arange(ids.shape[1]) < ground.since
    upstream = old & pc.is_valid(inherited["drop"]).to_numpy()
    positions = np.concatenate([np.empty(0, np.int64), *(shard.positions() for shard in shards)])
    marks, mine = nothing(ids.shape[1]), positions[positions >= 0]
    for number, step in enumerate(stage.whole):
        out = upstream | pc.is_valid(marks["drop"]).to_numpy()
        marks, did = _whole(ground, number, step, marks, out, before(state, kept, number), mine)
        teller.whole(len(stage.batch) + number, did)
    if stage.whole:
        _leave(ground, marks)
    full = laid(inherited, marks)
    earlier = files.opened(state.path(kept.marks)).read_all() if kept.marks else nothing(0)
    return Settled(Above(ids[0], full), changes(ground.names(), earlier, full))


def before(state: State, kept: StageKept, number: int) -> Before:
    """What the last run left of a whole step; nothing if there was none."""
    if not kept.wholes:
        return Before()
    left = kept.wholes[number]
    stirred = state.path(left.stirred) if left.stirred else None
    return Before(state.path(left.links), state.path(left.out), stirred)


def _whole(
    ground: Ground, number: int, step: Step, marks: pa.Table, out: Mask, before: Before, mine: Positions
) -> tuple[pa.Table, Stats]:
    """The marks with those of one more step, and its figures for the rows (`mine`) of this run."""
    clock, whole = Clock(), step.does
    assert isinstance(whole, Whole)
    links, elsewhere = linked(ground, number, out, before)
    going = np.flatnonzero(~out)
    light = _overlaid(ground.light(number, whole.heavy), marks)
    with failing(f"{step.name}, settling,", "all"):
        given = whole.settle(light if len(going) == len(out) else light.take(going), _pairs(links, out))
        after = marked(marks, going[given["row"].to_numpy()], given.drop_columns("row"))
    cost = clock.read()
    stats = Stats(
        step=step.name, took=int((~out[mine]).sum()),
        dropped=dict(reasons(after.take(mine)) - reasons(marks.take(mine))),
        seconds=cost.seconds, cpu_seconds=cost.cpu_seconds + elsewhere,
    )  # fmt: skip
    return after, stats


def _pairs(links: Links, out: Mask) -> Positions:
    """Each pair once, by its places among the rows that go on."""
    place = np.cumsum(~out) - 1
    pairs = links[:2, first_of(links[:2])].astype(np.int64)
    return np.ascontiguousarray(place[pairs].T)


def _overlaid(light: pa.Table, marks: pa.Table) -> pa.Table:
    """Sketches with what the whole steps before have marked, in those columns that they pass on."""
    for name in set(light.column_names) & set(marks.column_names):
        at = light.schema.get_field_index(name)
        values = pc.coalesce(marks[name].cast(light.schema.field(at).type), light[name])
        light = light.set_column(at, light.schema.field(at), values)
    return light


def _leave(ground: Ground, marks: pa.Table) -> None:
    """The rows that have any mark, by position, uncompressed: every reader of a shard maps them."""
    any_ = np.zeros(marks.num_rows, bool)
    for column in marks.columns:
        any_ |= pc.is_valid(column).to_numpy()
    rows = np.flatnonzero(any_)
    table = marks.take(rows).add_column(0, "row", pa.array(rows)).combine_chunks()
    with files.finished(ground.folder / "marks.arrow") as part:
        files.write(part, table.to_batches(), table.schema, None)
