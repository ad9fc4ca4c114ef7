"""Exchange -> Signal: hear how it went.

What people say outright (ratings, corrections, labels) is written by `Flywheel.signal`. What they show
without saying it is derived here, by one file a listener:

    def rephrase(episode, *, within=120.0) -> Iterable[Signal]
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.nouns import Arrow, Exchange, Signal
from openflywheel.base.room import Given

ARROW = Arrow(takes=Exchange, gives=Signal)


class Episode(Struct, frozen=True):
    """Exchanges that belong together (one conversation), oldest first, with what was heard about each."""

    exchanges: tuple[Exchange, ...]
    heard: Mapping[str, Sequence[Signal]]


Listener = Callable[[Episode], Iterable[Signal]]


def run(took: Sequence[Exchange], given: Given, plugins: Sequence[Listener]) -> Iterator[Signal]:
    """Let every listener hear every new episode."""
    heard = given.heard([e.id for e in took])
    for episode in _episodes(took, heard):
        for listener in plugins:
            yield from listener(episode)


def _episodes(took: Sequence[Exchange], heard: Mapping[str, Sequence[Signal]]) -> Iterator[Episode]:
    groups: dict[str, list[Exchange]] = {}
    for exchange in sorted(took, key=lambda e: e.at):
        groups.setdefault(exchange.episode, []).append(exchange)
    for group in groups.values():
        yield Episode(tuple(group), {e.id: heard[e.id] for e in group if e.id in heard})
