from threading import Thread

import pytest

from openflywheel.base.errors import WheelBusy
from openflywheel.store.lease import lease

HOLD = """
import os, sys, time
from pathlib import Path
from openflywheel.store.lease import lease
with lease(Path(sys.argv[1]), "the wheel"):
    os.write(1, b"held\\n")
    time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "turn.lock"


@pytest.fixture
def holder(path, process):
    other = process(HOLD, path)
    assert other.stdout.readline() == "held\n"
    return other


def test_a_lease_can_be_had_again_and_again(path):
    for _ in range(3):
        with lease(path, "the wheel"):
            pass


def test_a_lease_is_given_back_when_the_block_fails(path):
    with pytest.raises(KeyError), lease(path, "the wheel"):
        raise KeyError
    with lease(path, "the wheel"):
        pass


def test_a_second_process_is_told_who_holds_the_lease(path, holder):
    with pytest.raises(WheelBusy) as caught, lease(path, "the wheel"):
        pytest.fail("two hold the lease")
    assert str(caught.value) == f"the wheel is held by process {holder.pid} ({path}); wait for it, or stop it"


def test_a_holder_that_is_killed_frees_the_lease(path, holder):
    holder.kill()
    holder.wait()
    with lease(path, "the wheel"):
        pass


def test_the_holder_is_named_anew_each_time(path, holder, process):
    holder.kill()
    holder.wait()
    second = process(HOLD, path)
    assert second.stdout.readline() == "held\n"
    with pytest.raises(WheelBusy, match=f"process {second.pid} "), lease(path, "the wheel"):
        pass


def test_the_same_process_cannot_hold_it_twice(path):
    with lease(path, "the wheel"), pytest.raises(WheelBusy), lease(path, "the wheel"):
        pass


def test_who_waits_gets_the_lease_when_its_holder_is_gone(path, holder):
    got = []

    def wait() -> None:
        with lease(path, "the flusher", wait=True):
            got.append(holder.poll())

    waiting = Thread(target=wait)
    waiting.start()
    assert got == []
    holder.kill()
    waiting.join()
    assert len(got) == 1
