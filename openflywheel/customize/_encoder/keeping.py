"""The tuned encoder and its head, kept as a model."""

from pathlib import Path
from typing import Any

from openflywheel.base.forms import encoder
from openflywheel.base.instruments.encoder import REPOSITORY
from openflywheel.base.instruments.minilm import SHA256
from openflywheel.customize import Lesson
from openflywheel.customize._encoder import adapter
from openflywheel.customize._encoder.teaching import Shape, Taught


def kept(lesson: Lesson, shape: Shape, taught: Taught, artefacts: Path, method: str) -> Path:
    """Where it lies."""
    learned = taught.tuned.bert.learned
    manifest: dict[str, Any] = {
        "method": method,
        "fitting": taught.method,
        "task": lesson.dataset.task,
        "kind": lesson.kind,
        "base": {"name": REPOSITORY, "hub": REPOSITORY, "sha256": SHA256},
        "taught_by": [lesson.dataset.id],
        "report": taught.report,
    }
    files = adapter.files(learned, shape.rank, shape.alpha) if shape.rank else {}
    return encoder.keep(artefacts, taught.head, taught.tuned.graph, files, **manifest)
