"""One thread writes; whatever waits in its queue becomes one transaction: a hundred answers cost one fsync.

Who writes is told after the commit. When a batch fails, each write is tried on its own, so that one bad
value cannot fail the others.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, Protocol

from msgspec import Struct

from openflywheel.base.errors import StoreError

Statement = tuple[str, tuple[Any, ...]]
Told = Callable[[StoreError | None], object]

LOG = logging.getLogger(__name__)
MOST = 512  # writes of one transaction: bounds how long the first of them waits for the last


class Unreachable(StoreError):
    """The database itself is gone: to try each write of the batch on its own would only take time."""


class Row(Struct, frozen=True):
    """A noun as it is kept; `names` are those under which it can be found besides its id."""

    kind: str
    id: str
    body: bytes
    names: tuple[str, ...] = ()


class Write(Struct, frozen=True):
    """What must be kept together, and who is told (on the writer's thread) when it is, or why it is not."""

    rows: Sequence[Row]
    statements: Sequence[Statement]
    told: Told


class Writer(Protocol):
    """The one connection that writes. `commit` keeps a whole batch, or raises and keeps nothing.

    It raises Unreachable when no write could be kept, whatever is in it.
    """

    def commit(self, batch: Sequence[Write]) -> None: ...

    def close(self) -> None: ...


class GroupCommit:
    """The queue before a writer, and its thread."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._queue: SimpleQueue[Write | None] = SimpleQueue()
        self._gate = threading.Lock()  # nothing enters the queue behind its end
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def open(self) -> bool:
        """Can it write? Threads do not follow into a forked process."""
        return not self._closed and self._thread.is_alive()

    def put(self, write: Write) -> bool:
        """Queue a write; False when this journal is closed."""
        with self._gate:
            if self.open:
                self._queue.put(write)
                return True
        return False

    def close(self) -> None:
        """Keep what waits, then let go of the connection. Calling it twice is harmless."""
        with self._gate:
            if not self._closed:
                self._queue.put(None)
            self._closed = True
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            self._keep([first, *self._waiting()])
        self._writer.close()

    def _waiting(self) -> Iterator[Write]:
        for _ in range(MOST - 1):
            if self._queue.empty():
                return
            write = self._queue.get()
            if write is None:
                self._queue.put(None)
                return
            yield write

    def _keep(self, batch: Sequence[Write]) -> None:
        try:
            self._writer.commit(batch)
        except Unreachable as error:
            _tell(batch, error)
        except Exception as error:  # the writer must outlive any bad value: whoever sent it is told
            if len(batch) == 1:
                _tell(batch, StoreError(f"the journal could not be written: {error}; nothing was kept"))
                return
            for write in batch:
                self._keep([write])
        else:
            _tell(batch, None)


def _tell(batch: Sequence[Write], error: StoreError | None) -> None:
    for write in batch:
        try:
            write.told(error)
        except Exception:  # who has gone meanwhile cannot be told, and must not stop the others' writer
            LOG.exception("nobody could be told how a write ended")
