"""What a journal needs of the database below it, be it SQLite or PostgreSQL.

SQL from outside the backends is valid in both, with `?` for every value and nowhere else.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from openflywheel.store.group_commit import Writer

Durability = Literal["disk", "process"]  # what an acknowledged write survives the death of

PASSWORD = re.compile(r"(?<=:)(?!//).*(?=@)|(?<=password=)[^&]*")


class Reader(Protocol):
    """One connection for reading, used by one thread at a time."""

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Result of a query on the last committed state. Raises StoreError."""

    def close(self) -> None: ...


class Backend(Protocol):
    """A database that keeps one journal, named `shown` in errors.

    `shared`: other machines may read and write it too.
    """

    @property
    def shown(self) -> str: ...

    @property
    def shared(self) -> bool: ...

    def writer(self) -> Writer:
        """Make the tables if need be, and connect. Raises StoreError."""

    def reader(self) -> Reader:
        """Connect. Raises StoreError."""

    def secret(self) -> bytes:
        """The key under which people are named, one for all who share this journal; after `writer`."""


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return PASSWORD.sub("***", url)


def made_once(path: Path, content: bytes) -> bytes:
    """What stands in a file that is made once, whole, and readable by its owner alone."""
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent)  # mode 600
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its content holds
            os.link(name, path)
        Path(name).unlink()
    return path.read_bytes()
