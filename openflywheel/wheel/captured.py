"""Signals debt: what is captured and what it is worth, and what this product could capture and does not."""

import inspect
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import pyarrow.compute as pc
from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base import door
from openflywheel.base.errors import MissingExtra
from openflywheel.base.nouns import Exchange, Reading, Signal, Verdict
from openflywheel.base.quarantine import quarantined
from openflywheel.base.settings import Settings
from openflywheel.base.validity import validities, weight
from openflywheel.store import Store

SEND = "POST /v1/signals or Flywheel.signal: "
EXPLICIT = {
    "rating": ("which answers people mind: experts are asked about those first", "rating=false, or stars"),
    "outcome": (
        "whether the answer paid, which people need not tell",
        'outcome="bought" (or resolved, returned)',
    ),
    "correction": ("what would have been right: the strongest teacher", 'correction="..."'),
    "demonstration": ("what a person sent instead, so what a good answer looks like", 'demonstration="..."'),
    "choice": ("which of several answers is better", "choice=ID, over=(OTHER,), or one of exchange.choices"),
    "comment": ("why people mind", 'comment="..."'),
    "label": ("what experts call right: the only labels of the holdout", "flywheel label"),
}
CONVERSATIONS = (
    "conversations", "what people do after an answer: without them most listeners hear nothing",
    "name the episode: header x-flywheel-episode, or ask(..., episode=ID)",
)  # fmt: skip
SUBJECTS = (
    "subjects", "who comes back, and that one person is one voice",
    "name who asks: `user` in the request, header x-flywheel-subject, or ask(..., subject=NAME)",
)  # fmt: skip
NETWORK = (
    "network", "whether many voices come from one place: so that no crowd of accounts steers the model",
    f"{SEND}address=the end user's IP address; an opaque name of its block is kept",
)  # fmt: skip


class Captured(Struct, frozen=True, kw_only=True):
    """A kind of signal that was heard: `last` is the newest (Unix seconds).

    Of a derived kind `validity` is its correlation with people's ratings, with its interval and a note, or
    None without enough of them; `weight` is what study makes of it. What people say outright weighs 1.
    """

    kind: str
    explicit: bool
    sources: tuple[str, ...]
    count: int
    last: float
    validity: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""
    weight: float = 1.0


class Owed(Struct, frozen=True):
    """A signal that could be captured and is not: what it would teach, and how to send it."""

    signal: str
    teaches: str
    how: str


class Ledger(Struct, frozen=True, kw_only=True):
    """What is heard, the most frequent first, and what is not.

    `quarantined` counts the signals that do not count, by the rule that says so (blind, expert, subject, key,
    network, caught, campaign); the most frequent first.
    """

    captured: list[Captured]
    owed: list[Owed]
    quarantined: dict[str, int] = {}


def look_at_signals(settings: Settings, store: Store) -> Ledger:
    """Every kind of signal with its validity, and the signals debt."""
    captured = _captured(store)
    heard = {c.kind for c in captured}
    owed = [*_unsaid(heard), *_nameless(store), *_unheard(settings)]
    return Ledger(captured=captured, owed=owed, quarantined=quarantined(store.all(Verdict)))


def _captured(store: Store) -> list[Captured]:
    known, found = validities(store.all(Reading)), store.table(Signal, ["kind", "explicit", "source", "at"])
    by = found.group_by(["kind", "explicit"]).aggregate(
        [("at", "count"), ("at", "max"), ("source", "distinct")]
    )
    rows = sorted(by.to_pylist(), key=lambda row: (-row["at_count"], row["kind"]))
    return [_kind(row, known.get(row["kind"])) for row in rows]


def _kind(row: Mapping[str, Any], reading: Reading | None) -> Captured:
    common = Captured(
        kind=row["kind"],
        explicit=row["explicit"],
        sources=tuple(sorted(row["source_distinct"])),
        count=row["at_count"],
        last=row["at_max"],
    )
    if row["explicit"]:
        return common
    if reading is None:
        return replace(common, weight=0.0, note="not measured: velocity needs the plugin signal_validity")
    if (reading.low, reading.high) == (-1.0, 1.0):
        return replace(common, weight=0.0, note=reading.note)
    seen = {"validity": reading.value, "low": reading.low, "high": reading.high}
    return replace(common, **seen, weight=weight(reading), note=reading.note)


def _unsaid(heard: Set[str]) -> Iterator[Owed]:
    """What people could say outright and never did."""
    for kind, (teaches, how) in EXPLICIT.items():
        if kind not in heard:
            yield Owed(kind, teaches, how if how.startswith("flywheel") else SEND + how)


def _nameless(store: Store) -> Iterator[Owed]:
    """Who and where, which clients could tell with what they send."""
    asked = store.table(Exchange, ["episode", "subject"])
    if asked.num_rows == pc.count_distinct(asked["episode"]).as_py():
        yield Owed(*CONVERSATIONS)
    if not _any(asked["subject"]):
        yield Owed(*SUBJECTS)
    if not _any(store.table(Signal, ["network"])["network"]):
        yield Owed(*NETWORK)


def _any(column: object) -> bool:
    return bool(pc.any(pc.not_equal(column, "")).as_py())


def _unheard(settings: Settings) -> Iterator[Owed]:
    """Listeners that are not switched on."""
    chosen: Sequence[str] = [c.name for c in settings.rooms.get("signals", ())]
    for name in door.names("signals"):
        if name not in chosen:
            yield Owed(name, _teaches(name), f"switch it on in flywheel.yaml: signals: {{{name}: {{}}}}")


def _teaches(listener: str) -> str:
    """The first line of the listener's file, else of its docstring."""
    try:
        found = door.find("signals", listener)
    except MissingExtra as error:
        return str(error)
    words = inspect.getdoc(inspect.getmodule(found)) or door.describe("signals", listener).doc
    return words.partition("\n")[0].rstrip(".")
