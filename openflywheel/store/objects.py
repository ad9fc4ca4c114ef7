"""Media and other bytes by their sha256: written once, never changed, checked when read."""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from openflywheel.base.errors import StoreError


class Objects:
    """Files under one folder, named by the sha256 of their content."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, content: bytes) -> str:
        """Keep some bytes; returns their digest (64 hex digits)."""
        digest = sha256(content).hexdigest()
        place = self._place(digest)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(place, content)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises StoreError when they are missing or were changed."""
        place = self._place(digest)
        if not place.exists():
            raise StoreError(f"object {digest} is not in {self.path}")
        content = place.read_bytes()
        if sha256(content).hexdigest() != digest:
            raise StoreError(f"object {digest} was changed on disk: {place}")
        return content

    def _place(self, digest: str) -> Path:
        if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
            raise StoreError(f"{digest!r} is not a sha256 digest")
        return self.path / digest[:2] / digest


def _write_whole(place: Path, content: bytes) -> None:
    """Write beside the place, then rename: a reader sees all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(place)
