"""What was extracted before, by the content's digest: one SQLite file that several processes share."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from openflywheel.curate._extract.pages import Extracted

WAIT = 60.0  # seconds that one process waits for another's write

_SETUP = "CREATE TABLE IF NOT EXISTS extracted (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
_LOOK_UP = "SELECT key, value FROM extracted WHERE key IN (SELECT value FROM json_each(?))"


class Cache:
    """Texts and facts by key (digest, kind, tier and version of the extractor, as the caller writes it)."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        file.touch(mode=0o600)  # texts as they came
        with closing(self._open()) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(_SETUP)

    def get(self, keys: Sequence[str]) -> dict[str, Extracted]:
        """Those that are known, by one query."""
        with closing(self._open()) as database:
            found = database.execute(_LOOK_UP, (msgspec.json.encode(keys).decode(),)).fetchall()
        return {key: msgspec.msgpack.decode(value, type=Extracted) for key, value in found}

    def put(self, new: Mapping[str, Extracted]) -> None:
        """Keep what is new, in one transaction; what another process has kept meanwhile is the same."""
        rows: Iterable[tuple[str, bytes]] = (
            (key, msgspec.msgpack.encode(value)) for key, value in new.items()
        )
        with closing(self._open()) as database, database:
            database.executemany("INSERT OR IGNORE INTO extracted VALUES (?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=WAIT)
        database.execute("PRAGMA synchronous=NORMAL")  # a lost entry is read again
        return database
