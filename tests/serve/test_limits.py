"""Rates across processes, budgets, and what becomes of them when processes die or time jumps."""

import errno
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.keys import Budget, Key, OverBudget, Rate, TooManyRequests, rate_of
from openflywheel.serve import _limits
from openflywheel.serve._limits import BUCKET, HEAD, WAYS, Budgets, Limiter, admit

SLOW = rate_of("20/d")  # 20 at once, and no other within any test
MINUTE = rate_of("60/m burst 3")  # one a second
NOW = 1e6

TAKE = """
import sys
from pathlib import Path
from openflywheel.base.keys import rate_of
from openflywheel.serve._limits import Limiter
limiter = Limiter(Path(sys.argv[1]), int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
"""
COUNT = """
import os
allowed = sum(not limiter.take("key", rate_of("4000/d")) for _ in range(3000))
os.write(1, b"%d\\n" % allowed)
"""
FOREVER = TAKE + "print('going', flush=True)\nwhile True: limiter.take('key', rate_of('999999999/s'))"
HOLD = """
import fcntl, os, sys, time
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(file, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "limits"


@pytest.fixture
def limiter(path):
    opened = Limiter(path)
    yield opened
    opened.close()


@pytest.fixture
def tiny(tmp_path):
    """One bucket of 8 slots."""
    opened = Limiter(tmp_path / "tiny", WAYS)
    yield opened
    opened.close()


@pytest.fixture
def process():
    """Python code and its arguments -> a running process that has said "ready"."""
    running = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout.readline() == "ready\n"
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.wait()
        one.stdin.close()
        one.stdout.close()


def go(process: subprocess.Popen[str]) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


def allowed(limiter: Limiter, name: str, rate: Rate, times: int, now: float | None = None) -> int:
    return sum(limiter.take(name, rate, now) == 0.0 for _ in range(times))


# One process


def test_a_burst_passes_and_then_one_an_interval(limiter):
    assert [limiter.take("a", MINUTE, NOW) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert limiter.take("a", MINUTE, NOW + 0.25) == 0.75
    assert limiter.take("a", MINUTE, NOW + 1.0) == 0.0
    assert limiter.take("a", MINUTE, NOW + 1.0) == 1.0


def test_who_waits_as_told_is_let_through(limiter):
    assert allowed(limiter, "a", MINUTE, 3, NOW) == 3
    wait = limiter.take("a", MINUTE, NOW + 0.3)
    assert limiter.take("a", MINUTE, NOW + 0.3 + wait) == 0.0


@pytest.mark.parametrize("text", ["7/s", "100/m", "999/m", "1000/h", "1/d", "3/m burst 1"])
def test_exactly_the_burst_passes_at_once(limiter, text):
    rate = rate_of(text)
    assert allowed(limiter, text, rate, rate.burst + 5, NOW) == rate.burst


def test_no_more_than_the_rate_and_a_burst_pass_in_any_time(limiter):
    passed = [t for t in range(3000) if not limiter.take("a", MINUTE, NOW + t / 100)]
    assert len(passed) == 3 + 29
    for start in passed:
        for seconds in (1, 5, 10):
            assert sum(start <= t < start + seconds * 100 for t in passed) <= seconds + 3


def test_a_refused_request_does_not_count(limiter):
    assert allowed(limiter, "a", MINUTE, 500, NOW) == 3
    assert limiter.take("a", MINUTE, NOW + 1.0) == 0.0


def test_a_rest_fills_the_burst_but_no_more(limiter):
    assert allowed(limiter, "a", MINUTE, 10, NOW) == 3
    assert allowed(limiter, "a", MINUTE, 10, NOW + 2) == 2
    assert allowed(limiter, "a", MINUTE, 10, NOW + 1000) == 3


def test_names_are_limited_apart(limiter):
    names = [f"name {i}" for i in range(1000)]
    assert sum(allowed(limiter, name, MINUTE, 4, NOW) for name in names) == 3000


@pytest.mark.parametrize("name", ["", "é", "x" * 10_000, "a\0b", "key/person"])
def test_any_name_can_be_limited(limiter, name):
    assert allowed(limiter, name, MINUTE, 5, NOW) == 3


def test_a_changed_rate_holds_from_now_on(limiter):
    assert allowed(limiter, "a", rate_of("1/d"), 2, NOW) == 1
    assert limiter.take("a", MINUTE, NOW) <= 1.0
    assert limiter.take("a", MINUTE, NOW + 1.0) == 0.0


def test_without_a_time_the_monotonic_clock_counts(limiter):
    assert allowed(limiter, "a", SLOW, 100) == 20
    wait = limiter.take("a", SLOW)
    assert 4300 < wait <= 4320


def test_threads_share_a_limit(limiter, monkeypatch):
    monkeypatch.setattr(_limits, "WORD", Slow())
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: allowed(limiter, "a", SLOW, 10), range(4))) == 20


class Slow:
    """Writes after another thread had its turn."""

    size = _limits.WORD.size
    _word = _limits.WORD

    def pack_into(self, *given) -> None:
        time.sleep(0.0001)
        self._word.pack_into(*given)


# Time


def test_a_jump_of_the_wall_clock_changes_nothing(limiter, monkeypatch):
    assert allowed(limiter, "a", SLOW, 30) == 20
    for jump in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda jump=jump: jump)
        monkeypatch.setattr(time, "time_ns", lambda jump=jump: int(jump * 1e9))
        assert allowed(limiter, "a", SLOW, 5) == 0
        assert allowed(limiter, f"new at {jump}", SLOW, 30) == 20


def test_when_time_goes_back_nobody_waits_longer_than_an_interval(limiter):
    assert allowed(limiter, "a", MINUTE, 3, NOW) == 3
    before = NOW - 5e5
    assert limiter.take("a", MINUTE, before) == 1.0
    assert limiter.take("a", MINUTE, before + 0.5) == 0.5
    assert limiter.take("a", MINUTE, before + 1.0) == 0.0
    assert limiter.take("a", MINUTE, before + 1.0) == 1.0


def test_a_file_from_before_the_machine_was_started_is_begun_anew(path):
    first = Limiter(path)
    long_up = time.monotonic() + 1e6
    assert allowed(first, "a", SLOW, 30, long_up) == 20
    first.close()
    again = Limiter(path)
    assert allowed(again, "a", SLOW, 30) == 20
    again.close()


def test_limits_survive_a_restart_of_the_gateway(path):
    for expected in (20, 0):
        opened = Limiter(path)
        assert allowed(opened, "a", SLOW, 30) == expected
        opened.close()


# Slots


def test_a_full_bucket_lets_go_of_the_one_nearest_to_its_end(tiny):
    for i in range(WAYS):
        assert allowed(tiny, f"name {i}", MINUTE, 3 if i else 1, NOW) == (3 if i else 1)
    assert tiny.take("new", MINUTE, NOW) == 0.0
    assert [allowed(tiny, f"name {i}", MINUTE, 1, NOW) for i in range(1, WAYS)] == [0] * (WAYS - 1)


def test_a_past_slot_is_used_before_a_live_one(tiny):
    assert allowed(tiny, "long", SLOW, 20, NOW) == 20
    for second in range(100):  # each is past after a second
        assert allowed(tiny, f"name {second}", rate_of("1/s"), 1, NOW + 2 * second) == 1
    assert allowed(tiny, "long", SLOW, 1, NOW + 200) == 0


def test_many_names_cannot_free_one_that_is_at_its_limit(tiny):
    assert allowed(tiny, "greedy", SLOW, 30, NOW) == 20
    for i in range(2000):
        assert tiny.take(f"invented {i}", SLOW, NOW) == 0.0
    assert tiny.take("greedy", SLOW, NOW) > 0


def test_a_full_file_still_answers(tmp_path):
    small = Limiter(tmp_path / "small", 64)
    answers = {small.take(f"name {i}", rate_of("1/d"), NOW) for i in range(1000)}
    assert answers == {0.0}
    small.close()


def test_a_name_is_hashed_differently_in_every_file(tmp_path):
    hashes = set()
    for number in range(3):
        opened = Limiter(tmp_path / str(number), WAYS)
        opened.take("a", SLOW, NOW)
        opened.close()
        hashes.add((tmp_path / str(number)).read_bytes()[HEAD.size :][: BUCKET.size // 2])
    assert len(hashes) == 3


# The file


def test_the_file_has_its_size_from_the_start_and_is_its_owners(path):
    Limiter(path, 800).close()
    assert path.stat().st_size == HEAD.size + 100 * BUCKET.size
    assert path.stat().st_blocks * 512 >= path.stat().st_size  # no holes
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 1000])
def test_a_file_that_was_begun_and_not_finished_is_filled(path, content):
    path.write_bytes(content)
    opened = Limiter(path)
    assert allowed(opened, "a", SLOW, 30) == 20
    opened.close()


@pytest.mark.fault
def test_damaged_times_cannot_lock_anybody_out(path):
    opened = Limiter(path, WAYS)
    assert allowed(opened, "a", MINUTE, 4, NOW) == 3
    with path.open("r+b") as file:
        file.seek(HEAD.size + BUCKET.size // 2)
        file.write(b"\xff" * 7 + b"\x7f" + b"\xff" * (8 * WAYS - 8))
    assert opened.take("a", MINUTE, NOW) <= 1.0
    assert opened.take("a", MINUTE, NOW + 1.0) == 0.0
    opened.close()


def test_a_file_that_cannot_be_made_is_named(tmp_path):
    with pytest.raises(StoreError, match="rate limits .*nowhere/limits cannot be made"):
        Limiter(tmp_path / "nowhere" / "limits")


@pytest.mark.fault
def test_a_full_disk_is_told_at_the_start(path, process):
    code = """
