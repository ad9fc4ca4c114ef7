"""What earlier runs left for the next one: sketches, links and marks of all rows so far.

All files of a state are written once. The manifest names those that count; it is replaced by renaming, and
what it does not name is removed when the state is opened the next time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec import Struct

from openflywheel.base.errors import FlywheelError, WheelBusy
from openflywheel.curate._engine import files
from openflywheel.curate._engine.segment import Segment, placed

MANIFEST = "manifest.json"


class StateRefused(FlywheelError):
    """The state is another recipe's."""


class WholeKept(Struct, frozen=True):
    """Files of one whole step: its links, which rows took no part, and keys of rows that were forgotten."""

    links: str
    out: str
    stirred: str = ""


class StageKept(Struct, frozen=True):
    """Files of one stage: segments with their rows, the marks by position, and what each whole step left."""

    segments: tuple[tuple[str, int], ...] = ()
    marks: str = ""
    wholes: tuple[WholeKept, ...] = ()

    def files(self) -> set[str]:
        """The names of all."""
        wholes = {name for whole in self.wholes for name in (whole.links, whole.out, whole.stirred)}
        return {self.marks, *(name for name, _ in self.segments), *wholes} - {""}


class Manifest(Struct, frozen=True):
    """What counts. `version` is new with every change."""

    recipe: str
    stages: tuple[StageKept, ...] = ()
    version: str = ""

    def files(self) -> set[str]:
        """The names of all."""
        return set().union(*(stage.files() for stage in self.stages))


class State(Struct, frozen=True):
    """An open state; without a folder, that of a run that remembers nothing."""

    folder: Path | None
    manifest: Manifest

    def stage(self, number: int) -> StageKept:
        """What is kept of a stage; of one that no run has reached, nothing."""
        stages = self.manifest.stages
        return stages[number] if number < len(stages) else StageKept()

    def segments(self, number: int) -> list[Segment]:
        """A stage's segments, the oldest first."""
        return placed([(self.path(name), rows) for name, rows in self.stage(number).segments])

    def path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / name

    def fresh(self, kind: str) -> str:
        """A name for a new file."""
        return f"{kind}-{uuid4().hex}"

    def commit(self, stages: tuple[StageKept, ...]) -> None:
        """Let these files count, and no others; all or nothing, whenever the process is killed."""
        assert self.folder is not None
        manifest = Manifest(self.manifest.recipe, stages, uuid4().hex)
        for name in manifest.files() - self.manifest.files():
            files.to_disk(self.folder / name)
        with files.finished(self.folder / MANIFEST) as part:
            part.write_bytes(msgspec.json.encode(manifest))
            files.to_disk(part)
        files.to_disk(self.folder)
        _tidy(self.folder, manifest)


def version(folder: Path) -> str:
    """The version of a state; "" where no run has ended well yet, though one that failed left the folder."""
    path = folder / MANIFEST
    return msgspec.json.decode(path.read_bytes(), type=Manifest).version if path.exists() else ""


@contextmanager
def opened(folder: Path, recipe: str | None) -> Iterator[State]:
    """The state in a folder, for this process alone; of whatever recipe if it is None.

    Raises StateRefused when it is another recipe's, WheelBusy while another process holds it.
    """
    busy = WheelBusy(f"another run uses the state {folder}; wait for it, or stop it")
    with files.locked(folder / "lock", busy):
        path = folder / MANIFEST
        held = msgspec.json.decode(path.read_bytes(), type=Manifest) if path.exists() else None
        manifest = held or Manifest(recipe or "")
        if recipe not in (None, manifest.recipe):
            raise StateRefused(
                f"the state {folder} was made by the recipe {manifest.recipe}, this one is {recipe}: what it"
                " remembers does not fit. Give another folder, and curate everything that is to be compared"
            )
        _tidy(folder, manifest)
        yield State(folder, manifest)


def _tidy(folder: Path, manifest: Manifest) -> None:
    named = manifest.files() | {MANIFEST, "lock"}
    for path in folder.iterdir():
        if path.name not in named:
            files.discard(path)
