"""Small steps for the engine's tests, and rows for them."""

import os
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from openflywheel.base.ids import content_id
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import kept, mark_drops, with_meta, with_text
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.ids import hashed
from openflywheel.curate._engine.result import Result
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.shard import Held
from openflywheel.curate._engine.step import Step
from openflywheel.curate._whole import Whole, settled


def table_of(texts: Sequence[str], first: int = 0) -> pa.Table:
    """Records with these texts; their ids say at which place they stand."""
    names = [content_id("row", str(first + n)) for n in range(len(texts))]
    records = [Record(id=i, at=1.0, text=t, source="test") for i, t in zip(names, texts, strict=True)]
    return pa.Table.from_batches([to_batch(records, Record)])


def shards_of(table: pa.Table, size: int) -> list[Held]:
    return [Held(table.slice(start, size)) for start in range(0, table.num_rows, size)]


WORDS = ["a", "bb", "ccc", "dd", "e", "F"]


def written(seed: int, rows: int, words: int) -> pa.Table:
    """Rows of few words, so that keys meet, some of them those of very many rows."""
    chance = Random(seed)
    texts = [" ".join(chance.choices(WORDS[:words], k=chance.randrange(5))) for _ in range(rows)]
    return table_of(texts, seed)


# ---- batch steps


def lower(batch: pa.Table) -> pa.Table:
    return with_text(batch, pc.utf8_lower(batch["text"]))


def short(batch: pa.Table, *, least: int = 3) -> pa.Table:
    return mark_drops(batch, pc.less(pc.utf8_length(batch["text"]), least), "short: too few characters")


def sized(batch: pa.Table) -> pa.Table:
    return with_meta(batch, "size", pc.utf8_length(batch["text"]))


def halves(batch: pa.Table) -> pa.Table:
    """Each going row becomes two."""
    going = kept(batch).to_numpy()
    at = np.repeat(np.arange(batch.num_rows), np.where(going, 2, 1))
    number = np.arange(len(at)) - np.searchsorted(at, at)
    out = batch.take(at)
    ids = [
        content_id(i, str(n)) if g else i
        for i, n, g in zip(out["id"].to_pylist(), number, going[at], strict=True)
    ]
    texts = [t[n::2] if g else t for t, n, g in zip(out["text"].to_pylist(), number, going[at], strict=True)]
    parents = [
        [i] if g else p
        for i, p, g in zip(out["id"].to_pylist(), out["parents"].to_pylist(), going[at], strict=True)
    ]
    for name, values in (("id", ids), ("text", texts), ("parents", parents)):
        index = out.schema.get_field_index(name)
        out = out.set_column(index, out.schema.field(index), pa.array(values, out.schema.field(index).type))
    return out


def losing(batch: pa.Table) -> pa.Table:
    return batch.slice(1)


def narrow(batch: pa.Table) -> pa.Table:
    return batch.select(["id", "text", "drop"])


def raising(batch: pa.Table) -> pa.Table:
    raise ZeroDivisionError("no such number")


def killing(batch: pa.Table, *, word: str, once: str = "") -> pa.Table:
    """Kills its process at a text; only once if it may leave the file `once`."""
    if word in batch["text"].to_pylist() and not (once and Path(once).exists()):
        if once:
            Path(once).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return batch


def counting(batch: pa.Table, *, folder: str) -> pa.Table:
    """Leaves a file for each row that it sees."""
    for name in batch["id"].to_pylist():
        with (Path(folder) / name).open("a") as file:
            file.write("x")
    return batch


# ---- whole steps


