"""One BLAS thread for small matrices: on a busy 2-core machine the threads' spinning costs 30 times the work.

Measured (`python -m benchmarks.threads`): a kernel ridge of 500 rows takes .01 CPU-s with one thread and
.3 with two while the other core is taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    """Looks through the loaded libraries once (some 5 ms)."""
    import numpy  # noqa: F401, PLC0415  its BLAS and scipy's own must be loaded to be found
    import scipy.linalg  # noqa: F401, PLC0415

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block, BLAS works in the calling thread alone; afterwards as before."""
    with _controller().limit(limits=1, user_api="blas"):
        yield
