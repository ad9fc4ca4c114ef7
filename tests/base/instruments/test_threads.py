"""BLAS works in one thread within the block, and as before afterwards."""

import threading

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


def test_blocks_that_overlap_in_several_threads_end_with_the_last():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with one_thread():
            entered.set()
            leave.wait()

    with one_thread():
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait()
    assert threads() == {1}  # the other one is still at work
    leave.set()
    thread.join()
    assert threads() == {2}
