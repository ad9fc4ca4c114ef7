"""keeps all of these, and forgets a person on request.

SQLite (or PostgreSQL, for several gateways) takes what is written while serving, Delta Lake keeps what is
studied, media lie as sha256 objects.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import subject_key
from openflywheel.base.nouns import KINDS, Arrow, Call, Noun, Signal, table_of
from openflywheel.store import passage as passages
from openflywheel.store.backend import Durability
from openflywheel.store.database import choose
from openflywheel.store.experts import Experts
from openflywheel.store.group_commit import Statement
from openflywheel.store.inbox import Inbox
from openflywheel.store.journal import Journal, decoder_of
from openflywheel.store.lease import lease
from openflywheel.store.objects import Objects
from openflywheel.store.passage import Given, Passage
from openflywheel.store.thinning import CURSOR, thin, thinned
from openflywheel.store.vault import Vault

if TYPE_CHECKING:
    import pyarrow as pa

    from openflywheel.base.settings import Settings
    from openflywheel.store.lake import Lake

__all__ = ["Given", "Passage", "Store"]

N = TypeVar("N", bound=Noun)

KEEP_BODIES = 50_000  # newest journal rows whose bodies stay for quick look-ups (about 50 MB)
FLUSH_ROWS, FLUSH_BYTES = 5_000, 16_000_000  # most of one Delta commit: bounds the flusher's memory


class Store:
    """Everything that the wheel knows, under one folder; the journal, if there is a `database`, in that.

    `name` keeps apart the wheels that share a database; `unmarked` is the share of unmarked calls that stay
    whole (see `thin`). Safe to share between threads. Raises StoreError
    when the folder or the database can't be used, MissingExtra when the database's driver is not installed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        database: str | None = None,
        name: str = "",
        durability: Durability = "disk",
        unmarked: float = 1.0,
    ) -> None:
        if "://" in str(path):
            raise StoreError(
                f"store {str(path)!r}: this release keeps its store in a local folder; write a path"
            )
        self.path = Path(path)
        self.artefacts = self.path / "models"
        try:
            self.artefacts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"store {str(path)!r} cannot be made: {error}") from error
        backend = choose(self.path, database, name, durability)
        self.journal = Journal(backend)
        self.objects = Objects(self.path / "objects")
        self.experts = Experts(self.journal)
        self.inbox = Inbox(self.journal)
        self._secret, self._shared = backend.secret(), backend.shared
        self.vault = Vault(self.path / "vault.db", self._secret)
        self._unmarked = unmarked
        self._open = True

    @classmethod
    def of(cls, settings: "Settings", durability: Durability = "disk") -> Self:
        """The store that a settings file names. Raises as the class does."""
        return cls(
            settings.store,
            database=settings.database,
            name=settings.name,
            durability=durability,
            unmarked=settings.wheel.keep.unmarked,
        )

    @cached_property
    def lake(self) -> "Lake":
        """The Delta tables; Arrow and Delta are loaded when they are asked for the first time."""
        lake: Lake = import_module("openflywheel.store.lake").Lake(self.path / "lake")
        return lake

    def _lake(self) -> "Lake":
        return self.lake

    def append(self, nouns: Sequence[Noun], statements: Sequence[Statement] = ()) -> None:
        """Keep nouns; returns once they are on disk. A noun that is here already is not doubled."""
        self.journal.write(nouns, statements)

    @contextmanager
    def passage(self, room: str, arrow: Arrow, name: str) -> Iterator[Passage]:
        """Lend a room what is new for it; what it puts on the tray is kept only if the block ends well.

        `name` is unique to this passage: one that was kept already is not kept again.
        """
        opened = passages.begin(self.journal, self._lake, room, arrow, name)
        yield opened
        if not opened.done:
            passages.commit(self.journal, opened)

    def look(self, room: str, arrow: Arrow) -> Passage:
        """What a room would be lent now; whatever becomes of it, nothing is kept."""
        return passages.begin(self.journal, self._lake, room, arrow, "")

    def all(self, kind: type[N]) -> list[N]:
        """Every noun of a kind, oldest first."""
        return passages.read_all(self.journal, self._lake, kind, self.journal.last())

    def get(self, kind: type[N], ids: Sequence[str]) -> dict[str, N]:
        """id -> noun, for those that exist."""
        return passages.look_up(self.journal, self._lake, kind, ids)

    def newest(self, kind: type[N], limit: int) -> list[N]:
        """The newest nouns of a kind, at most `limit`, oldest first."""
        sql = "SELECT id FROM journal WHERE kind = ? ORDER BY seq DESC LIMIT ?"
        found = self.journal.rows(sql, (table_of(kind), limit))
        return list(self.get(kind, [id for (id,) in reversed(found)]).values())

    def heard(self, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
        """exchange -> its signals, oldest first."""
        return passages.signals_about(self.journal, self._lake, exchanges)

    def mark(self) -> int:
        """A place in the journal, for `since`."""
        return self.journal.last()

    def since(self, kind: type[N], mark: int) -> list[N]:
        """Nouns of a kind that came after a mark of this session, oldest first."""
        return self.journal.between(kind, mark, self.journal.last())

    def counts(self) -> dict[str, int]:
        """Table -> number of rows."""
        found = dict(self.journal.rows("SELECT kind, count(*) FROM journal GROUP BY kind"))
        return {table_of(kind): int(found.get(table_of(kind), 0)) for kind in KINDS}

    def waiting(self, room: str, kind: type[Noun]) -> int:
        """How many nouns of a kind came since the room's last passage."""
        sql = (
            "SELECT count(*) FROM journal WHERE kind = ? AND seq > "
            "coalesce((SELECT seq FROM cursors WHERE room = ?), 0)"
        )
        return int(self.journal.rows(sql, (table_of(kind), room))[0][0])

    def last_turn(self) -> int:
        """Number of the newest turn of which a Step is kept; -1 before the first."""
        sql = (
            "SELECT max(id) FROM journal WHERE kind = 'step' AND id LIKE '______-%' "
            "AND ltrim(substr(id, 1, 6), '0123456789') = ''"
        )
        newest = self.journal.rows(sql)[0][0]
        return int(newest.partition("-")[0]) if newest else -1

    def key_of(self, person: str) -> str:
        """Opaque key under which a person's rows stand; empty for nobody."""
        return subject_key(person, self._secret) if person else ""

    def naming(self) -> Callable[[str], str]:
        """The same, to be sent to other processes of the wheel."""
        return partial(subject_key, secret=self._secret)

    def flush(self) -> int:
        """Bring the lake up to the journal; returns the number of rows moved. Repeating it is harmless."""
        with lease(self.path / "flush.lock", "the flusher", wait=True):
            return sum(self._flush(kind) for kind in KINDS)

    def _flush(self, kind: type[Noun]) -> int:
        newest = self._ripe(kind)
        if not newest:
            return 0
        done, moved, decode = self.lake.flushed(kind), 0, decoder_of(kind).decode
        sql = "SELECT seq, body FROM journal WHERE kind = ? AND seq > ? AND seq <= ? ORDER BY seq"
        while done < newest:  # what comes meanwhile is for the next flush: else a busy journal keeps us here
            rows = self.journal.rows(sql, (table_of(kind), done, min(newest, self._portion(kind, done))))
            self.lake.append(kind, [seq for seq, _ in rows], [decode(body) for _, body in rows])
            done, moved = rows[-1][0], moved + len(rows)
        return moved

    def _ripe(self, kind: type[Noun]) -> int:
        """Last journal number of a kind that may go to the lake: calls wait until they are thinned."""
        edge = thinned(self.journal) if kind is Call and self._unmarked < 1 else sys.maxsize
        sql = "SELECT max(seq) FROM journal WHERE kind = ? AND seq <= ?"
        return int(self.journal.rows(sql, (table_of(kind), edge))[0][0] or 0)

    def _portion(self, kind: type[Noun], after: int) -> int:
        """Last journal number of the next Delta commit: so many rows, or the row that fills so many bytes."""
        sql = "SELECT seq, length(body) FROM journal WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?"
        rows = self.journal.rows(sql, (table_of(kind), after, FLUSH_ROWS))
        filled = accumulate(size or 0 for _, size in rows)
        full = next((place for place, size in enumerate(filled) if size >= FLUSH_BYTES), len(rows) - 1)
        return int(rows[full][0])

    def thin(self, room: str, marks: Collection[str]) -> int:
        """Take the bytes of calls that nothing marks as worth keeping whole, as far as `room` has looked.

        All but the share `unmarked`, which is all by default; returns of how many.
        """
        if self._unmarked >= 1:
            return 0
        found = self.journal.rows("SELECT seq FROM cursors WHERE room = ?", (room,))
        return thin(self.journal, int(found[0][0]), marks, self._unmarked) if found else 0

    def trim(self, rooms: Sequence[str], keep: int = KEEP_BODIES) -> None:
        """Empty journal bodies that are in the lake and behind all the rooms, except the newest `keep`.

        A shared journal keeps them: other machines fill lakes of their own from it.
        """
        last = self.journal.last()  # before the flush: what comes meanwhile is not in the lake yet
        self.flush()
        if self._shared:
            return
        cursors = dict(self.journal.rows("SELECT room, seq FROM cursors"))
        behind = [*rooms, *([CURSOR] if self._unmarked < 1 else [])]
        edge = min([last, self.journal.last() - keep, *(int(cursors.get(room, 0)) for room in behind)])
        if edge > 0:
            self.journal.write(
                [], [("UPDATE journal SET body = NULL WHERE seq <= ? AND body IS NOT NULL", (edge,))]
            )

    def table(self, kind: type[Noun], columns: list[str] | None = None) -> "pa.Table":
        """A noun's table as Arrow, complete up to now."""
        self.flush()
        return self.lake.read(kind, columns)

    def close(self) -> None:
        """Bring the lake up to date and let go of the files. Calling it twice is harmless."""
        if self._open:
            self._open = False
            try:
                self.flush()
            finally:
                self.journal.close()
