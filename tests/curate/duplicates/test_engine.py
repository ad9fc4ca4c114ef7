"""The duplicates' steps in the engine: what they decide in memory, in whatever pieces the rows come."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Record
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.shard import Held
from openflywheel.curate._engine.step import Step
from openflywheel.curate._whole import WIDEST, settled
from openflywheel.curate.dedupe import dedupe
from openflywheel.curate.near_duplicates import near_duplicates
from openflywheel.curate.semantic_duplicates import semantic_duplicates

Marks = dict[str, tuple[str | None, str | None]]


def steps() -> Sequence[Step]:
    return [
        Step("dedupe", dedupe()),
        Step("near_duplicates", near_duplicates(similarity=0.5, shingle=2)),
        Step("semantic_duplicates", semantic_duplicates(encoder=NgramEncoder(), similarity=0.6)),
    ]


def rows(seed: int, count: int) -> list[Record]:
    """Few words, so that many texts are near each other; the ids are their own."""
    chance = Random(seed)
    texts = [" ".join(chance.choices(["ape", "Bee", "cow"], k=chance.randrange(6))) for _ in range(count)]
    return [
        Record(id=f"{n:032x}", text=text, source="test", at=float(chance.randrange(4)))
        for n, text in enumerate(texts)
    ]


def table_of(some: list[Record]) -> pa.Table:
    return pa.Table.from_batches([to_batch(some, Record)])


def marks(table: pa.Table) -> Marks:
    of = table["meta.duplicate_of"].to_pylist()
    return dict(zip(table["id"].to_pylist(), zip(table["drop"].to_pylist(), of, strict=True), strict=True))


def in_memory(some: list[Record]) -> Marks:
    table = table_of(some).append_column("drop", pa.nulls(len(some), pa.string()))
    for step in steps():
        table = settled(step.does, table)  # type: ignore[arg-type]
    return marks(table)


def in_pieces(some: list[Record], bounds: Sequence[int], folder: Path) -> Marks:
    """Each piece a run of its own, which knows the earlier ones by their sketches alone."""
    found: Marks = {}
    for first, last in pairwise(bounds):
        shards = [Held(table_of(some[first:last]))]
        with curate(
            shards, steps, recipe="duplicates", engine=Inline(), work=folder, state=folder / "state"
        ) as result:
            found |= marks(result.changed) if result.changed.num_rows else {}
            for table in result.tables():
                found |= marks(table)
    return found


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**20), st.integers(1, WIDEST), st.sets(st.integers(1, WIDEST - 1), max_size=3))
def test_pieces_after_one_another_are_decided_as_all_at_once(seed: int, count: int, cuts: set[int]) -> None:
    some = rows(seed, count)
    bounds = [0, *sorted(cut for cut in cuts if cut < count), count]
    with TemporaryDirectory() as folder:
        assert in_pieces(some, bounds, Path(folder)) == in_memory(some)
