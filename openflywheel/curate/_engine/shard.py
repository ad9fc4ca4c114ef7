"""What the engine reads: shards, each as much as one worker may hold."""

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa
from msgspec import Struct

from openflywheel.base.ids import content_id


class Shard(Protocol):
    """A piece of the input, picklable, of at most some 32 MB of text and content."""

    @property
    def name(self) -> str:
        """Says what is in it: another name, another content."""
        ...

    @property
    def rows(self) -> int | None:
        """How many, if that is known before it is read."""
        ...

    def read(self) -> Iterator[pa.Table]:
        """Its rows, with the columns of Record, and with "content" where steps want the bytes."""
        ...


class Held(Struct, frozen=True):
    """Rows that are in memory already."""

    table: pa.Table

    @property
    def name(self) -> str:
        return content_id("held", *self.table["id"].to_pylist())

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    def read(self) -> Iterator[pa.Table]:
        """The one table."""
        yield self.table
