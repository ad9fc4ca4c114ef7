"""A thing of schema.org, whichever way a page declares it."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct


class Thing(Struct, frozen=True):
    """A thing of schema.org: its types without prefix ("Review"), and its properties' values, in order."""

    kinds: tuple[str, ...]
    values: dict[str, list[Any]]  # of str | Thing

    def text(self, *names: str) -> str:
        """The first value there is of these properties; a thing is spoken of by its name."""
        for value in self.every(*names):
            said = value.text("name", "headline", "value") if isinstance(value, Thing) else value
            if said.strip():
                return str(said.strip())
        return ""

    def every(self, *names: str) -> list[Any]:
        """All values of these properties."""
        return [value for name in names for value in self.values.get(name, ())]

    def things(self, *names: str) -> list["Thing"]:
        """The values of these properties that are things."""
        return [value for value in self.every(*names) if isinstance(value, Thing)]


class TooMuchError(Exception):
    """The page has more of it than an honest page has; the words are the Drop's reason."""


def walk(things: Iterable[Thing], parent: Thing | None = None) -> Iterator[tuple[Thing, Thing | None]]:
    """Every thing, however deep, with the one that it belongs to."""
    for thing in things:
        yield thing, parent
        for values in thing.values.values():
            yield from walk((v for v in values if isinstance(v, Thing)), thing)


def kinds_of(said: Any) -> tuple[str, ...]:
    return tuple(local(k) for k in (said if isinstance(said, list) else [said]) if isinstance(k, str) and k)


def local(name: str) -> str:
    """ "http://schema.org/name", "schema:name" and "name" are one."""
    return name.rstrip("/#").replace("#", "/").replace(":", "/").rpartition("/")[2]
