"""What the gateway's pages ask of the store: signals, exchanges, API keys. Its calls wait for the disk."""

import os
import time
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import asdict, replace

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.errors import UnknownExchange
from openflywheel.base.keys import Key, ShownKey, shown
from openflywheel.base.nouns import Call, Signal
from openflywheel.base.settings import Settings
from openflywheel.serve._gateway.rest import Readiness
from openflywheel.serve._gateway.rest_admin import NewKey, Status
from openflywheel.serve._gateway.rest_signals import Shown
from openflywheel.serve._keys import require
from openflywheel.store import Store
from openflywheel.store.keys import Keys
from openflywheel.wheel.hearing import find, hear
from openflywheel.wheel.said import Said


class SaidSignals(Struct, frozen=True, forbid_unknown_fields=True):
    """Several signals, which are kept together or not at all."""

    signals: list[Said]


class Office:
    """Safe to use from many threads."""

    def __init__(self, settings: Settings, store: Store, keys: Keys, ready: Readiness) -> None:
        self._settings, self._store, self._keys, self._ready = settings, store, keys, ready
        self._began = time.monotonic()
        chosen = settings.rooms.get("guard", ())
        self._detect = partial(guard.apply, [door.load("guard", c.name, c.settings) for c in chosen])

    def hear(self, body: bytes, key: Key | None, name: str) -> Sequence[Signal]:
        """Keep what a body says; `name` stands for the id that its signals don't have.

        Raises msgspec.DecodeError, SettingsError, UnknownExchange, Forbidden, StoreError.
        """
        said = [_named(one, name, place) for place, one in enumerate(_read(body))]
        if key and any(one.source == "expert" for one in said):
            require(key, "operate")
        heard = hear(self._store, self._settings.tasks, self._detect, said, key=key.id if key else "")
        self._store.append(heard.signals, heard.statements)
        return heard.signals

    def show(self, name: str, *, whole: bool) -> Shown:
        """An exchange by our id or its provider's, with its call and its signals. Raises UnknownExchange."""
        if "\0" in name:  # no text of PostgreSQL holds one
            raise UnknownExchange("no exchange's id holds a NUL")
        exchange = find(self._store, name)
        call = self._store.get(Call, [exchange.id]).get(exchange.id)
        if call and not whole:
            call = replace(call, request=b"", response=b"")
        return Shown(exchange, call, self._store.heard([exchange.id]).get(exchange.id, []))

    def replies(self, signals: Sequence[Signal]) -> dict[str, str]:
        """Exchange -> the id that the provider gave its answer."""
        ids = list({signal.exchange for signal in signals if signal.exchange})
        return {id: call.reply for id, call in self._store.get(Call, ids).items()}

    def keys(self) -> list[ShownKey]:
        """Every API key."""
        return [shown(key) for key in self._keys.all()]

    def create(self, new: NewKey) -> ShownKey:
        """Make an API key. Raises SettingsError."""
        return shown(*self._keys.create(**asdict(new)))

    def revoke(self, id: str) -> ShownKey:
        """Take an API key back. Raises UnknownKey."""
        return shown(self._keys.revoke(id))

    def status(self) -> Status:
        """How the wheel stands; counts every row, which takes a while on a large journal."""
        return Status(
            name=self._settings.name,
            version=version("openflywheel"),
            settings=self._settings.version,
            process=os.getpid(),
            seconds=time.monotonic() - self._began,
            trouble=self._ready(),
            tasks=tuple(self._settings.tasks),
            rows=self._store.counts(),
        )


def _read(body: bytes) -> list[Said]:
    fields = msgspec.json.decode(body, type=dict[str, Raw])
    if "signals" in fields:
        return msgspec.json.decode(body, type=SaidSignals).signals
    return [msgspec.json.decode(body, type=Said)]


def _named(said: Said, name: str, place: int) -> Said:
    """With the request's Idempotency-Key for its id; the first signal has it as it is."""
    return said if said.id or not name else replace(said, id=f"{name}/{place}" if place else name)