def hash_of(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big")


def word_keys(texts: Sequence[str]) -> pa.Array:
    return pa.array([[hash_of(w) for w in t.split()] for t in texts], pa.list_(pa.uint64()))


def sketch_words(batch: pa.Table) -> pa.Table:
    texts = batch["text"].to_pylist()
    return pa.table({"id": batch["id"], "keys": word_keys(texts), "words": batch["text"]})


def sketch_text(batch: pa.Table) -> pa.Table:
    keys = [[len(t) % 5] for t in batch["text"].to_pylist()]
    return pa.table(
        {"id": batch["id"], "keys": pa.array(keys, pa.list_(pa.uint64())), "words": batch["text"]}
    )


def similar(left: pa.Table, right: pa.Table, *, least: float = 0.6) -> np.ndarray:
    pairs = zip(left["words"].to_pylist(), right["words"].to_pylist(), strict=True)
    return np.array([_jaccard(set(a.split()), set(b.split())) >= least for a, b in pairs], bool)


def _jaccard(left: set[str], right: set[str]) -> float:
    return len(left & right) / max(1, len(left | right))


def roots(count: int, pairs: np.ndarray) -> list[int]:
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    for a, b in pairs.tolist():
        parent[root(b)] = root(a)
    return [root(row) for row in range(count)]


def settle_groups(sketches: pa.Table, pairs: np.ndarray, *, reason: str) -> pa.Table:
    """Of each group the row with the lowest id stays; every row of a group learns its name."""
    ids, group = sketches["id"].to_pylist(), roots(sketches.num_rows, pairs)
    best: dict[int, str] = {}
    for name, root in zip(ids, group, strict=True):
        best[root] = min(best.get(root, name), name)
    many = {root for root in best if group.count(root) > 1} if len(group) < 400 else set(best)
    rows = [n for n, root in enumerate(group) if root in many]
    drops = [None if best[group[n]] == ids[n] else reason for n in rows]
    return pa.table({
        "row": pa.array(rows, pa.int64()),
        "drop": pa.array(drops, pa.string()),
        "meta.group": pa.array([best[group[n]] for n in rows], pa.string()),
    })  # fmt: skip


def settle_pairs(sketches: pa.Table, pairs: np.ndarray) -> pa.Table:
    """Each row learns how many pairs it has: shows every single one."""
    count = np.bincount(pairs.ravel(), minlength=sketches.num_rows)
    return pa.table({"row": np.arange(len(count)), "meta.pairs": pa.array([str(n) for n in count])})


def sketch_group(batch: pa.Table) -> pa.Table:
    """Passes on the group that a whole step before may have given."""
    group = batch["meta.group"] if "meta.group" in batch.column_names else pa.nulls(len(batch), pa.string())
    empty = pa.array([[]] * len(batch), pa.list_(pa.uint64()))
    return pa.table({"id": batch["id"], "keys": empty, "meta.group": group})


def settle_role(sketches: pa.Table, pairs: np.ndarray) -> pa.Table:
    groups = pc.fill_null(sketches["meta.group"], "alone").to_pylist()
    roles = ["holdout" if hash_of(g) % 3 == 0 else "train" for g in groups]
    return pa.table({"row": np.arange(len(roles)), "role": roles})


def same(*, reason: str = "same: a copy") -> Whole:
    return Whole(sketch=sketch_text_exact, settle=partial(settle_groups, reason=reason))


def sketch_text_exact(batch: pa.Table) -> pa.Table:
    keys = [[hash_of(t)] for t in batch["text"].to_pylist()]
    return pa.table({"id": batch["id"], "keys": pa.array(keys, pa.list_(pa.uint64()))})


def alike() -> Whole:
    return Whole(
        sketch=sketch_words, check=similar, settle=partial(settle_groups, reason="alike: like another"),
        heavy=("words",),
    )  # fmt: skip


def paired() -> Whole:
    """Keys that many rows have, and small ones."""
    return Whole(sketch=partial(sketch_crowd, ways=5), check=similar, settle=settle_pairs, heavy=("words",))


def sketch_crowd(batch: pa.Table, *, ways: int) -> pa.Table:
    """A few keys for all: by the number of characters."""
    keys = [[len(t) % ways] for t in batch["text"].to_pylist()]
    return pa.table(
        {"id": batch["id"], "keys": pa.array(keys, pa.list_(pa.uint64())), "words": batch["text"]}
    )


def sketch_rival(batch: pa.Table) -> pa.Table:
    keys = [[hash_of(t) % 120] for t in batch["text"].to_pylist()]
    return pa.table({"id": batch["id"], "keys": pa.array(keys, pa.list_(pa.uint64()))})


def crowd() -> Whole:
    """Keys of so many rows that not all of them are compared."""
    return Whole(sketch=partial(sketch_crowd, ways=2), check=similar, settle=settle_pairs, heavy=("words",))


def rival() -> Whole:
    """Drops rows for others of quite another text."""
    return Whole(sketch=sketch_rival, settle=partial(settle_groups, reason="rival: another"))


def roles() -> Whole:
    return Whole(sketch=sketch_group, settle=settle_role)


# ---- openers


STEPS = {
    "lower": lower, "short": short, "sized": sized, "halves": halves, "losing": losing, "narrow": narrow,
    "raising": raising, "killing": killing, "counting": counting, "same": same(), "alike": alike(),
    "paired": paired(), "roles": roles(), "crowd": crowd(), "rival": rival(),
}  # fmt: skip


def opened(*names: str | tuple[str, dict[str, str]]) -> list[Step]:
    """Steps by name, or by name and settings."""
    pairs = [(name, {}) if isinstance(name, str) else name for name in names]
    return [Step(name, partial(STEPS[name], **given) if given else STEPS[name]) for name, given in pairs]


# ---- what is expected


def in_memory(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """The same steps on all rows at once."""
    out = table.append_column("drop", pa.nulls(table.num_rows, pa.string()))
    out = out.append_column("origin", pa.array(np.arange(out.num_rows), pa.uint64()))
    for name in names:
        step = STEPS[name]
        out = by_hash(step, out) if isinstance(step, Whole) else step(out)
    return out.drop_columns("origin")


def by_hash(whole: Whole, table: pa.Table) -> pa.Table:
    """`settled`; of a key with very many rows it pairs them in the order in which the engine does."""
    order = np.argsort(hashed(table["id"]))
    return settled(whole, table.take(order)).take(np.argsort(order))


def marks(tables: Iterator[pa.Table] | Sequence[pa.Table]) -> dict[str, dict[str, object]]:
    """id -> all that steps may change, of every row."""
    out: dict[str, dict[str, object]] = {}
    for table in tables:
        names = [
            n for n in table.column_names if n in ("text", "drop", "role", "weight") or n.startswith("meta.")
        ]
        for name, row in zip(table["id"].to_pylist(), table.select(names).to_pylist(), strict=True):
            out[name] = {key: value for key, value in row.items() if value is not None}
    return out


def marks_of(result: Result) -> dict[str, dict[str, object]]:
    with result:
        return marks(result.tables())


class Reading(Struct, frozen=True):
    """A shard that cannot be read."""

    name: str = "broken"
    rows: int | None = None

    def read(self) -> Iterator[pa.Table]:
        raise OSError("the disk is gone")
        yield pa.table({})


# ---- running them

MANY = ("lower", "short", "same", "alike", "roles")
RECIPES = (
    ("same",),
    ("alike",),
    ("paired",),
    ("same", "paired"),
    ("rival", "crowd"),
    ("lower", "short", "same", "alike", "roles"),
    ("same", "halves", "alike", "sized"),
    ("same", "halves", "paired", "lower", "alike"),
    ("lower", "sized"),
)


def run(
    shards: Sequence[object], names: Sequence[object], work: Path, state: Path | None = None, **more: object
) -> Result:
    opener = partial(opened, *names)
    settings = {"engine": Inline(), "recipe": "-".join(map(str, names))} | more
    return curate(shards, opener, work=work, state=state, **settings)  # type: ignore[arg-type]


def lay_over(found: dict[str, dict[str, object]], result: Result) -> bool:
    """What a store does that is told of new rows and of changed ones; whether one came back.

    Later steps have not seen that one yet: it has to be given again.
    """
    back = False
    for row in result.changed.to_pylist():
        old = found[row.pop("id")]
        back |= row["drop"] is None and old.get("drop") is not None
        old.update(row)
    found.update(marks(result.tables()))
    return back


def in_pieces(
    table: pa.Table, bounds: Sequence[int], size: int, names: Sequence[object], work: Path
) -> dict[str, dict[str, object]]:
    """The rows after runs of one piece after another, on one state."""
    found: dict[str, dict[str, object]] = {}
    for start, end in pairwise(bounds):
        back, piece = True, table.slice(start, end - start)
        while back:
            with run(shards_of(piece, size), names, work, work / "state") as result:
                back, piece = lay_over(found, result), table.slice(0, end)
    return found


def going(found: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The rows that go on; what else is said of dropped ones does not matter."""
    rows = {name: {k: v for k, v in row.items() if v is not None} for name, row in found.items()}
    return {name: row for name, row in rows.items() if "drop" not in row}
