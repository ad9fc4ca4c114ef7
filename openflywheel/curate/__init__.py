"""Record -> Dataset: clean, deduplicate, redact, enrich; freeze a version.

A step is one file here, Arrow in and Arrow out; it marks rows to drop with a reason in the column "drop":

    def length(batch, *, least=2) -> pa.Table

A step that must see all rows at once takes no batch and gives a Whole (see _whole.py):

    def dedupe(*, keep="newest") -> Whole
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa

from openflywheel.base.door import function_of, name_of
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.columns import from_table, to_batch
from openflywheel.base.items import is_item
from openflywheel.base.nouns import Arrow, Dataset, Drop, Reading, Record, Row, changed
from openflywheel.base.room import Given
from openflywheel.curate._batches import kept
from openflywheel.curate._engine.engine import Engine, Inline
from openflywheel.curate._engine.recall import recall
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.shard import Held
from openflywheel.curate._engine.step import Opener, Step
from openflywheel.curate._freeze import freeze
from openflywheel.curate._holdouts import report
from openflywheel.curate._passage import begin, in_step, tidy
from openflywheel.curate._readings import readings
from openflywheel.curate._rows import fold, without_purpose

ARROW = Arrow(takes=Record, gives=Dataset, given=(Row,))
AT_ONCE = 2_000  # records of a shard
FEW = 10_000  # records that are curated in this process: starting others takes a second

Plugin = Callable[..., Any]


def step_of(plugin: Plugin) -> Step:
    """A loaded plugin as the engine takes it; one without a positional argument is a whole step."""
    parameters = inspect.signature(function_of(plugin)).parameters.values()
    takes_batch = any(p.kind is not p.KEYWORD_ONLY for p in parameters)
    model = any(p.name == "encoder" for p in parameters)
    return Step(name_of(plugin), plugin if takes_batch else plugin(), model=model)


def run(
    took: Sequence[Record],
    given: Given,
    plugins: Sequence[Plugin],
    *,
    recipe: str,
    kinds: Mapping[str, str],
    workspace: Path,
    engine: Callable[[], AbstractContextManager[Engine]],
    opener: Opener,
) -> Iterator[Row | Dataset | Drop | Reading]:
    """Curate what is new, then freeze a version of every set that changed.

    `recipe` names the steps with their settings, `kinds` maps a task to its kind. Under a new recipe
    everything that is stored is curated again: a set never mixes rows of two recipes. What whole steps must
    know of earlier records lies in `workspace`, and is made anew where it is missing. `engine` opens one,
    with `opener` for its processes, for more than `FEW` records.
    """
    state = workspace / recipe
    records = took if in_step(workspace, recipe, took) else given.all(Record)
    if not records:
        return
    begin(workspace, recipe, took)
    before = {row.id: row for row in given.all(Row) if row.recipe == recipe}
    few = len(records) <= FEW
    given_away: Counter[str] = Counter()
    with (
        nullcontext(Inline()) if few else engine() as where,
        curate(
            _shards(records),
            (lambda: [step_of(plugin) for plugin in plugins]) if few else opener,
            recipe=recipe,
            engine=where,
            work=workspace / "work",
            state=state,
        ) as result,
    ):
        for table in map(without_purpose, result.tables()):
            yield from (Drop(reason) for reason in table["drop"].to_pylist() if reason)
            given_away.update(report([table]))
            for row in _rows(table, recipe):
                if row.id not in before:
                    before[row.id] = row
                    yield row
        yield from readings(result.stats, given_away)
    tidy(workspace, recipe)
    stand = {row.id: row for row in _standing(list(before.values()), state)}
    yield from (row for row in stand.values() if row.id not in before)
    yield from freeze(list(stand.values()), given.all(Dataset), recipe, kinds)


def _standing(rows: Sequence[Row], state: Path) -> Iterator[Row]:
    """The rows as the whole steps see them now: some gave way to a better copy, or changed their role."""
    marks = recall(state, [seen_as(row) for row in rows])
    for row, mark in zip(rows, marks.to_pylist(), strict=True):
        if mark["drop"] is None:
            now = {name: mark[name] for name in ("role", "weight") if mark[name] is not None}
            if is_item(row) or (row.role == "preference" and now.get("role") == "train"):
                now.pop("role", None)
            same = all(getattr(row, name) == value for name, value in now.items())
            yield row if same else changed(row, **now, parents=row.parents)


def _shards(records: Sequence[Record]) -> list[Held]:
    parts = [records[start : start + AT_ONCE] for start in range(0, len(records), AT_ONCE)]
    return [Held(pa.Table.from_batches([to_batch(part, Record)])) for part in parts]


def _rows(table: pa.Table, recipe: str) -> list[Row]:
    going = table.filter(kept(table))
    return from_table(fold(going.append_column("recipe", pa.repeat(recipe, going.num_rows))), Row)


def seen_as(row: Row) -> str:
    """The id under which the steps saw a row: its record's, or that of the part of it that `chunk` cut."""
    record, part = row.parents[0], row.meta.get("part")
    return content_id(record, part) if part else record
