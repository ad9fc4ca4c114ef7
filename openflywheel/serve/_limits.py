"""How often and for how much money? Rates that hold across the processes of one machine, and budgets.

Rates follow GCRA, the generic cell rate algorithm (ITU-T Recommendation I.371, annex A, virtual scheduling):
of each name only the theoretical arrival time of its next request is kept, 16 bytes however many come.
"""

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from fcntl import LOCK_EX, LOCK_UN, lockf
from hashlib import blake2b
from mmap import mmap
from pathlib import Path
from struct import Struct
from threading import Lock

from openflywheel.base.errors import StoreError
from openflywheel.base.keys import (
    Budget,
    Key,
    OverBudget,
    Per,
    Rate,
    TooManyRequests,
    budget_of,
    period,
    period_ends,
    rate_of,
)

Spent = Callable[[Sequence[str], float], Mapping[tuple[str, str], float]]

WAYS = 8  # slots of a bucket
BUCKET = Struct(f"<{2 * WAYS}q")  # hashes of names, then their times: nanoseconds of CLOCK_MONOTONIC
WORD = Struct("<q")
HEAD = Struct("<16sq40x")  # salt of the hashes, newest time seen
NEWEST = 16  # where the latter stands
FRESH = 1.0  # seconds for which an amount spent is taken from memory
REMEMBERED = 50_000  # amounts kept in memory


class Limiter:
    """Rate limits in a file that every worker process maps; open it once in a process.

    The time is CLOCK_MONOTONIC: common to all processes, untouched by the wall clock. The hash of a name
    leads to a bucket of 8 slots; a name that is new there takes the slot with the earliest time: empty,
    else past and so without meaning, else the nearest to its end. The salt keeps anybody from inventing
    names that drive out others. A bucket changes under a record lock (POSIX fcntl), which the system
    releases when its holder dies. Raises StoreError when the file cannot be made.
    """

    def __init__(self, path: Path, slots: int = 65536) -> None:
        self._buckets = max(slots // WAYS, 1)
        self._threads = Lock()  # record locks hold between processes, not between threads
        try:
            with ExitStack() as undo:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                undo.callback(os.close, self._file)
                self._map = self._open()
                undo.pop_all()
        except OSError as error:
            raise StoreError(f"the file of rate limits {path} cannot be made: {error}") from error
        self._salt = self._map[:NEWEST]

    def _open(self) -> mmap:
        """Map the file; what is new, or older than the machine's last start, is filled first."""
        size = HEAD.size + self._buckets * BUCKET.size
        lockf(self._file, LOCK_EX)
        try:
            head = os.pread(self._file, HEAD.size, 0).ljust(HEAD.size, b"\0")
            if os.fstat(self._file).st_size < size or HEAD.unpack(head)[1] > time.monotonic_ns():
                _fill(self._file, HEAD.pack(os.urandom(16), 0).ljust(size, b"\0"))
            return mmap(self._file, size)
        finally:
            lockf(self._file, LOCK_UN)

    def take(self, name: str, rate: Rate, now: float | None = None) -> float:
        """0.0 when a request is allowed, and counted; else in how many seconds one will be.

        A request that is refused does not count. `now` is for tests: seconds of the monotonic clock.
        """
        digest = blake2b(name.encode(), digest_size=8, salt=self._salt).digest()
        hashed = int.from_bytes(digest, "little", signed=True)
        at = HEAD.size + hashed % self._buckets * BUCKET.size
        with self._threads:
            lockf(self._file, LOCK_EX, BUCKET.size, at)
            try:
                return self._arrive(hashed, at, rate, now)
            finally:
                lockf(self._file, LOCK_UN, BUCKET.size, at)

    def _arrive(self, hashed: int, at: int, rate: Rate, clock: float | None) -> float:
        now = time.monotonic_ns() if clock is None else round(clock * 1e9)
        values = BUCKET.unpack_from(self._map, at)
        names, times = values[:WAYS], values[WAYS:]
        known = hashed in names
        place = names.index(hashed) if known else times.index(min(times))
        tolerance = (rate.burst - 1) * rate.interval
        # Further ahead than this it can only be when time went back or the rate was changed.
        due = min(max(times[place], now), now + tolerance + rate.interval) if known else now
        wait = due - tolerance - now
        WORD.pack_into(self._map, at + WORD.size * place, hashed)
        WORD.pack_into(self._map, at + WORD.size * (WAYS + place), due if wait > 0 else due + rate.interval)
        WORD.pack_into(self._map, NEWEST, now)
        return max(wait, 0) / 1e9

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        os.close(self._file)


def _fill(file: int, content: bytes) -> None:
    """Write it all: a hole for which the disk has no room would kill whoever touches its mapping (SIGBUS)."""
    done = 0
    while done < len(content):
        done += os.pwrite(file, content[done:], done)


class Budgets:
    """What names have spent, as far as this process knows: at most a second behind the other processes.

    `spent` gives (name, period) -> amount for names at a moment (store.keys.Keys.spent). Requests in flight
    when a budget ends are still paid for: it is exceeded by at most their cost and a second's of the others.
    """

    def __init__(self, spent: Spent) -> None:
        self._spent = spent
        self._known: dict[tuple[str, str], tuple[float, float]] = {}  # when it was read (monotonic), amount

    def check(self, name: str, budget: Budget, at: float) -> None:
        """Raises OverBudget when the budget of this day or month (`at`: Unix seconds) is spent."""
        if self._amount(name, budget.per, at) >= budget.amount:
            ends = period_ends(at, budget.per)
            said = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
            raise OverBudget(f"the budget of {budget.amount:g}/{budget.per} is spent until {said}", ends)

    def _amount(self, name: str, per: Per, at: float) -> float:
        entry, now = (name, period(at, per)), time.monotonic()
        read, amount = self._known.get(entry, (-math.inf, 0.0))
        if now - read >= FRESH:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            amount = self._spent([name], at).get(entry, 0.0)
            self._known[entry] = now, amount
        return amount

    def add(self, name: str, amount: float, at: float) -> None:
        """Count what was spent just now; to be called after it was written, for the next reading holds it."""
        pers: tuple[Per, Per] = ("d", "m")
        for per in pers:
            entry = name, period(at, per)
            if entry in self._known:
                read, before = self._known[entry]
                self._known[entry] = read, before + amount


def admit(key: Key, subject: str, limiter: Limiter, budgets: Budgets, at: float) -> None:
    """Count a request of a person under a key. Raises OverBudget or TooManyRequests when it may not pass.

    Budgets first, since asking them counts nothing. The person before the key: else one busy person would
    use up the key's rate for all the others by requests that are refused.
    """
    person, own = key.account(subject), key.account()
    for name, budget in ((person, key.subject_budget), (own, key.budget)):
        if budget:
            budgets.check(name, budget_of(budget), at)
    for name, whose, rate in ((person, "this subject", key.subject_rate), (own, "this API key", key.rate)):
        if rate and (wait := limiter.take(name, rate_of(rate))):
            raise TooManyRequests(f"{whose} may make {rate} requests; try again in {wait:.3g} s", wait)
