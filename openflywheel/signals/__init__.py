"""Exchange -> Signal: hear how it went.

What people say outright (ratings, corrections, outcomes) is written by `Flywheel.signal`. What they show
without saying it is derived here, by one file a listener:

    def rephrase(episode, *, within=120.0) -> Iterable[Signal]

A listener hears whole conversations: each that has a new exchange, or about which something was said. One
that judges silence has a setting `after`, in seconds: it hears a conversation again when it is that old.

Whose feedback counts is judged here too (_trust.py).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from inspect import signature
from math import inf

from msgspec import Struct, field

from openflywheel.base.nouns import Arrow, Exchange, Row, Signal, Source, Step, Verdict
from openflywheel.base.room import Given
from openflywheel.signals._past import NEWEST, Past

ARROW = Arrow(takes=Exchange, gives=Signal, given=(Row, Step, Verdict))
MARKS = frozenset({"disagreement", "guarded", "novel", "uncertainty"})
"""Kinds that mark an exchange as an edge case: worth keeping whole, and worth an expert's time."""


class Episode(Struct, frozen=True):
    """Exchanges that belong together (one conversation), oldest first, with what was heard about them.

    `heard` maps an exchange, or the episode's own name, to signals; nothing came `until` that moment (Unix
    seconds) but these; `past` holds exchanges of all conversations.
    """

    exchanges: tuple[Exchange, ...]
    heard: Mapping[str, Sequence[Signal]]
    until: float = inf
    past: Past = field(default_factory=Past)

    def about(self, exchange: Exchange) -> list[Signal]:
        """What was heard about an exchange, or about the whole episode."""
        return [*self.heard.get(exchange.id, ()), *self.heard.get(exchange.episode, ())]


Listener = Callable[[Episode], Iterable[Signal]]
Judge = Callable[[Given], Iterable[Verdict]]


def derived(exchange: Exchange, kind: str, value: float, source: Source = "code") -> Signal:
    """A signal about an exchange that nobody said outright."""
    return Signal(
        exchange=exchange.id,
        episode=exchange.episode,
        task=exchange.task,
        subject=exchange.subject,
        kind=kind,
        value=value,
        source=source,
        explicit=False,
    )


def run(
    took: Sequence[Exchange],
    given: Given,
    plugins: Sequence[Listener],
    *,
    judge: Judge,
    now: Callable[[], float] = time.time,
) -> Iterator[Signal | Verdict]:
    """Judge what was said, then let every listener hear every conversation in which something happened."""
    yield from judge(given)
    if plugins:
        yield from _listen(took, given, plugins, now())


def _listen(
    took: Sequence[Exchange], given: Given, plugins: Sequence[Listener], until: float
) -> Iterator[Signal]:
    """What the listeners hear, without what they heard in an earlier passage."""
    for episode in _episodes(_names(took, given, plugins, until), given, until):
        known = {s.id for said in episode.heard.values() for s in said}
        for listener in plugins:
            yield from (s for s in listener(episode) if getattr(s, "id", "") not in known)


def _names(
    took: Sequence[Exchange], given: Given, plugins: Sequence[Listener], until: float
) -> dict[str, None]:
    """Conversations with a new exchange, with a new word of somebody, or old enough to judge their silence.

    Since the last passage, at `last`, those exchanges grew older than `after` that are from between
    last - after and until - after: each is looked at once, and nothing has to be remembered.
    """
    passages = (s.at for s in given.all(Step) if s.room == "signals" and not s.error)
    last = max(passages, default=0.0)
    waits = {wait for listener in plugins if (wait := patience(listener))}
    ripe = [e for wait in waits for e in given.between(Exchange, last - wait, until - wait)]
    told = [s.episode for s in given.new(Signal) if s.explicit and s.episode]
    return dict.fromkeys([*(e.episode for e in took), *(e.episode for e in ripe), *told])


def patience(listener: Listener) -> float:
    """Seconds of silence that a listener waits for: its setting `after`; 0 when it has none."""
    after = signature(listener).parameters.get("after")
    return float(after.default) if after else 0.0


def _episodes(names: Mapping[str, None], given: Given, until: float) -> Iterator[Episode]:
    whole = given.named(Exchange, list(names))
    fresh = [e for group in whole.values() for e in group]
    heard = given.heard([*names, *(e.id for e in fresh)])
    past = Past(partial(given.newest, Exchange, NEWEST), fresh)
    for name, group in whole.items():
        own = {key: heard[key] for key in (name, *(e.id for e in group)) if key in heard}
        yield Episode(tuple(sorted(group, key=lambda e: e.at)), own, until, past)
