"""Calls that cost money: each prompt is asked once, and what was answered survives a crash."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from openflywheel.base.ids import content_id, event_id
from openflywheel.base.instruments.prompting import tokens


class Paying:
    """A model whose answers are kept in a file of JSON lines under the hash of their prompt.

    calls: prompts that were answered for this run, remembered ones of a broken run included, so a run that
    goes on chooses what an unbroken one chooses. sent, received: about how many tokens went out, and came
    back. run: the name under which that is booked; it goes with the answers.
    """

    def __init__(
        self, ask: Callable[[str], str], file: Path, most: int, progress: Callable[[dict[str, float]], object]
    ) -> None:
        self._ask, self._file, self._most, self._progress = ask, file, most, progress
        self._lock, self._known, self._used = Lock(), dict[str, str](), set[str]()
        self.sent = self.received = 0
        file.parent.mkdir(parents=True, exist_ok=True)
        self.run = _name(file.with_name("run"))
        if file.exists():
            self._recall()

    @property
    def calls(self) -> int:
        """How many different prompts were asked."""
        return len(self._used)

    def __call__(self, prompt: str) -> str:
        """The model's answer."""
        name = content_id(prompt)
        with self._lock:
            said = self._known.get(name)
        if said is None:
            said = self._ask(prompt)
            self._remember(name, said)
        self._count(name, prompt, said)
        return said

    def _count(self, name: str, prompt: str, said: str) -> None:
        with self._lock:
            if name not in self._used:
                self._used.add(name)
                self.sent += tokens(prompt)
                self.received += tokens(said)
                self._progress({"step": len(self._used), "steps": self._most})

    def _remember(self, name: str, said: str) -> None:
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            self._known[name] = said
            file.write(json.dumps([name, said]) + "\n")

    def _recall(self) -> None:
        """Whole lines alone: a crash may have torn the last one, which is cut off."""
        whole, _, torn = self._file.read_bytes().rpartition(b"\n")
        self._known = dict(json.loads(line) for line in whole.splitlines())
        if torn:
            self._file.write_bytes(whole + b"\n" if whole else b"")


def _name(file: Path) -> str:
    """What stands in the file; a new name for a new file, and for one that a crash left empty."""
    if not file.exists() or not file.stat().st_size:
        file.write_text(event_id())
    return file.read_text()
