"""How the processes of one gateway know that their supervisor lives."""

import os

SUPERVISOR = "OPENFLYWHEEL_SUPERVISOR"


def found() -> None:
    """Say that this process is the supervisor of those that it will start."""
    os.environ[SUPERVISOR] = str(os.getpid())


def orphaned() -> bool:
    """Is the supervisor gone? It may have died before this process was up."""
    return os.environ.get(SUPERVISOR, str(os.getppid())) != str(os.getppid())
