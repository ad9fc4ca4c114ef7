"""BLAS works in one thread within the block, and as before afterwards."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from openflywheel.base.instruments.threads import one_thread


def threads():
    """Threads of each BLAS that is loaded."""
    found = {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}
    assert found
    return found


@pytest.fixture(autouse=True)
def two():
    """Two threads outside, on any machine."""
    import scipy.linalg  # noqa: F401  its own BLAS counts too

    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        yield


def test_within_the_block_there_is_one_and_afterwards_as_before():
    with one_thread():
        assert threads() == {1}
        assert np.linalg.norm(np.eye(50) @ np.eye(50)) == pytest.approx(50**0.5)
    assert threads() == {2}


def test_blocks_may_stand_in_blocks():
    with one_thread():
        with one_thread():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == {2}


def test_an_error_ends_it_too():
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert threads() == {2}


def test_another_thread_works_in_one_too():
    with ThreadPoolExecutor(1) as pool, one_thread():
        assert pool.submit(threads).result() == {1}
    assert threads() == {2}