import os, resource, signal, sys
from pathlib import Path
from openflywheel.base.errors import StoreError
from openflywheel.serve._limits import Limiter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
before = len(os.listdir("/proc/self/fd"))
print("ready", flush=True)
try:
    Limiter(Path(sys.argv[1]))
except StoreError as error:
    print(error, len(os.listdir("/proc/self/fd")) - before)
"""
    said = process(code, path).stdout.read()
    assert os.strerror(errno.EFBIG) in said
    assert said.endswith(" 0\n")  # no file is left open


# Several processes


def test_processes_share_a_limit_to_the_last_request(path, process):
    workers = [process(TAKE + COUNT, path, 65536) for _ in range(4)]
    for worker in workers:
        go(worker)
    counts = [int(worker.stdout.read()) for worker in workers]
    assert sum(counts) == 4000


def test_a_forked_process_shares_the_limit(path, process):
    worker = process(TAKE + "import os\nos.fork()\n" + COUNT, path, 65536)
    go(worker)
    assert sum(map(int, worker.stdout.read().split())) == 4000


@pytest.mark.fault
def test_a_killed_holder_of_the_lock_lets_go(limiter, path, process):
    holder = process(HOLD, path)
    got: list[float] = []
    waiting = threading.Thread(target=lambda: got.append(limiter.take("a", SLOW)))
    waiting.start()
    waiting.join(0.2)
    assert got == []
    holder.kill()
    waiting.join(60)
    assert got == [0.0]


@pytest.mark.fault
def test_killing_workers_in_the_midst_stops_nobody(limiter, path, process):
    for _ in range(5):
        worker = process(FOREVER, path, 65536)
        go(worker)
        assert worker.stdout.readline() == "going\n"
        assert limiter.take("key", rate_of("999999999/s")) == 0.0
        worker.kill()
        worker.wait()
    assert allowed(limiter, "other", SLOW, 30) == 20


# Budgets


class Book:
    """What all processes have written, and how often it was read."""

    def __init__(self) -> None:
        self.amounts: dict[tuple[str, str], float] = {}
        self.readings = 0

    def spent(self, names, at):
        self.readings += 1
        return {entry: amount for entry, amount in self.amounts.items() if entry[0] in names}


AT = 1_795_266_000.0  # 2026-11-21 13:00 UTC
TODAY, MONTH = "2026-11-21", "2026-11"
FIVE = Budget(5.0, "d")


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock, to be moved by hand."""
    now = [1000.0]
    monkeypatch.setattr(_limits.time, "monotonic", lambda: now[0])
    return now


