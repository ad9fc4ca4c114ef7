"""One room's way through the store: what is new for it, a tray for what it makes, all or nothing.

What the room gives, its Step, its cursor and its plugins' state are kept in one transaction. A passage
that crashed leaves nothing; one that is repeated under the same name is skipped.
"""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from openflywheel.base.errors import HoldoutRefused
from openflywheel.base.nouns import Arrow, Dataset, Noun, Row, Signal
from openflywheel.store.journal import Journal, Statement
from openflywheel.store.lake import Lake

N = TypeVar("N", bound=Noun)


class Given:
    """What a room may look at: nouns of the kinds that its arrow declares, as they stood when it began."""

    def __init__(
        self, journal: Journal, lake: Lake, arrow: Arrow, span: tuple[int, int], reader: str
    ) -> None:
        self._journal, self._lake, self._span, self._reader = journal, lake, span, reader
        self._allowed = {arrow.takes, arrow.gives, *arrow.given}

    def new(self, kind: type[N]) -> list[N]:
        """Nouns of a kind that came since the room's last passage, oldest first."""
        return self._journal.between(self._check(kind), *self._span)

    def all(self, kind: type[N]) -> list[N]:
        """Every noun of a kind, oldest first."""
        return read_all(self._journal, self._lake, self._check(kind), self._span[1])

    def get(self, kind: type[N], ids: Sequence[str]) -> dict[str, N]:
        """id -> noun, for those that exist."""
        return look_up(self._journal, self._lake, self._check(kind), ids)

    def heard(self, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
        """exchange -> its signals, oldest first."""
        return signals_about(self._journal, self._lake, exchanges)

    def rows(self, dataset: Dataset) -> list[Row]:
        """Rows of a dataset. Raises HoldoutRefused when `customize` asks for held-out ones."""
        if self._reader == "customize" and dataset.role == "holdout":
            raise HoldoutRefused(f"dataset {dataset.id} is a holdout: customize may never read it")
        found = self.get(Row, dataset.rows)
        held = [r.id for r in found.values() if r.role == "holdout"]
        if held and self._reader == "customize":
            raise HoldoutRefused(
                f"dataset {dataset.id} holds {len(held)} held-out rows, the first is {held[0]}"
            )
        return [found[i] for i in dataset.rows]

    def _check(self, kind: type[N]) -> type[N]:
        if kind not in self._allowed:
            names = ", ".join(sorted(k.__name__ for k in self._allowed))
            raise PermissionError(
                f"{self._reader} may look at {names}; its arrow does not name {kind.__name__}"
            )
        return kind


class Passage(Struct):
    """What `store.passage` lends to a room: `took`, a `tray` to fill, `state` of its plugins, and a look around.

    `done`: the room's last passage had this name already. `keep` = False leaves nothing of the passage.
    """

    room: str
    name: str
    seq: int
    given: Given
    done: bool
    keep: bool = True
    took: list[Any] = field(default_factory=list)
    tray: list[Noun] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)


def begin(journal: Journal, lake: Lake, room: str, arrow: Arrow, name: str) -> Passage:
    """Open a passage; `done` says that this one has been committed already."""
    found = journal.rows("SELECT seq, passage, state FROM cursors WHERE room = ?", (room,))
    after, last, state = found[0] if found else (0, "", "{}")
    end = journal.last()
    given = Given(journal, lake, arrow, (after, end), room)
    took = given.new(arrow.takes)
    return Passage(room, name, end, given, done=last == name, took=took, state=json.loads(state))


def commit(journal: Journal, passage: Passage) -> None:
    """Keep the tray, the cursor and the state together."""
    cursor: Statement = (
        "INSERT INTO cursors(room, seq, passage, state) VALUES (?, ?, ?, ?) ON CONFLICT(room) DO UPDATE SET "
        "seq = excluded.seq, passage = excluded.passage, state = excluded.state",
        (passage.room, passage.seq, passage.name, json.dumps(passage.state)),
    )
    journal.write(passage.tray, [cursor])


def read_all(journal: Journal, lake: Lake, kind: type[N], upto: int) -> list[N]:
    """Every noun of a kind up to a journal number: old ones from the lake, the rest from the journal."""
    from openflywheel.base.instruments.columns import from_table  # noqa: PLC0415  pyarrow only when needed

    trimmed = journal.rows(
        "SELECT max(seq) FROM journal WHERE kind = ? AND body IS NULL", (kind.__name__.lower(),)
    )[0][0]
    if trimmed is None:
        return journal.between(kind, 0, upto)
    table = lake.read(kind)
    old = table.filter(table["seq"].to_numpy() <= trimmed)
    return [*from_table(old, kind), *journal.between(kind, trimmed, upto)]


def look_up(journal: Journal, lake: Lake, kind: type[N], ids: Sequence[str]) -> dict[str, N]:
    """id -> noun for those that exist, from the journal or, when trimmed there, from the lake."""
    from openflywheel.base.instruments.columns import from_table  # noqa: PLC0415

    decoder = msgspec.msgpack.Decoder(kind)
    found = journal.find(kind, list(dict.fromkeys(ids)))
    out = {i: decoder.decode(body) for i, (_, body) in found.items() if body is not None}
    moved = [seq for seq, body in found.values() if body is None]
    if moved:
        out |= {noun.id: noun for noun in from_table(lake.read(kind, seqs=moved), kind)}
    return out


def signals_about(journal: Journal, lake: Lake, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
    """exchange -> its signals, oldest first."""
    out: dict[str, list[Signal]] = {}
    for start in range(0, len(exchanges), 900):
        part = exchanges[start : start + 900]
        marks = ",".join("?" * len(part))
        sql = (
            "SELECT journal.id FROM heard JOIN journal USING (seq) "
            f"WHERE heard.exchange IN ({marks}) ORDER BY heard.seq"
        )
        ids = [i for (i,) in journal.rows(sql, part)]
        found = look_up(journal, lake, Signal, ids)
        for id in ids:
            out.setdefault(found[id].exchange, []).append(found[id])
    return out
