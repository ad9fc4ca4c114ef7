"""What the wheel hands to plugins and rooms: the things of one room that another needs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.head import Head
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Exchange, Model
from openflywheel.base.settings import Settings
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder


class Handed:
    """Binds plugins to their settings and to what they are handed in (`door.HANDED_IN`)."""

    def __init__(self, settings: Settings, store: Store, encoder: CachedEncoder) -> None:
        self._settings, self._store, self._encoder = settings, store, encoder
        self._guards = self._bind("guard", {})

    def plugins(self) -> dict[str, list[Callable[..., Any]]]:
        """room -> its chosen plugins, ready to be called with data."""
        handed = self._things()
        return {room: self._bind(room, handed) for room in self._settings.rooms}

    def _bind(self, room: str, handed: Mapping[str, Any]) -> list[Callable[..., Any]]:
        return [door.load(room, c.name, c.settings, handed) for c in self._settings.rooms.get(room, ())]

    def _things(self) -> dict[str, Any]:
        return {
            "encoder": self._encoder,
            "exchanges": partial(self._store.get, Exchange),
            "heard": self._store.heard,
            "experts": self._store.experts,
            "detect": partial(guard.apply, self._guards),
            "folder": self._settings.folder,
            "predict": self.predict,
            "artefacts": self._store.artefacts,
            "tasks": self._settings.tasks,
            "budget": self._settings.wheel.budget,
            "holdout": self._settings.wheel.holdout.share,
            "seed": self._settings.wheel.seed,
        }

    def to_room(self, room: str) -> dict[str, Any]:
        """Keyword arguments of a room's `run` beyond what every room gets."""
        if room == "curate":
            return {"recipe": self._recipe()}
        if room == "evaluate":
            return {"predict": self.predict}
        if room == "serve":
            return {"checks": self.checks()}
        return {}

    def predict(self, model: Model, texts: Sequence[str]) -> list[str]:
        """Answers of any stored model, without thresholds; empty ones by a model of another encoder."""
        head = Head.read(self._store.path / model.uri)
        if not texts or head.encoder != self._encoder.name:
            return [""] * len(texts)
        with one_thread():
            return head.predict(self._encoder.encode(texts))

    def checks(self) -> tuple[str, ...]:
        """Names of the verdicts that a candidate needs: one a metric, one a guard."""
        metrics = (c.name for c in self._settings.rooms.get("evaluate", ()))
        guards = (f"guard.{c.name}" for c in self._settings.rooms.get("guard", ()))
        return (*metrics, *guards)

    def _recipe(self) -> str:
        """Hash of the curation's steps and settings: it is part of every dataset's version."""
        steps = self._settings.rooms.get("curate", ())
        return content_id(msgspec.json.encode(steps, order="deterministic"))[:12]
