"""What was pushed to the gateway and waits to be collected: bodies as they came, in that order."""

import time
from collections.abc import Iterator

from msgspec import Struct

from openflywheel.store.journal import Journal


class Pushed(Struct, frozen=True):
    """One body; `seq` ascends, `mime` is what its sender said it is."""

    seq: int
    mime: str
    body: bytes


class Inbox:
    """Bodies by the source that they are for. One that comes twice under the same name is kept once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def put(self, source: str, name: str, mime: str, body: bytes) -> None:
        """Keep a body; returns once it is on disk. Raises StoreError."""
        sql = (
            "INSERT INTO inbox(source, name, mime, body, at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (source, name) DO NOTHING"
        )
        self._journal.write([], [(sql, (source, name, mime, body, time.time()))])

    def after(self, source: str, seq: int) -> Iterator[Pushed]:
        """The bodies of a source that came after a number, oldest first, one at a time."""
        sql = (
            "SELECT seq, mime, body FROM inbox WHERE source = ? AND seq > ? AND length(body) > 0 "
            "ORDER BY seq LIMIT 1"
        )
        while found := self._journal.rows(sql, (source, seq)):
            seq, mime, body = found[0]
            yield Pushed(seq, mime, bytes(body))

    def waiting(self, source: str, seq: int) -> int:
        """How many there are after a number."""
        sql = "SELECT count(*) FROM inbox WHERE source = ? AND seq > ? AND length(body) > 0"
        return int(self._journal.rows(sql, (source, seq))[0][0])

    def forget(self, source: str, upto: int) -> None:
        """Empty what was collected: its name stays, so that the same is not collected again."""
        sql = "UPDATE inbox SET body = ? WHERE source = ? AND seq <= ? AND length(body) > 0"
        self._journal.write([], [(sql, (b"", source, upto))])
