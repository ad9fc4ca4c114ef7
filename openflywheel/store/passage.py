"""One room's way through the store: what is new for it, a tray for what it makes, all or nothing.

What the room gives, its Step, its cursor and its plugins' state are kept in one transaction. A passage
that crashed leaves nothing; one that is repeated under the same name is skipped.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field

from openflywheel.base.errors import HoldoutRefused, StoreError
from openflywheel.base.ids import first_id
from openflywheel.base.nouns import Arrow, Dataset, Noun, Row, Signal, table_of
from openflywheel.store.group_commit import Statement
from openflywheel.store.journal import MAX_VARIABLES, Journal, decoder_of, name_key

if TYPE_CHECKING:  # Arrow and Delta take 60 MB: who only writes, as the gateway does, never loads them
    from openflywheel.store.lake import Lake

    Lazy = Callable[[], Lake]

N = TypeVar("N", bound=Noun)

NAMED = 200  # nouns of one name that a room is shown: a client may call everything one episode


class Given:
    """What a room may look at: nouns of the kinds that its arrow declares, as they stood when it began."""

    def __init__(
        self, journal: Journal, lake: "Lazy", arrow: Arrow, span: tuple[int, int], reader: str
    ) -> None:
        self._journal, self._lake, self._span, self._reader = journal, lake, span, reader
        self._allowed = {arrow.takes, arrow.gives, *arrow.given}

    def new(self, kind: type[N]) -> list[N]:
        """Nouns of a kind that came since the room's last passage, oldest first."""
        after, upto = self._span
        return self._let(read_all(self._journal, self._lake, self._check(kind), upto, after))

    def all(self, kind: type[N]) -> list[N]:
        """Every noun of a kind, oldest first."""
        return self._let(read_all(self._journal, self._lake, self._check(kind), self._span[1]))

    def get(self, kind: type[N], ids: Sequence[str]) -> dict[str, N]:
        """id -> noun, for those that exist."""
        found = look_up(self._journal, self._lake, self._check(kind), ids, self._span[1])
        self._let(found.values())
        return found

    def newest(self, kind: type[N], limit: int) -> list[N]:
        """The newest nouns of a kind, at most `limit`, oldest first."""
        sql = "SELECT id FROM journal WHERE kind = ? AND seq <= ? ORDER BY seq DESC LIMIT ?"
        found = self._journal.rows(sql, (table_of(kind), self._span[1], limit))
        return list(self.get(kind, [id for (id,) in reversed(found)]).values())

    def between(self, kind: type[N], start: float, end: float) -> list[N]:
        """Events of a kind with start <= at < end (Unix seconds, to the millisecond), oldest first."""
        sql = "SELECT id FROM journal WHERE kind = ? AND id >= ? AND id < ? ORDER BY id"
        found = self._journal.rows(sql, (table_of(kind), first_id(start), first_id(end)))
        return list(self.get(kind, [id for (id,) in found]).values())

    def named(self, kind: type[N], names: Sequence[str]) -> dict[str, list[N]]:
        """name -> the newest `NAMED` nouns of a kind that go by it, oldest first."""
        found = named(self._journal, self._check(kind), names, self._span[1])
        nouns = self.get(kind, [id for _, id in found])
        out: dict[str, list[N]] = {}
        for name, id in found:
            out.setdefault(name, []).append(nouns[id])
        return out

    def heard(self, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
        """exchange, or episode -> the signals about it, oldest first."""
        self._check(Signal)
        return signals_about(self._journal, self._lake, exchanges, self._span[1])

    def rows(self, dataset: Dataset) -> list[Row]:
        """Rows of a dataset. Raises HoldoutRefused when `customize` asks for held-out ones."""
        if self._reader == "customize" and dataset.role == "holdout":
            raise HoldoutRefused(f"dataset {dataset.id} is a holdout: customize may never read it")
        found = self.get(Row, dataset.rows)
        if lost := set(dataset.rows) - found.keys():
            raise StoreError(f"dataset {dataset.id} lacks {len(lost)} of its rows, among them {min(lost)}")
        return [found[i] for i in dataset.rows]

    def _let(self, nouns: Iterable[N]) -> list[N]:
        """The nouns, unless `customize` would see held-out rows among them."""
        seen = list(nouns)
        held = [n.id for n in seen if isinstance(n, Row) and n.role == "holdout"]
        if held and self._reader == "customize":
            raise HoldoutRefused(f"{len(held)} of these rows are held out, the first is {held[0]}")
        return seen

    def _check(self, kind: type[N]) -> type[N]:
        if kind not in self._allowed:
            names = ", ".join(sorted(k.__name__ for k in self._allowed))
            raise PermissionError(
                f"{self._reader} may look at {names}; its arrow does not name {kind.__name__}"
            )
        return kind


class Passage(Struct):
    """What `store.passage` lends a room: `took`, a `tray` to fill, its plugins' `state`, a look around.

    `done`: the room's last passage had this name already.
    """

    room: str
    name: str
    seq: int
    given: Given
    done: bool
    took: list[Any] = field(default_factory=list)
    tray: list[Noun] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)