def test_a_budget_that_is_spent_is_refused_until_the_day_ends(book):
    budgets = Budgets(book.spent)
    budgets.check("a", FIVE, AT)
    book.amounts["b", TODAY] = 5.0
    with pytest.raises(OverBudget, match="the budget of 5/d is spent until 2026-11-22T00:00:00Z") as caught:
        budgets.check("b", FIVE, AT)
    assert caught.value.ends == AT + 11 * 3600
    budgets.check("b", FIVE, caught.value.ends)


def test_a_month_is_counted_apart_from_a_day(book):
    book.amounts = {("a", TODAY): 1.0, ("a", MONTH): 70.0}
    budgets = Budgets(book.spent)
    budgets.check("a", FIVE, AT)
    with pytest.raises(OverBudget, match="until 2026-12-01T00:00:00Z"):
        budgets.check("a", Budget(70.0, "m"), AT)


@pytest.mark.usefixtures("clock")
def test_what_this_process_spends_counts_at_once(book):
    budgets = Budgets(book.spent)
    for _ in range(2):
        budgets.check("a", FIVE, AT)
        budgets.add("a", 2.5, AT)
    with pytest.raises(OverBudget):
        budgets.check("a", FIVE, AT)
    assert book.readings == 1


def test_what_others_spend_counts_after_a_second(book, clock):
    budgets = Budgets(book.spent)
    budgets.check("a", FIVE, AT)
    book.amounts["a", TODAY] = 5.0
    clock[0] += 0.9
    budgets.check("a", FIVE, AT)
    clock[0] += 0.1
    with pytest.raises(OverBudget):
        budgets.check("a", FIVE, AT)
    assert book.readings == 2


