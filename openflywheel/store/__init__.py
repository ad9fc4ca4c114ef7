"""keeps all of these, and forgets a person on request.

SQLite takes what is written while serving, Delta Lake keeps what is studied, media lie as sha256 objects:
all under one folder.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import TypeVar

import msgspec
import pyarrow as pa

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import subject_key
from openflywheel.base.nouns import KINDS, Arrow, Noun, Signal, table_of
from openflywheel.store import passage as passages
from openflywheel.store.experts import Experts
from openflywheel.store.journal import Journal, Statement
from openflywheel.store.lake import Lake
from openflywheel.store.lease import lease
from openflywheel.store.objects import Objects
from openflywheel.store.passage import Given, Passage

__all__ = ["Given", "Passage", "Store"]

N = TypeVar("N", bound=Noun)

KEEP_BODIES = 50_000  # newest journal rows whose bodies stay for quick look-ups (about 50 MB)
FLUSH_ROWS = 5_000  # rows a Delta commit: bounds the flusher's memory


class Store:
    """Everything that the wheel knows, under one folder.

    Safe to share between threads. Raises StoreError when the folder can't be used.
    """

    def __init__(self, path: str | Path) -> None:
        if "://" in str(path):
            raise StoreError(
                f"store {str(path)!r}: this release keeps its store in a local folder; write a path"
            )
        self.path = Path(path)
        self.artefacts = self.path / "models"
        self.artefacts.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(self.path / "live.db")
        self.lake = Lake(self.path / "lake")
        self.objects = Objects(self.path / "objects")
        self.experts = Experts(self.journal)
        self._secret = _secret(self.path / "key")
        self._flushing = threading.Lock()

    def append(self, nouns: Sequence[Noun], statements: Sequence[Statement] = ()) -> None:
        """Keep nouns; returns once they are on disk. A noun that is here already is not doubled."""
        self.journal.write(nouns, statements)

    @contextmanager
    def passage(self, room: str, arrow: Arrow, name: str) -> Iterator[Passage]:
        """Lend a room what is new for it; what it puts on the tray is kept only if the block ends well.

        `name` is unique to this passage: one that was kept already is not kept again.
        """
        opened = passages.begin(self.journal, self.lake, room, arrow, name)
        yield opened
        if opened.keep and not opened.done:
            passages.commit(self.journal, opened)

    def all(self, kind: type[N]) -> list[N]:
        """Every noun of a kind, oldest first."""
        return passages.read_all(self.journal, self.lake, kind, self.journal.last())

    def get(self, kind: type[N], ids: Sequence[str]) -> dict[str, N]:
        """id -> noun, for those that exist."""
        return passages.look_up(self.journal, self.lake, kind, ids)

    def heard(self, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
        """exchange -> its signals, oldest first."""
        return passages.signals_about(self.journal, self.lake, exchanges)

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
        turns = "SELECT max(id) FROM journal WHERE kind = 'step' AND id GLOB '[0-9][0-9][0-9][0-9][0-9][0-9]-*'"
        newest = self.journal.rows(turns)[0][0]
        return int(newest.partition("-")[0]) if newest else -1

    def key_of(self, person: str) -> str:
        """Opaque key under which a person's rows stand; empty for nobody."""
        return subject_key(person, self._secret) if person else ""

    def flush(self) -> int:
        """Bring the lake up to the journal; returns the number of rows moved. Repeating it is harmless."""
        with self._flushing, lease(self.path / "flush.lock", "the flusher"):
            return sum(self._flush(kind) for kind in KINDS)

    def _flush(self, kind: type[Noun]) -> int:
        newest = self.journal.rows("SELECT max(seq) FROM journal WHERE kind = ?", (table_of(kind),))[0][0]
        if newest is None:
            return 0
        done, moved, decoder = self.lake.flushed(kind), 0, msgspec.msgpack.Decoder(kind)
        sql = "SELECT seq, body FROM journal WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?"
        while rows := self.journal.rows(sql, (table_of(kind), done, FLUSH_ROWS)):
            self.lake.append(kind, [seq for seq, _ in rows], [decoder.decode(body) for _, body in rows])
            done, moved = rows[-1][0], moved + len(rows)
        return moved

    def trim(self, rooms: Sequence[str], keep: int = KEEP_BODIES) -> None:
        """Empty journal bodies that are in the lake and behind all the rooms, except the newest `keep`."""
        self.flush()
        cursors = dict(self.journal.rows("SELECT room, seq FROM cursors"))
        edge = min(self.journal.last() - keep, *(int(cursors.get(room, 0)) for room in rooms))
        if edge > 0:
            self.journal.write(
                [], [("UPDATE journal SET body = NULL WHERE seq <= ? AND body IS NOT NULL", (edge,))]
            )

    def table(self, kind: type[Noun], columns: list[str] | None = None) -> pa.Table:
        """A noun's table as Arrow, complete up to now."""
        self.flush()
        return self.lake.read(kind, columns)

    def close(self) -> None:
        """Bring the lake up to date and let go of the files."""
        self.flush()
        self.journal.close()


def _secret(path: Path) -> bytes:
    """This store's own key for naming people; made once, readable by its owner alone."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(token_bytes(32))
    return path.read_bytes()
