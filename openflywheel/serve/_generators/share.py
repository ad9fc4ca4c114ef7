"""Which processes of this machine still use a model that they share: a lock on a file, flock(2).

Every user holds it shared; who lets go tries to have it alone, and does when there is nobody else. The system
lets go for a process that dies. Gateways on several machines before one vLLM do not see each other's locks.
"""

import os
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path


class Share:
    """One user. Waits while somebody has the lock alone, which takes as long as it takes to unload."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        flock(self._file, LOCK_SH)

    def last(self) -> bool:
        """Is nobody else left? Then nobody can come either, until `close`."""
        try:
            flock(self._file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go."""
        os.close(self._file)
