"""What the wheel hands to plugins and rooms: the things of one room that another needs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from openflywheel.base import door
from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Exchange, Model, Row, Signal, Verdict
from openflywheel.base.quarantine import counting, judged
from openflywheel.base.settings import Settings
from openflywheel.collect import Progress
from openflywheel.collect._files.transcribe import transcribe
from openflywheel.collect._web.web import Web
from openflywheel.customize._budget import Estimate
from openflywheel.evaluate import judges
from openflywheel.serve._desk import Reply
from openflywheel.serve.cascade import rules
from openflywheel.signals._trust import judge
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder
from openflywheel.wheel import curating, generating
from openflywheel.wheel.asking import ask
from openflywheel.wheel.documents import read_document
from openflywheel.wheel.opening import Opener
from openflywheel.wheel.replying import Question, reply
from openflywheel.wheel.tables import providers

KNOWN = 5_000  # rows that a source may compare with what it finds


class Handed:
    """Binds plugins to their settings and to what they are handed in (`door.HANDED_IN`)."""

    def __init__(self, settings: Settings, store: Store, encoder: CachedEncoder) -> None:
        self._settings, self._store, self._encoder = settings, store, encoder
        self._open = Opener(settings, store, encoder)
        self.web = Web(settings.wheel.web)
        self.progress: Progress | None = None  # who wants to know how far sources and trainers are
        self.agree: Callable[[str, Estimate], bool] | None = None  # to training that is over budget

    def plugins(self) -> dict[str, list[Callable[..., Any]]]:
        """room -> its chosen plugins, ready to be called with data."""
        return {room: self.bound(room) for room in self._settings.rooms}

    def bound(self, room: str) -> list[Callable[..., Any]]:
        """The chosen plugins of one room."""
        own = {"workspace": self._store.path / room, "progress": partial(self._told, room)}
        return self._bind(room, {**self._things(), **own})

    def _bind(self, room: str, handed: Mapping[str, Any]) -> list[Callable[..., Any]]:
        chosen = self._settings.rooms.get(room, ())
        return door.told_apart([door.load(room, c.name, c.settings, handed) for c in chosen])

    def _told(self, room: str, facts: dict[str, float]) -> None:
        if self.progress:
            self.progress(room, facts)

    def _things(self) -> dict[str, Any]:
        return {
            "encoder": self._encoder,
            "errors": self.errors(),
            "exchanges": partial(self._store.get, Exchange),
            "heard": self.heard,
            "experts": self._store.experts,
            "detect": curating.detect(self._settings),
            "ask": partial(ask, providers=providers(self._settings)),
            "providers": providers(self._settings),
            "documents": read_document,
            "transcribe": transcribe,
            "vault": self._store.vault,
            "holdouts": partial(curating.holdouts, self._store),
            "cluster": self._settings.wheel.cluster,
            "folder": self._settings.folder,
            "predict": self.predict,
            "artefacts": self._store.artefacts,
            "web": self.web,
            "objects": self._store.objects,
            "inbox": self._store.inbox,
            "known": self.known,
            "subject": self._store.key_of,
            "tasks": self._settings.tasks,
            "budget": self._settings.wheel.budget,
            "holdout": self._settings.wheel.holdout.share,
            "seed": self._settings.wheel.seed,
        }

    def to_room(self, room: str) -> dict[str, Any]:
        """Keyword arguments of a room's `run` beyond what every room gets."""
        trust = self._settings.wheel.trust
        given: dict[str, Callable[[], dict[str, Any]]] = {
            "collect": lambda: {"budget": self._settings.wheel.budget, "progress": self.progress},
            "curate": lambda: {
                "recipe": curating.recipe(self._settings, self._store),
                "kinds": self._kinds(),
                "workspace": self._store.path / "curate",
                "engine": partial(curating.engine, self._settings),
                "opener": curating.opener(self._settings),
            },
            "customize": lambda: {
                "kinds": self._kinds(),
                "allow": self.allow,
                "workspace": self._store.path / "customize",
                "artefacts": self._store.artefacts,
            },
            "evaluate": lambda: {"kinds": self._kinds(), "predict": self.predict},
            "serve": lambda: {"checks": self.checks(), "errors": self.errors(), "scores": self.scores},
            "signals": lambda: {"judge": partial(judge, encoder=self._encoder, trust=trust)},
        }
        return given[room]() if room in given else {}

    def allow(self, trainer: str, estimate: Estimate) -> bool:
        """May a training run start that will take so much?"""
        budget = self._settings.wheel.budget
        seconds = max(estimate.cpu_seconds, estimate.gpu_seconds)
        within = seconds <= budget.training and estimate.dollars <= budget.training_dollars
        return within or (self.agree is not None and self.agree(trainer, estimate))

    def heard(self, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
        """exchange -> its signals that count, oldest first."""
        passed = judged(self._store.all(Verdict))
        return {id: counting(said, passed) for id, said in self._store.heard(exchanges).items()}

    def known(self) -> list[str]:
        """Texts of the newest curated rows, at most `KNOWN`."""
        return [row.text for row in self._store.newest(Row, KNOWN)]

    def predict(self, model: Model, texts: Sequence[str]) -> list[str]:
        """Answers of any stored model, without thresholds; empty ones by a model of another encoder."""
        return [said.output for said in self._replies(model, texts)]

    def scores(self, model: Model, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The same with their confidences, as they are served: those of another encoder are 0."""
        return [(said.output, said.confidence) for said in self._replies(model, texts)]

    def _replies(self, model: Model, texts: Sequence[str]) -> list[Reply]:
        kind, questions = self._settings.tasks[model.task].kind, [Question(text) for text in texts]
        if not questions:  # a language model takes seconds to load
            return []
        if kind == "text" and generating.champion(model, self._store):
            with generating.written_by(model, self._settings, self._store) as writing:
                return reply(kind, writing, questions)
        try:
            with one_thread():
                return reply(kind, self._open(model), questions)
        except EncoderError:
            return [Reply() for _ in texts]

    def errors(self) -> dict[str, float]:
        """Task -> the share of the model's answers that may be wrong, where the cascade is told so."""
        return {task: rule.error for task, rule in rules(self._settings).items() if rule.error is not None}

    def checks(self) -> dict[str, tuple[str, ...]]:
        """Task -> names of the verdicts that a candidate needs: one a metric of its kind, one a guard."""
        metrics = [(door.name_of(m), judges(m)) for m in self._bind("evaluate", self._things())]
        guards = [f"guard.{c.name}" for c in self._settings.rooms.get("guard", ())]
        return {
            name: (*(metric for metric, kinds in metrics if task.kind in kinds), *guards)
            for name, task in self._settings.tasks.items()
        }

    def _kinds(self) -> dict[str, str]:
        return {name: task.kind for name, task in self._settings.tasks.items()}
