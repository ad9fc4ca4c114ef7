"""Models of the store, ready to answer."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from openflywheel.base.errors import FlywheelError, StoreError
from openflywheel.base.forms import opened
from openflywheel.base.instruments.answers import Answers
from openflywheel.base.nouns import Model
from openflywheel.base.settings import Settings
from openflywheel.store import Store
from openflywheel.store.vectors import Encoder
from openflywheel.wheel.asking import ask
from openflywheel.wheel.tables import bases, providers

RETRY = 10.0  # seconds until a model that could not be opened is tried again: each try reads all of it

log = logging.getLogger("openflywheel")


class Opener:
    """Opens models, whatever their form, with what their readers may want."""

    def __init__(self, settings: Settings, store: Store, encoder: Encoder) -> None:
        self._store = store
        known = providers(settings)
        self._handed = {
            "encoder": encoder,
            "ask": partial(ask, providers=known),
            "providers": known,
            "folder": settings.folder,
            "hubs": bases(settings),
        }

    def __call__(self, model: Model) -> Answers:
        """A model ready to answer; who asks it often keeps it. Raises as `forms.opened` does."""
        return opened(self._store.path / model.uri, self._handed)


class Serving:
    """The models that serve tasks: the one promoted last, or the one before it while that can't be opened."""

    def __init__(self, store: Store, open: Callable[[Model], Answers]) -> None:
        self._store, self._open = store, open
        self._opened: dict[str, tuple[Model, Answers]] = {}
        self._failed: dict[str, Failed] = {}

    def of(self, task: str, id: str) -> tuple[Model, Answers]:
        """The model that serves a task for which `id` was promoted.

        Raises what opening it did when there is none before it.
        """
        before = self._opened.get(task)
        if before and before[0].id == id:
            return before
        failed = self._failed.get(task)
        if failed is None or failed.id != id or time.monotonic() >= failed.due:
            try:
                return self._take(task, id)
            except Exception as error:  # a damaged file is told in many ways; the one before serves on
                failed = self._note(task, id, error)
        if before is None:
            raise failed.error.with_traceback(None)  # else it grows with every question
        return before

    def _take(self, task: str, id: str) -> tuple[Model, Answers]:
        model = self._store.get(Model, [id]).get(id)
        if model is None:
            raise StoreError(f"the model {id} was promoted, and the store does not have it")
        self._opened[task] = model, self._open(model)
        self._failed.pop(task, None)
        return self._opened[task]

    def _note(self, task: str, id: str, error: Exception) -> "Failed":
        """Told once, not every few seconds."""
        known = self._failed.get(task)
        if task in self._opened and (known is None or known.id != id):
            why = str(error) if isinstance(error, FlywheelError) else f"{type(error).__name__}: {error}"
            log.warning(
                "%s was promoted for the task %s and cannot be opened, %s serves on: %s (see: flywheel models"
                " show %s)", id, task, self._opened[task][0].id, why, id,
            )  # fmt: skip
        self._failed[task] = Failed(id, error, time.monotonic() + RETRY)
        return self._failed[task]


class Failed(NamedTuple):
    """A model that could not be opened: why, and when to try again (monotonic)."""

    id: str
    error: Exception
    due: float
