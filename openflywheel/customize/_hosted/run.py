"""One paid run of fine-tuning, in a file of its own: what was begun is known before it is asked for.

A run is named by the hash of its training file and its settings, so that the same wish is the same run. Its
stages: new, uploaded (the files are at the provider), creating (the job is being asked for: whether it is
there, nobody knows before the provider is asked), created, and the ends done, failed, cancelled.
"""

import os
import time
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from openflywheel.base.nouns import Model

Stage = Literal["new", "uploaded", "creating", "created", "done", "failed", "cancelled"]
OPEN: tuple[Stage, ...] = ("creating", "created")  # money may be on its way
FOLDER = "hosted"


class Run(Struct, frozen=True, kw_only=True):
    """What was wished (from `id` to `seed`), and how far it has come (from `stage`).

    `dollars` and `tokens` are the estimate for all epochs; `at` (Unix seconds) is when the job was asked for,
    `said` why it failed, `model` what it gave.
    """

    id: str
    task: str
    kind: str
    dataset: str
    provider: str
    base: str
    method: Literal["supervised", "dpo"]
    epochs: int
    suffix: str
    system: str
    labels: tuple[str, ...]
    rows: int
    tokens: int
    price: float
    seed: int
    stage: Stage = "new"
    training_file: str = ""
    validation_file: str = ""
    job: str = ""
    at: float = 0.0
    said: str = ""
    model: Model | None = None

    @property
    def dollars(self) -> float:
        """What it takes, by estimate."""
        return self.tokens * self.price / 1e6


class Book:
    """The runs in a room's workspace, one file each."""

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[Run]:
        """Every run, by the time of its job."""
        runs = (_read(path) for path in self._folder.glob("*.json"))
        return sorted(runs, key=lambda run: (run.at, run.id))

    def open(self, task: str = "") -> list[Run]:
        """Runs whose jobs are, or may be, at work; of one task if it is named."""
        return [run for run in self.all() if run.stage in OPEN and task in ("", run.task)]

    def find(self, run: Run) -> Run:
        """The run as it was written down, else as it is."""
        place = self._place(run.id)
        return _read(place) if place.exists() else run

    def put(self, run: Run, **fields: object) -> Run:
        """The run with other fields, on disk before this returns."""
        changed = msgspec.structs.replace(run, **fields)
        fresh = self._place(run.id).with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(changed)))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._place(run.id))
        return changed

    def asks(self, run: Run) -> Run:
        """Write down that the job is asked for now."""
        return self.put(run, stage="creating", at=time.time())

    def _place(self, id: str) -> Path:
        return self._folder / f"{id}.json"


def _read(place: Path) -> Run:
    return msgspec.json.decode(place.read_bytes(), type=Run)
