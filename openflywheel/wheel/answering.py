"""From a question to an Exchange: guards, then the champion with its cascade, or quotes for text tasks."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from openflywheel import guard
from openflywheel.base.champion import champions
from openflywheel.base.instruments.answers import Answers, Exploring
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Exchange, Model, Verdict
from openflywheel.base.settings import Settings
from openflywheel.serve._desk import Reply
from openflywheel.serve.cascade import certified, rules
from openflywheel.serve.routes import CHAMPION
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder
from openflywheel.wheel.extractive import Answered, Quoting, own_variants
from openflywheel.wheel.opening import Opener, Serving
from openflywheel.wheel.replying import Question, explored, reply

PERSON = "person"
Guarded = tuple[str, tuple[Verdict, ...]]


class Answering:
    """Answers with the champion of each task, and notices when another one was promoted.

    Text tasks are answered by their champion where a route names flywheel/champion, else by quotes
    (extractive.py).
    """

    def __init__(
        self, settings: Settings, store: Store, encoder: CachedEncoder, plugins: Mapping[str, list[Any]]
    ) -> None:
        self._settings, self._store, self._plugins = settings, store, plugins
        self._serving = Serving(store, Opener(settings, store, encoder))
        self._lock = threading.Lock()
        self._seen = -1  # journal number of the newest verdict that was looked at
        self._rules = rules(settings)
        self._quoting = Quoting(settings, store, encoder, plugins)
        self._writing = own_variants(settings, CHAMPION)
        self._promoted: dict[str, str] = {}
        self._certified: Mapping[str, Verdict] = {}

    def answer(
        self, task: str, inputs: Sequence[str], people: Sequence[str], talks: Sequence[str]
    ) -> list[Exchange]:
        """One Exchange an input, not yet kept. What a guard refuses goes to a person, and is not stored.

        Raises SettingsError for a text task that no variant answers in this process.
        """
        start = time.perf_counter()
        guarded = [_refuse(guard.apply(self._plugins.get("guard", []), text)) for text in inputs]
        asked = [Question(text, person) for (text, _), person in zip(guarded, people, strict=True)]
        variant, said = self._answers(task, asked)
        seconds = (time.perf_counter() - start) / max(len(inputs), 1)
        return [
            self._exchange(task, variant, *each, seconds)
            for each in zip(said, guarded, people, talks, strict=True)
        ]

    def _answers(self, task: str, asked: Sequence[Question]) -> tuple[str, list[Answered]]:
        """Who answers a task, and what it says to each question with its sources."""
        text = self._settings.tasks[task].kind == "text"
        model, answers = self.champion(task) if not text or task in self._writing else (None, None)
        if text and answers is None:
            return self._quoting.variant(task), self._quoting.answer(task, [each.text for each in asked])
        least = self._threshold(task, model)
        said = self._replies(task, answers, asked, least) if answers else [Reply() for _ in asked]
        return self._writing.get(task, model.id if model else ""), [(each, ()) for each in said]

    def _replies(self, task: str, answers: Answers, asked: Sequence[Question], least: float) -> list[Reply]:
        kind = self._settings.tasks[task].kind
        with one_thread():
            if kind == "rank" and isinstance(answers, Exploring):
                found = explored(answers, asked) if asked else []
            else:
                found = reply(kind, answers, asked, least)
        return [said if each.text else Reply() for said, each in zip(found, asked, strict=True)]

    def _exchange(
        self,
        task: str,
        variant: str,
        answered: Answered,
        guarded: Guarded,
        person: str,
        talk: str,
        seconds: float,
    ) -> Exchange:
        costs, (text, verdicts), (reply, sources) = self._settings.tasks[task].costs, guarded, answered
        asked = variant if text else ""
        return Exchange(
            episode=talk,
            task=task,
            subject=person,
            input=text,
            output=reply.output,
            variant=asked or PERSON,
            confidence=reply.confidence,
            propensity=reply.propensity,
            choices=reply.choices,
            cost=costs.call * bool(asked) + costs.person * (not reply.output),
            latency=seconds,
            verdicts=(*verdicts, *sources),
            settings=self._settings.version,
        )

    def _threshold(self, task: str, model: Model | None) -> float:
        """Confidence below which a model does not answer; without a cascade it always answers."""
        rule = self._rules.get(task)
        return rule.threshold(self._certified.get(model.id)) if rule and model else 0.0

    def champion(self, task: str) -> tuple[Model | None, Answers | None]:
        """The model that serves a task, ready to answer; (None, None) before the first promotion.

        A new one that cannot be opened is tried again after some seconds (opening.py), and the one before it
        serves on. Raises what opening it did when there is none before it.
        """
        newest = self._store.journal.rows("SELECT max(seq) FROM journal WHERE kind = 'verdict'")[0][0] or 0
        with self._lock:
            if newest != self._seen:
                verdicts = self._store.all(Verdict)
                self._promoted = champions(verdicts)
                self._certified = certified(verdicts)
                self._seen = newest
            id = self._promoted.get(task)
            return self._serving.of(task, id) if id else (None, None)


def _refuse(guarded: Guarded) -> Guarded:
    text, verdicts = guarded
    return ("" if any(v.passed == "no" for v in verdicts) else text), verdicts
