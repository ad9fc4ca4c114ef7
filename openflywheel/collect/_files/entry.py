"""A file in a listing, before anybody opens it."""

from msgspec import Struct


class Entry(Struct, frozen=True):
    """`name` is its path below the place that was listed, with slashes; `time` in nanoseconds.

    `refused` says why it is not read, where it is not.
    """

    name: str
    size: int = 0
    time: int = 0
    refused: str = ""