def begin(journal: Journal, lake: "Lazy", room: str, arrow: Arrow, name: str) -> Passage:
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


def read_all(journal: Journal, lake: "Lazy", kind: type[N], upto: int, after: int = 0) -> list[N]:
    """Nouns of a kind with after < seq <= upto, oldest first: trimmed ones from the lake."""
    here = journal.between(kind, after, upto)  # read first: what is trimmed meanwhile is in hand already
    edge = journal.find(kind, [here[0].id])[here[0].id][0] if here else upto + 1
    sql = "SELECT 1 FROM journal WHERE kind = ? AND seq > ? AND seq < ? LIMIT 1"
    if not journal.rows(sql, (table_of(kind), after, edge)):
        return here
    return [*lake().nouns(kind, span=(after, edge - 1)), *here]


def look_up(
    journal: Journal, lake: "Lazy", kind: type[N], ids: Sequence[str], upto: int = sys.maxsize
) -> dict[str, N]:
    """id -> noun for those that exist, as ordered; from the journal or, when trimmed there, from the lake."""
    wanted = list(dict.fromkeys(ids))
    found = journal.find(kind, wanted)
    known = {i: (seq, body) for i, (seq, body) in found.items() if seq <= upto}
    out = {i: decoder_of(kind).decode(body) for i, (_, body) in known.items() if body is not None}
    moved = [seq for seq, body in known.values() if body is None]
    if moved:
        out |= {noun.id: noun for noun in lake().nouns(kind, seqs=moved)}
    return {id: out[id] for id in wanted if id in out}


def named(journal: Journal, kind: type[Noun], names: Sequence[str], upto: float) -> list[tuple[str, str]]:
    """(name, id) of the newest `NAMED` nouns of a kind that go by each name, oldest first."""
    called, out = {name_key(name): name for name in names}, []
    wanted = list(called)
    for start in range(0, len(wanted), MAX_VARIABLES):
        part = wanted[start : start + MAX_VARIABLES]
        marks = ",".join("?" * len(part))
        sql = (
            "SELECT name, id FROM (SELECT named.name AS name, journal.id AS id, journal.seq AS seq, "  # noqa: S608
            "row_number() OVER (PARTITION BY named.name ORDER BY journal.seq DESC) AS place "
            "FROM named JOIN journal ON journal.seq = named.seq "
            f"WHERE named.kind = ? AND named.name IN ({marks}) AND journal.seq <= ?) AS found "
            "WHERE place <= ? ORDER BY seq"
        )
        out += journal.rows(sql, (table_of(kind), *part, upto, NAMED))
    return [(called[key], id) for key, id in out]


def signals_about(
    journal: Journal, lake: "Lazy", exchanges: Sequence[str], upto: int = sys.maxsize
) -> dict[str, list[Signal]]:
    """exchange (or episode) -> the signals about it, oldest first."""
    wanted = list(dict.fromkeys(exchanges))
    out: dict[str, list[Signal]] = {}
    for start in range(0, len(wanted), MAX_VARIABLES):
        part = wanted[start : start + MAX_VARIABLES]
        marks = ",".join("?" * len(part))
        sql = (
            "SELECT journal.id FROM named JOIN journal USING (seq) "  # noqa: S608
            f"WHERE named.kind = 'signal' AND named.name IN ({marks}) AND seq <= ? ORDER BY seq"
        )
        ids = [i for (i,) in journal.rows(sql, (*map(name_key, part), upto))]
        found = look_up(journal, lake, Signal, ids)
        for id in ids:
            out.setdefault(found[id].about, []).append(found[id])
    return out
