"""From a question to an Exchange: guards, champion, cascade."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from openflywheel import guard
from openflywheel.base.champion import champions
from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments.head import Head
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Exchange, Model, Verdict
from openflywheel.base.settings import Settings
from openflywheel.serve._desk import Reply, replies
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder

PERSON = "person"
Guarded = tuple[str, tuple[Verdict, ...]]


class Answering:
    """Answers with the champion of each task, and notices when another one was promoted."""

    def __init__(
        self, settings: Settings, store: Store, encoder: CachedEncoder, plugins: Mapping[str, list[Any]]
    ) -> None:
        self._settings, self._store, self._encoder, self._plugins = settings, store, encoder, plugins
        self._lock = threading.Lock()
        self._seen = -1  # journal number of the newest verdict that was looked at
        self._serving: dict[str, tuple[Model, Head]] = {}

    def answer(
        self, task: str, inputs: Sequence[str], people: Sequence[str], talks: Sequence[str]
    ) -> list[Exchange]:
        """One Exchange an input, not yet kept. What a guard refuses goes to a person, and is not stored."""
        start = time.perf_counter()
        model, head = self.champion(task)
        guarded = [_refuse(guard.apply(self._plugins.get("guard", []), text)) for text in inputs]
        said = self._replies(task, head, [text for text, _ in guarded])
        seconds = (time.perf_counter() - start) / max(len(inputs), 1)
        return [
            self._exchange(task, model, *each, seconds)
            for each in zip(said, guarded, people, talks, strict=True)
        ]

    def _replies(self, task: str, head: Head | None, texts: Sequence[str]) -> list[Reply]:
        if head is None:
            return [Reply() for _ in texts]
        if head.encoder != self._encoder.name:
            raise EncoderError(
                f"the champion of {task!r} was taught on the encoder {head.encoder!r}, this process has "
                f"{self._encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
            )
        with one_thread():
            probabilities = head.probabilities(self._encoder.encode(texts))
        found = replies(head.labels, probabilities, self.threshold(task))
        return [reply if text else Reply() for reply, text in zip(found, texts, strict=True)]

    def _exchange(
        self,
        task: str,
        model: Model | None,
        reply: Reply,
        guarded: Guarded,
        person: str,
        talk: str,
        seconds: float,
    ) -> Exchange:
        costs, (text, verdicts) = self._settings.tasks[task].costs, guarded
        asked = model if text else None
        return Exchange(
            episode=talk,
            task=task,
            subject=person,
            input=text,
            output=reply.output,
            variant=asked.id if asked else PERSON,
            confidence=reply.confidence,
            choices=reply.choices,
            cost=costs.call * (asked is not None) + costs.person * (not reply.output),
            latency=seconds,
            verdicts=verdicts,
            settings=self._settings.version,
        )

    def threshold(self, task: str) -> float:
        """Confidence below which a person answers; without a plugin in `serve` the model always answers."""
        return max(
            (plugin(self._settings.tasks[task].costs) for plugin in self._plugins.get("serve", [])),
            default=0.0,
        )

    def champion(self, task: str) -> tuple[Model | None, Head | None]:
        """The model that serves a task, ready to answer; (None, None) before the first promotion."""
        newest = self._store.journal.rows("SELECT max(seq) FROM journal WHERE kind = 'verdict'")[0][0] or 0
        with self._lock:
            if newest != self._seen:
                self._look(champions(self._store.all(Verdict)))
                self._seen = newest
            return self._serving.get(task, (None, None))

    def _look(self, serving: Mapping[str, str]) -> None:
        models = self._store.get(Model, list(serving.values()))
        for task, id in serving.items():
            if task not in self._serving or self._serving[task][0].id != id:
                self._serving[task] = (models[id], Head.read(self._store.path / models[id].uri))


def _refuse(guarded: Guarded) -> Guarded:
    text, verdicts = guarded
    return ("" if any(v.passed == "no" for v in verdicts) else text), verdicts
