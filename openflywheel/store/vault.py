"""What was redacted so that it can be restored: encrypted, for stated purposes alone, until it is forgotten.

In the place of a value stands a token, such as <email-bqxwmtkzlrvpn>: its kind and 13 letters (61 bits) of an
HMAC under the store's secret. The same value in rows of the same purposes has the same token, so that a
person stays one person in the data, and nobody without the secret can find out by trying which value a token
stands for. Rows of other purposes have another token: they cannot be joined. Letters alone, so that no guard
takes a token for a number or a password, between brackets, past which none looks for what a number is.
"""

import hmac
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from openflywheel.base.errors import MissingExtra, StoreError

SCHEMA = """
CREATE TABLE IF NOT EXISTS sealed(
    token TEXT PRIMARY KEY, purposes TEXT NOT NULL, nonce BLOB NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people(
    subject TEXT NOT NULL, token TEXT NOT NULL, PRIMARY KEY(subject, token)) WITHOUT ROWID;
"""
TOKEN = re.compile(r"<[a-z]{1,20}-[a-z]{13}>")
LETTERS, LENGTH = "abcdefghijklmnopqrstuvwxyz", 13
NONCE = 12  # bytes, drawn anew for each value: NIST SP 800-38D, section 8.2.2
Kept = tuple[str, str, tuple[str, ...], str]
"""Token, value, purposes for which it may be restored, subject of the row it stood in ("" for nobody)."""


class Vault:
    """One SQLite file that its owner alone may read (mode 600), made when it is first written to.

    Values are encrypted with AES-256-GCM and bound to their token and purposes; the keys are derived from the
    store's secret: without it, the file tells the kinds and the number of values, and whose they were by
    opaque key. Every call opens the file anew, so that a vault can be handed to other processes.
    """

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path, self._names, self._key = path, _derived(secret, "names"), _derived(secret, "values")

    def token(self, kind: str, value: str, purposes: Sequence[str]) -> str:
        """What stands for a value of a kind in rows of these purposes; it keeps nothing."""
        said = msgspec.json.encode((kind, value, sorted(purposes)))
        number = int.from_bytes(hmac.new(self._names, said, sha256).digest(), "big")
        return f"<{kind}-{''.join(LETTERS[number // 26**place % 26] for place in range(LENGTH))}>"

    def keep(self, found: Sequence[Kept]) -> None:
        """Keep values behind their tokens, all or none; what is there already is not doubled.

        Raises StoreError, MissingExtra.
        """
        if not found:
            return
        sealed = {token: self._sealed(token, value, purposes) for token, value, purposes, _ in found}
        people = {(subject, token) for token, _, _, subject in found if subject}
        with self._open() as db:
            db.executemany("INSERT INTO sealed VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", sealed.values())
            db.executemany("INSERT INTO people VALUES (?, ?) ON CONFLICT DO NOTHING", people)

    def restore(self, text: str, purpose: str) -> str:
        """The text with the values that may be seen for a purpose; other and unknown tokens stay.

        Ask it for texts that `redact` wrote: whoever can write a token into a text would see its value.
        Raises StoreError, MissingExtra.
        """
        tokens = dict.fromkeys(TOKEN.findall(text))
        if not tokens or not self._path.exists():
            return text
        with self._open() as db:
            rows = [db.execute("SELECT * FROM sealed WHERE token = ?", (t,)).fetchone() for t in tokens]
        values = {row[0]: self._opened(*row) for row in rows if row and purpose in row[1].split("\x1f")}
        return TOKEN.sub(lambda match: values.get(match[0], match[0]), text)

    def forget(self, *, tokens: Sequence[str] = (), subject: str = "") -> int:
        """Delete values for good, by token or all that stood in a person's rows; returns how many.

        A value that stood in other people's rows too is forgotten there as well. Raises StoreError.
        """
        if not self._path.exists():
            return 0
        with self._open() as db:
            said = db.execute("SELECT token FROM people WHERE subject = ? AND subject <> ''", (subject,))
            gone = [(token,) for token in {*tokens, *(token for (token,) in said)}]
            before = db.total_changes
            db.executemany("DELETE FROM sealed WHERE token = ?", gone)
            count = db.total_changes - before
            db.executemany("DELETE FROM people WHERE token = ?", gone)
        return count

    def _sealed(self, token: str, value: str, purposes: Sequence[str]) -> tuple[str, str, bytes, bytes]:
        said, nonce = "\x1f".join(sorted(purposes)), os.urandom(NONCE)
        bound = f"{token}\x1f{said}".encode()
        return token, said, nonce, self._cipher().encrypt(nonce, value.encode(), bound)

    def _opened(self, token: str, said: str, nonce: bytes, value: bytes) -> str:
        invalid = import_module("cryptography.exceptions").InvalidTag
        try:
            plain: bytes = self._cipher().decrypt(nonce, value, f"{token}\x1f{said}".encode())
        except invalid:
            raise StoreError(
                f"{token} in the vault {self._path} was changed, or kept under another secret"
            ) from None
        return plain.decode()

    def _cipher(self) -> Any:
        """AES-GCM; loaded here, because a store without reversible redaction does not need it."""
        try:
            return import_module("cryptography.hazmat.primitives.ciphers.aead").AESGCM(self._key)
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"the vault {self._path} needs {error.name!r}: pip install 'openflywheel[vault]'"
            ) from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The file in one transaction, which is kept if the block ends well."""
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self._path, timeout=60)) as db:
                db.executescript(f"PRAGMA secure_delete=ON; {SCHEMA}")
                with db:
                    yield db
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the vault {self._path} cannot be used: {error}") from error


def _derived(secret: bytes, use: str) -> bytes:
    """A key of 256 bits for one use: the first block of HKDF-Expand (RFC 5869) from a random secret."""
    return hmac.new(secret, f"openflywheel vault {use}\x01".encode(), sha256).digest()
