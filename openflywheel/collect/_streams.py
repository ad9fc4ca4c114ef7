"""What a source would read, told before it reads it."""

from msgspec import Struct


class Stream(Struct, frozen=True, kw_only=False):
    """One thing that a source can read: a table, a site, a query; `items` is None when nobody knows.

    `dollars` is what reading it would cost at a provider, `columns` are the names of its fields.
    """

    name: str
    items: int | None = None
    dollars: float = 0.0
    columns: tuple[str, ...] = ()
    note: str = ""