def test_a_new_reading_replaces_what_was_added(book, clock):
    budgets = Budgets(book.spent)
    budgets.check("a", FIVE, AT)
    book.amounts["a", TODAY] = 3.0
    budgets.add("a", 3.0, AT)
    clock[0] += 1
    budgets.check("a", FIVE, AT)


@pytest.mark.usefixtures("clock")
def test_a_new_day_begins_without_a_restart(book):
    book.amounts["a", TODAY] = 9.0
    budgets = Budgets(book.spent)
    with pytest.raises(OverBudget):
        budgets.check("a", FIVE, AT)
    budgets.check("a", FIVE, AT + 86_400)
    with pytest.raises(OverBudget):
        budgets.check("a", FIVE, AT)


@pytest.mark.usefixtures("clock")
def test_memory_is_bounded(book, monkeypatch):
    monkeypatch.setattr(_limits, "REMEMBERED", 10)
    budgets = Budgets(book.spent)
    for i in range(100):
        budgets.check(f"name {i}", FIVE, AT)
    assert len(budgets._known) <= 10
    book.amounts["name 0", TODAY] = 5.0
    with pytest.raises(OverBudget):  # forgotten, so read again
        budgets.check("name 0", FIVE, AT)


def test_what_cannot_be_read_is_not_taken_for_nothing_spent(book):
    def broken(names, at):
        raise StoreError("gone")

    with pytest.raises(StoreError, match="gone"):
        Budgets(broken).check("a", FIVE, AT)


# What a key allows


def key_of(**limits) -> Key:
    return Key(id="k", name="app", hash="00", scopes=("infer",), created=0.0, **limits)


def ask(limiter: Limiter, book: Book, key: Key, subject: str, times: int = 1) -> list[str]:
    """How each request fared: "" or the error's words."""
    budgets, told = Budgets(book.spent), []
    for _ in range(times):
        try:
            admit(key, subject, limiter, budgets, AT)
            told.append("")
        except (TooManyRequests, OverBudget) as error:
            told.append(str(error))
    return told


def test_a_key_without_limits_reads_nothing_and_admits_all(limiter, book):
    assert set(ask(limiter, book, key_of(), "ann", 100)) == {""}
    assert book.readings == 0


def test_the_keys_rate_holds_for_all_its_people_together(limiter, book):
    key = key_of(rate="20/d")
    told = [ask(limiter, book, key, f"person {i}")[0] for i in range(25)]
    assert told.count("") == 20
    assert told[-1].startswith("this API key may make 20/d requests; try again in 4.32e+03 s")


def test_each_person_has_a_rate_and_so_has_nobody(limiter, book):
    key = key_of(subject_rate="2/d")
    for subject in ("ann", "bob", ""):
        told = ask(limiter, book, key, subject, 4)
        assert told[:2] == ["", ""]
        assert all(said.startswith("this subject may make 2/d requests") for said in told[2:])


def test_a_busy_person_does_not_use_up_what_is_left_to_others(limiter, book):
    key = key_of(rate="20/d", subject_rate="2/d")
    assert ask(limiter, book, key, "busy", 100).count("") == 2
    assert sum(ask(limiter, book, key, f"person {i}") == [""] for i in range(30)) == 18


def test_who_is_over_budget_does_not_use_up_a_rate(limiter, book):
    key = key_of(rate="2/d", subject_budget="1/d")
    book.amounts["k/ann", TODAY] = 1.0
    assert all("budget of 1/d" in said for said in ask(limiter, book, key, "ann", 10))
    assert ask(limiter, book, key, "bob", 3).count("") == 2


def test_a_keys_budget_ends_it_for_everybody(limiter, book):
    key = key_of(budget="10/m")
    assert ask(limiter, book, key, "ann") == [""]
    book.amounts["k", MONTH] = 10.0
    assert "budget of 10/m" in ask(limiter, book, key, "bob")[0]


def test_a_refusal_tells_how_long_to_wait(limiter, book):
    key = key_of(rate="1/d")
    admit(key, "", limiter, Budgets(book.spent), AT)
    with pytest.raises(TooManyRequests) as caught:
        admit(key, "", limiter, Budgets(book.spent), AT)
    assert 86_000 < caught.value.retry_after <= 86_400
