"""One step on one batch: what it took, dropped and cost, and whether it kept to the rules."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError
from openflywheel.curate._engine.batches import ORIGIN
from openflywheel.curate._engine.ids import Hashes
from openflywheel.curate._engine.stats import Clock, Stats
from openflywheel.curate._engine.step import Step, StepFailed
from openflywheel.curate._whole import Whole


@contextmanager
def failing(what: str, where: str) -> Iterator[None]:
    """Say what failed, on what and why, of whatever the block raises: StepFailed."""
    try:
        yield
    except SettingsError:  # what the user can mend says so by itself
        raise
    except Exception as error:  # a step may be a stranger's: whatever it raises is told by name
        raise StepFailed(f"{what} failed on shard {where}: {type(error).__name__}: {error}") from error


def worked(step: Step, table: pa.Table, shard: str) -> tuple[pa.Table, Stats]:
    """The table after a batch step, and the figures. Raises StepFailed."""
    assert not isinstance(step.does, Whole)
    clock = Clock()
    with failing(step.name, shard):
        out = step.does(table)
    cost = clock.read()
    _check_origins(step.name, table, out, shard)
    before, after = reasons(table), reasons(out)
    stats = Stats(
        step=step.name, took=table.num_rows - before.total(), dropped=dict(after - before),
        made=out.num_rows - table.num_rows, seconds=cost.seconds, cpu_seconds=cost.cpu_seconds,
    )  # fmt: skip
    return out, stats


def reasons(table: pa.Table) -> Counter[str]:
    """How many rows were dropped for each reason."""
    counts = pc.value_counts(pc.drop_null(table["drop"]))
    return Counter({entry["values"]: entry["counts"] for entry in counts.to_pylist()})


def _check_origins(step: str, before: pa.Table, after: pa.Table, shard: str) -> None:
    """Every row must still be there, or what it became, and in its order."""
    if ORIGIN not in after.column_names:
        raise StepFailed(
            f"{step} lost the column {ORIGIN!r} on shard {shard}: a step keeps"
            " all columns that it does not know"
        )
    old, new = (_runs(table[ORIGIN].to_numpy()) for table in (before, after))
    if not np.array_equal(old, new):
        raise StepFailed(
            f"{step} gave {after.num_rows} rows for {before.num_rows} on shard {shard}, and some are lost or"
            " in another order: a step marks rows in the column 'drop', it never removes one"
        )


def _runs(values: Hashes) -> Hashes:
    """Each value once where it stands several times in a row."""
    return values[np.flatnonzero(np.r_[True, values[1:] != values[:-1]])] if len(values) else values


def sketched(step: Step, table: pa.Table, shard: str) -> tuple[pa.Table, Stats]:
    """A whole step's sketches of a batch, and the figures. Raises StepFailed."""
    assert isinstance(step.does, Whole)
    clock = Clock()
    with failing(step.name, shard):
        sketch = step.does.sketch(table)
    if sketch.num_rows != table.num_rows:
        raise StepFailed(
            f"{step.name} gave {sketch.num_rows} sketches for {table.num_rows} rows of shard {shard}"
        )
    cost = clock.read()
    return sketch, Stats(step=step.name, seconds=cost.seconds, cpu_seconds=cost.cpu_seconds)
