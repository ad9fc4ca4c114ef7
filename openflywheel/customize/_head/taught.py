"""What a head is taught with, and what comes of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from openflywheel.base.instruments.vectors import Matrix


class Material(Struct, frozen=True):
    """Rows of a task: what is right, the vectors (n, width) that the named encoder made, weights, people."""

    task: str
    right: Sequence[str]
    vectors: Matrix
    weight: Matrix
    people: Sequence[str]
    encoder: str


class Keeps(Protocol):
    """A model that writes itself as an artefact."""

    def keep(self, folder: Path, **manifest: Any) -> Path: ...


class Taught(Struct, frozen=True):
    """A model, how it was fitted, and its figures on rows of whose people it did not learn."""

    made: Keeps
    method: str
    report: dict[str, float]
