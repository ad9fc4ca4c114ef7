"""A cache of sentence vectors by text: rebuildable, so it is kept apart and seldom waits for the disk.

Training, evaluation and study look at the texts that the gateway has embedded already: a look-up costs
about a hundredth of an embedding.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.ids import content_id

FLUSH_AT = 512  # vectors; about 400 KB
MAX_VARIABLES = 900


class Encoder(Protocol):
    """What this cache stands in front of (the protocol of base/instruments/encoder.py)."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class CachedEncoder:
    """An encoder that remembers: float16 vectors in SQLite under the hash of encoder and text."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self.name, self.width, self._encoder = encoder.name, encoder.width, encoder
        self._lock = threading.Lock()
        self._fresh: dict[str, bytes] = {}
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS vectors(key TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID"
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, shape (len(texts), width), rows of length 1."""
        keys = [content_id(self.name, text) for text in texts]
        with self._lock:
            known = self._known(list(dict.fromkeys(keys)))
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        if missing:
            made = self._encoder.encode(list(missing.values())).astype(np.float16)
            fresh = {k: v.tobytes() for k, v in zip(missing, made, strict=True)}
            self._keep(fresh)
            known |= fresh
        joined = b"".join(known[k] for k in keys)
        return np.frombuffer(joined, np.float16).reshape(len(keys), self.width).astype(np.float32)

    def _known(self, keys: list[str]) -> dict[str, bytes]:
        out = {k: self._fresh[k] for k in keys if k in self._fresh}
        left = [k for k in keys if k not in out]
        for start in range(0, len(left), MAX_VARIABLES):
            part = left[start : start + MAX_VARIABLES]
            marks = ",".join("?" * len(part))
            out |= dict(self._db.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part))  # noqa: S608
        return out

    def _keep(self, fresh: dict[str, bytes]) -> None:
        with self._lock:
            self._fresh |= fresh
            if len(self._fresh) >= FLUSH_AT:
                self._flush()

    def _flush(self) -> None:
        with self._db:  # rolls back when it fails: the next flush must not find a transaction open
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", self._fresh.items())
        self._fresh.clear()

    def close(self) -> None:
        """Keep what is still in memory and close the file. Calling it twice is harmless."""
        with self._lock:
            if self._fresh:
                self._flush()
            self._db.close()
