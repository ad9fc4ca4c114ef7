"""What others push: rows that come to the gateway at POST /v1/collect/NAME, signed."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._providers.rows import rows
from openflywheel.collect._push import key
from openflywheel.collect._rows.record import Columns, record
from openflywheel.collect._streams import Stream

NAME = re.compile(r"[a-z0-9_-]{1,64}")
SHORTEST = 16  # characters of a secret: what is shorter can be guessed


class Pushed(Protocol):
    """One body that came (store/inbox.py)."""

    @property
    def seq(self) -> int: ...
    @property
    def mime(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class Inbox(Protocol):
    """The bodies that wait (store/inbox.py)."""

    def after(self, source: str, seq: int) -> Iterator[Pushed]: ...
    def waiting(self, source: str, seq: int) -> int: ...
    def forget(self, source: str, upto: int) -> None: ...


def webhook(
    gap: Gap,
    *,
    name: str,
    secret: str = "",
    token: str = "",
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    uri: str = "",
    person: str = "",
    inbox: Inbox,
    state: dict[str, Any],
    subject: Callable[[str], str],
) -> Iterator[Record | Drop]:
    """Records of what was pushed to /v1/collect/`name`: JSON, NDJSON or CSV, also gzipped.

    Senders sign with `secret` (Standard Webhooks), or send `token` as a bearer token: one of them is needed.
    `text`, `label`, `uri` and `person` name columns, or paths into them. A body is read once, and emptied
    when what it gave is kept. Raises SettingsError.
    """
    check(name=name, secret=secret, token=token)
    columns = Columns(text=text, label=label, uri=uri, person=person)
    taken = int(state.get("taken", 0))
    inbox.forget(name, taken)  # the passage that took these is kept, else `taken` would not be
    for pushed in inbox.after(name, taken):
        for row in rows(pushed.body, pushed.mime):
            found = row if isinstance(row, Drop) else record(
                row, gap, columns, source="webhook", uri=f"webhook:{name}", subject=subject
            )  # fmt: skip
            yield found
        state["taken"] = pushed.seq


def check(*, name: str, secret: str = "", token: str = "") -> None:
    """Raises SettingsError for a name that fits no URL, and for a secret that is none."""
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"collect.webhook: name = {name!r}: use a to z, 0 to 9, - and _, at most 64 of them"
        )
    if not (secret or token):
        raise SettingsError("collect.webhook needs `secret` or `token`: else anybody could push")
    if any(0 < len(given) < SHORTEST for given in (secret, token)):
        raise SettingsError(f"collect.webhook: a secret has at least {SHORTEST} characters")
    try:
        key(secret)
    except ValueError as error:
        raise SettingsError(f"collect.webhook: secret: {error}") from None


def discover(gap: Gap, *, name: str, inbox: Inbox, state: dict[str, Any]) -> Iterator[Stream]:
    """How many bodies wait, whatever the gap."""
    del gap
    waiting = inbox.waiting(name, int(state.get("taken", 0)))
    yield Stream(f"/v1/collect/{name}", waiting, note="bodies, each of one row or more")
