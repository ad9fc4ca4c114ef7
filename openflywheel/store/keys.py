"""API keys and what was spent under them, beside the journal. A secret is never written, only its SHA-256."""

import secrets
import time
from collections.abc import Sequence
from hashlib import sha256
from string import ascii_letters, digits
from typing import Any

import msgspec

from openflywheel.base.errors import SettingsError, StoreError, suggest
from openflywheel.base.keys import Key, UnknownKey, budget_of, period, rate_of, scopes_of
from openflywheel.store.group_commit import Statement
from openflywheel.store.journal import MAX_VARIABLES, Journal

# DOUBLE PRECISION: PostgreSQL's REAL has 24 bits, too few for a moment. `period`: WINDOW is a reserved word.
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS api_keys("
    "id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, "
    "created DOUBLE PRECISION NOT NULL, expires DOUBLE PRECISION, revoked DOUBLE PRECISION, "
    "rate TEXT NOT NULL, subject_rate TEXT NOT NULL, budget TEXT NOT NULL, subject_budget TEXT NOT NULL, "
    "tenant TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS spent("
    "name TEXT NOT NULL, period TEXT NOT NULL, amount DOUBLE PRECISION NOT NULL, PRIMARY KEY(name, period))",
)
COLUMNS = ", ".join(Key.__struct_fields__)
MARKS = ", ".join("?" * len(Key.__struct_fields__))
BASE62 = digits + ascii_letters
SECRET = 43  # base62 characters hold 256 bits


class Keys:
    """The API keys of one flywheel, oldest first. They are revoked, not deleted: exchanges name them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._journal.write([], [(sql, ()) for sql in SCHEMA])

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires: float | None = None,
        rate: str = "",
        subject_rate: str = "",
        budget: str = "",
        subject_budget: str = "",
        tenant: str = "",
    ) -> tuple[Key, str]:
        """Make a key; its secret is given out here and never again. Settings as in base/keys.Key.

        Raises SettingsError.
        """
        id = secrets.token_hex(5)
        secret = f"fw-{id}-{''.join(secrets.choice(BASE62) for _ in range(SECRET))}"
        key = Key(
            id=id, name=name, hash=sha256(secret.encode()).hexdigest(), scopes=scopes_of(scopes),
            created=time.time(), expires=expires, rate=rate, subject_rate=subject_rate,
            budget=budget, subject_budget=subject_budget, tenant=tenant,
        )  # fmt: skip
        _check(key)
        sql = f"INSERT INTO api_keys({COLUMNS}) VALUES ({MARKS})"  # noqa: S608  the struct's field names
        self._journal.write([], [(sql, _row(key))])
        return key, secret

    def all(self) -> list[Key]:
        """Every key, revoked and expired ones too."""
        sql = f"SELECT {COLUMNS} FROM api_keys ORDER BY created, id"  # noqa: S608
        return [_key(row) for row in self._journal.rows(sql)]

    def revoke(self, id: str) -> Key:
        """Take a key back, for good; doing it twice is harmless. Raises UnknownKey."""
        if id not in (known := {key.id for key in self.all()}):
            raise UnknownKey(f"there is no API key {id!r}; {suggest(id, known)} (see: flywheel keys list)")
        sql = "UPDATE api_keys SET revoked = ? WHERE id = ? AND revoked IS NULL"
        self._journal.write([], [(sql, (time.time(), id))])
        return next(key for key in self.all() if key.id == id)

    @staticmethod
    def spending(name: str, amount: float, at: float) -> Statement:
        """The statement that adds to what a name spent that day and month, to be run beside the exchange."""
        return (
            "INSERT INTO spent(name, period, amount) VALUES (?, ?, ?), (?, ?, ?) "
            "ON CONFLICT(name, period) DO UPDATE SET amount = spent.amount + excluded.amount",
            (name, period(at, "d"), amount, name, period(at, "m"), amount),
        )

    def spent(self, names: Sequence[str], at: float) -> dict[tuple[str, str], float]:
        """(name, period) -> amount in the day and in the month of a moment; nothing spent, no entry."""
        periods = period(at, "d"), period(at, "m")
        found: dict[tuple[str, str], float] = {}
        for start in range(0, len(names), MAX_VARIABLES - 2):
            part = names[start : start + MAX_VARIABLES - 2]
            marks = ", ".join("?" * len(part))
            sql = f"SELECT name, period, amount FROM spent WHERE period IN (?, ?) AND name IN ({marks})"  # noqa: S608
            rows = self._journal.rows(sql, (*periods, *part))
            found |= {(name, when): float(amount) for name, when, amount in rows}
        return found

    @staticmethod
    def trim(at: float) -> Statement:
        """The statement that forgets what was spent before this month: a row a name and day would pile up."""
        return ("DELETE FROM spent WHERE period < ?", (period(at, "m"),))


def _check(key: Key) -> None:
    """Refuse what would only fail at the gateway. Raises SettingsError."""
    if not key.name.strip():
        raise SettingsError("a key needs a name that says who holds it; for example: --name app")
    if not key.valid(key.created):
        raise SettingsError(
            f"the key {key.name!r} would have expired already; give it longer, as --expires 90d"
        )
    for rate in filter(None, (key.rate, key.subject_rate)):
        rate_of(rate)
    for budget in filter(None, (key.budget, key.subject_budget)):
        budget_of(budget)


def _row(key: Key) -> tuple[Any, ...]:
    return tuple(" ".join(v) if isinstance(v, tuple) else v for v in msgspec.structs.astuple(key))


def _key(row: tuple[Any, ...]) -> Key:
    fields = dict(zip(Key.__struct_fields__, row, strict=True))
    try:
        return msgspec.convert(fields | {"scopes": fields["scopes"].split()}, Key)
    except msgspec.ValidationError as error:
        raise StoreError(
            f"the API key {fields['id']} cannot be read: {error}; upgrade openflywheel"
        ) from None
