"""Processes: what they give, how they die, and what is left when everything dies."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pyarrow as pa
import pytest
from engine_samples import MANY, marks_of, run, shards_of, table_of, written
from threadpoolctl import threadpool_info

from openflywheel.base.errors import SettingsError
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.step import StepFailed

HERE = Path(__file__).parent


def double(number: int) -> int:
    return number * 2


def nothing(number: int) -> None:
    return None


def process(number: int) -> int:
    return os.getpid()


def threads(number: int) -> tuple[int, list[int]]:
    import numpy as np

    np.ones((9, 9)) @ np.ones((9, 9))
    return pa.cpu_count(), [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def refuse(number: int) -> int:
    raise SettingsError(f"no {number}")


def fail(number: int) -> int:
    raise LookupError(f"no {number}")


def wait_at(path: Path) -> None:
    path.touch()
    time.sleep(600)


def die(number: int) -> int:
    os._exit(7)


def test_every_job_is_answered():
    with Local(2) as engine:
        assert sorted(engine.each(double, list(range(20)))) == [n * 2 for n in range(20)]
        assert list(engine.each(nothing, [1])) == [None]
        assert list(engine.each(double, [])) == []


def test_processes_are_kept_from_one_call_to_the_next_and_end_with_the_engine():
    with Local(2) as engine:
        first = set(engine.each(process, [1] * 8))
        assert set(engine.each(process, [1] * 8)) <= first
        assert os.getpid() not in first
        assert 1 <= len(first) <= 2
    assert {child.pid for child in active_children()}.isdisjoint(first)


def test_no_more_processes_than_jobs():
    with Local(4) as engine:
        assert len(set(engine.each(process, [1]))) == 1
        assert len(active_children()) == 1


def test_a_process_has_one_thread():
    with Local(1) as engine:
        [(arrow, blas)] = engine.each(threads, [1])
        assert arrow == 1
        assert set(blas) <= {1}


def test_an_error_for_the_user_comes_as_it_is():
    with Local(1) as engine:
        with pytest.raises(SettingsError, match="^no 3") as caught:
            list(engine.each(refuse, [3]))
        assert str(caught.value) == "no 3"
        assert "in refuse" in caught.value.__notes__[0]
        assert list(engine.each(double, [3])) == [6]


def test_any_other_error_names_its_job():
    with Local(1) as engine, pytest.raises(StepFailed, match="^3 failed: LookupError: no 3"):
        list(engine.each(fail, [3]))


def test_who_stops_listening_stops_what_is_running(tmp_path):
    with Local(2) as engine:
        answers = engine.each(wait_at, [tmp_path / "a", tmp_path / "b"])
        alarm = signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError))
        signal.setitimer(signal.ITIMER_REAL, 3)
        try:
            with pytest.raises(TimeoutError):
                next(answers)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
        assert not active_children()


@pytest.mark.fault
def test_a_job_that_kills_its_worker_every_time_is_named():
    with Local(1) as engine:
        with pytest.raises(StepFailed, match=r"^5 killed its worker 3 times \(exit code 7;"):
            list(engine.each(die, [5]))
        assert list(engine.each(double, [3])) == [6]


@pytest.mark.fault
def test_a_shard_whose_worker_was_killed_is_done_by_another(tmp_path):
    table = written(5, 80, 5)
    word, once = table["text"][50].as_py(), str(tmp_path / "killed")
    names = ("killing", {"word": word, "once": once}), "same"
    with Local(2) as engine:
        found = marks_of(run(shards_of(table, 20), names, tmp_path / "work", engine=engine))
    assert Path(once).exists()
    assert found == marks_of(run(shards_of(table, 20), ("same",), tmp_path / "work"))


@pytest.mark.fault
def test_a_shard_that_kills_its_workers_is_named_and_the_others_are_not_done_again(tmp_path):
    table, seen = table_of([f"text {n}" for n in range(40)]), tmp_path / "seen"
    seen.mkdir()
    names = ("counting", {"folder": str(seen)}), ("killing", {"word": "text 33"})
    shards = shards_of(table, 10)
    with (
        Local(1) as engine,
        pytest.raises(StepFailed, match=f"^shard {shards[3].name} killed its worker 3 times"),
    ):
        run(shards, names, tmp_path / "work", engine=engine)
    assert [len((seen / i).read_text()) for i in table["id"].to_pylist()] == [1] * 30 + [3] * 10


@pytest.mark.fault
def test_a_run_whose_driver_was_killed_goes_on_where_it_was(tmp_path):
    """The second process does only the shards that the first had not finished."""
    seen = tmp_path / "seen"
    seen.mkdir()
    program = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from pathlib import Path\n"
        "from engine_samples import *\n"
        f"table, once = written(5, 80, 5), {str(tmp_path / 'killed')!r}\n"
        f"names = ('counting', {{'folder': {str(seen)!r}}}), "
        "('killing', {'word': table['text'][50].as_py(), 'once': once}), *MANY\n"
        f"with run(shards_of(table, 10), names, Path({str(tmp_path / 'work')!r}),"
        f" Path({str(tmp_path / 'state')!r}), recipe='r') as result:\n"
        "    print(repr(marks(result.tables())))\n"
    )
    first = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert first.returncode == -signal.SIGKILL, first.stderr
    second = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    table = written(5, 80, 5)
    at = next(n for n in range(80) if table["text"][n] == table["text"][50]) // 10 * 10
    times = [len((seen / i).read_text()) for i in table["id"].to_pylist()]
    assert times == [1] * at + [2] * 10 + [1] * (70 - at)
    assert eval(second.stdout) == marks_of(run(shards_of(table, 10), MANY, tmp_path))  # our own output
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.fault
def test_workers_end_when_their_driver_is_killed(tmp_path):
    program = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from openflywheel.curate._engine.local import Local\n"
        "from test_local import process, wait_at\n"
        "from pathlib import Path\n"
        "if __name__ == '__main__':\n"
        "    engine = Local(1)\n"
        "    print(*engine.each(process, [1]), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with driver:
        assert driver.stdout
        worker = int(driver.stdout.readline())
        assert alive(worker)
        driver.kill()
        driver.wait()
    for _ in range(200):
        if not alive(worker):
            break
        time.sleep(0.05)
    assert not alive(worker)


def alive(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
