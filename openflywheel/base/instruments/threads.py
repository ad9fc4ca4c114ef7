"""One BLAS thread for small matrices: on a busy 2-core machine their spinning costs more than the work.

Measured (`python -m benchmarks.threads`): a kernel ridge of 500 rows takes .02 CPU-s with one thread and
.06 with all of them while one core is taken; on a machine with more load it was 30 times as much.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    """Looks through the loaded libraries once (some 5 ms)."""
    import numpy  # noqa: F401, PLC0415  its BLAS and scipy's own must be loaded to be found
    import scipy.linalg  # noqa: F401, PLC0415

    return ThreadpoolController()


class _Limit:
    """The limit is the process's: the first block that begins sets it, the last one that ends lifts it."""

    def __init__(self) -> None:
        self._lock, self._blocks, self._held = Lock(), 0, ExitStack()

    def begin(self) -> None:
        with self._lock:
            if not self._blocks:
                self._held.enter_context(_controller().limit(limits=1, user_api="blas"))
            self._blocks += 1

    def end(self) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                self._held.close()


_limit = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block, BLAS works in the calling thread alone; afterwards as before."""
    _limit.begin()
    try:
        yield
    finally:
        _limit.end()
