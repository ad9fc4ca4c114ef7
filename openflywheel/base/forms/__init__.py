"""Opens a model that was kept: its manifest names the form, and each form is a file here with a reader.

    def opened(place: Path, *, encoder: Encoder) -> Labelling

A reader names what it wants handed in, and imports what it needs when it is called. Models of strangers'
trainers are opened through the entry-point group "openflywheel.forms".
"""

import inspect
import pkgutil
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from openflywheel.base.errors import StoreError, suggest
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Answers

GROUP = "openflywheel.forms"


def opened(place: Path, handed: Mapping[str, Any]) -> Answers:
    """A model ready to answer; `handed` holds what readers may want ("encoder", "ask", "folder").

    Raises StoreError when it was changed on disk, nobody reads its form or it lacks what the form needs,
    EncoderError when it was taught on another encoder than the one that is handed in, MissingExtra when its
    form needs a library.
    """
    form = str(artefact.manifest(place).get("form", "head"))
    reader = _reader(form, place)
    wanted = inspect.signature(reader).parameters
    given = {name: thing for name, thing in handed.items() if name in wanted}
    try:
        answers: Answers = reader(place, **given)
    except (LookupError, TypeError, ValueError) as error:
        said = f"{type(error).__name__}: {error}"
        raise StoreError(f"the model in {place} is none of the form {form!r}: {said}") from error
    return answers


def _reader(form: str, place: Path) -> Any:
    strangers = {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}
    ours = {file.name: f"{__name__}.{file.name}" for file in pkgutil.iter_modules(__path__)}
    known = {**strangers, **ours}
    if form not in known:
        raise StoreError(f"nobody reads the model in {place}: its form is {form!r}; {suggest(form, known)}")
    return import_module(known[form]).opened
