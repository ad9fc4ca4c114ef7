"""What was read already, in bounded space: which files of a listing are new, changed or came late.

Names are spread over 1,024 buckets by their hash. A bucket keeps 32 bits, the sum of the hashes of
(name, size, time) of what was read in it: 4 KB, however many files there are. A bucket whose sum is that of
the listing holds nothing new; one that differs by files that are all younger than the newest of the last pass
has only those to read; at any other difference (a late arrival with an older time, a change, a deletion) all
of the bucket is read again, a thousandth of the listing. So arrivals in the same second and keys that sort
before the last one are found. A changed bucket is overlooked once in 2**32 times.
"""

import base64
import zlib
from array import array
from collections import defaultdict
from collections.abc import Generator, Sequence
from hashlib import blake2b
from typing import Any

from openflywheel.collect._files.entry import Entry

BUCKETS = 1024
ROUND = 1 << 32

State = dict[str, Any]


class Seen:
    """A pass through a listing in the order of names, which may stop anywhere and go on another time.

    It lives in `state` (JSON-able, at most 12 KB, 6 KB after a whole pass): `read` holds the sums of the last
    whole pass and `newest` its newest time; `now` holds the sums of the pass that is under way, `after` the
    name where it stands, `row` and `at` how much was given of the next file.
    """

    def __init__(self, state: State, settings: str) -> None:
        self.state = state
        if state.get("settings") != settings:  # other columns: everything is read again
            state.clear()
            state |= {"settings": settings, "read": "", "newest": 0}
        self._now = _unpacked(state.get("now", ""))

    def fresh(self, entries: Sequence[Entry]) -> Generator[tuple[Entry, int], None, None]:
        """What is to be read, each with how many of its things were given before.

        An entry counts as read once the next one is asked for. The state tells where the pass stands when it
        ends or is closed.
        """
        read, after = self._read(entries), self.state.get("after", "")
        try:
            for entry in sorted(entries, key=lambda e: e.name):
                if entry.name <= after:
                    continue
                if entry.name not in read:
                    yield entry, self.state["row"] if self.state.get("at") == mark(entry) else 0
                bucket, after = bucket_of(entry), entry.name
                self._now[bucket] = (self._now[bucket] + mark(entry)) % ROUND
        finally:
            self.state |= {"now": _packed(self._now), "after": after}
        self._end(max((e.time for e in entries), default=0))

    def given(self, entry: Entry, row: int) -> None:
        """So many things of a file that is not read to its end yet were given."""
        self.state |= {"row": row, "at": mark(entry)}

    def _end(self, newest: int) -> None:
        self.state |= {"read": self.state.pop("now"), "newest": newest}
        for place in ("after", "row", "at"):
            self.state.pop(place, None)

    def _read(self, entries: Sequence[Entry]) -> set[str]:
        """The names of what the last pass read: whole buckets, or what in them is not younger than it."""
        buckets: dict[int, list[Entry]] = defaultdict(list)
        for entry in entries:
            buckets[bucket_of(entry)].append(entry)
        sums, read = _unpacked(self.state["read"]), set[str]()
        for bucket, group in buckets.items():
            older = [e for e in group if e.time <= self.state["newest"]]
            same = next(
                (known for known in (group, older) if sum(map(mark, known)) % ROUND == sums[bucket]), []
            )
            read.update(e.name for e in same)
        return read


def mark(entry: Entry) -> int:
    """32 bits of what an entry looks like: another size or time is another mark."""
    return _hash(f"{entry.size} {entry.time} {entry.name}")


def bucket_of(entry: Entry) -> int:
    """Where an entry is counted, whatever it looks like."""
    return _hash(entry.name) % BUCKETS


def _hash(said: str) -> int:
    return int.from_bytes(blake2b(said.encode("utf-8", "surrogateescape"), digest_size=4).digest(), "big")


def _packed(sums: "array[int]") -> str:
    """Few files make few sums: zlib leaves little of an empty table."""
    return base64.b64encode(zlib.compress(sums.tobytes())).decode()


def _unpacked(said: str) -> "array[int]":
    return array("I", zlib.decompress(base64.b64decode(said)) if said else bytes(4 * BUCKETS))
