"""Text tasks in this process: the curated rows of the store, and the plugin that quotes them."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Row, Verdict
from openflywheel.base.settings import Settings
from openflywheel.serve._desk import Reply
from openflywheel.serve._passages import Index, passages
from openflywheel.serve.extractive import SOURCE, Quote
from openflywheel.serve.routes import EXTRACTIVE, routes
from openflywheel.store import Store
from openflywheel.store.vectors import CachedEncoder

PATIENCE = 2.0  # seconds of embedding that one batch of questions waits for; some 600 new sentences
NAME = "extractive"

Answered = tuple[Reply, tuple[Verdict, ...]]
NOTHING: Answered = (Reply(), ())


class Quoting:
    """Answers text tasks with quotes, and notices when new rows have come."""

    def __init__(
        self, settings: Settings, store: Store, encoder: CachedEncoder, plugins: Mapping[str, list[Any]]
    ) -> None:
        self._variants = own_variants(settings)
        self._store, self._encoder = store, encoder
        chosen = (p for p in plugins.get("serve", []) if door.name_of(p) == NAME)
        self._choose: Callable[[Sequence[Quote]], Quote | None] = next(chosen, door.find("serve", NAME))
        self._lock = threading.Lock()
        self._seen = -1  # journal number of the newest row that was looked at
        self._indexes: dict[str, Index] = {}

    def variant(self, task: str) -> str:
        """The name of a text task's own variant. Raises SettingsError where none answers in this process."""
        if task not in self._variants:
            raise SettingsError(
                f"serve.routes: no variant of the text task {task!r} answers in this process; ask it through "
                f"flywheel serve, or add to flywheel.yaml: serve: {{routes: {{{task}: {{variants: "
                f"{{own: {{model: {EXTRACTIVE}}}}}}}}}}}"
            )
        return self._variants[task]

    def answer(self, task: str, texts: Sequence[str]) -> list[Answered]:
        """For each text an answer and where it stands; no output where no quote is sure enough."""
        with one_thread():
            found = self.index(task).search(texts, time.time())
        pairs = zip(texts, found, strict=True)
        return [self._answered(task, quotes) if text else NOTHING for text, quotes in pairs]

    def _answered(self, task: str, quotes: Sequence[Quote]) -> Answered:
        best = self._choose(quotes)
        sure = quotes[0].confidence if quotes else 0.0
        reply = Reply(best.text if best else "", sure, tuple(q.text for q in quotes))
        return reply, (_source(task, best),) if best else ()

    def index(self, task: str) -> Index:
        """The passages of a task as the store has them now, embedded as far as `PATIENCE` allows."""
        newest = self._store.journal.rows("SELECT max(seq) FROM journal WHERE kind = 'row'")[0][0] or 0
        with self._lock:
            if newest != self._seen:
                self._indexes.clear()
                self._seen = newest
            if task not in self._indexes:
                self._indexes[task] = Index(passages(self._store.all(Row), task), self._encoder)
            self._indexes[task].grow(PATIENCE)
            return self._indexes[task]


def own_variants(settings: Settings, model: str = EXTRACTIVE) -> dict[str, str]:
    """Text task -> its variant with this model of ours. Raises SettingsError."""
    tables = [c.settings for c in settings.rooms.get("serve", ()) if c.name == "routes"]
    found = routes(**tables[-1]) if tables else {}
    return {
        task: name
        for task, route in found.items()
        for name, variant in route.variants.items()
        if variant.model == model
    }


def _source(task: str, quote: Quote) -> Verdict:
    """The citation: an opinion about a row, that it answers the question; `reason` is where it came from."""
    return Verdict(
        check=SOURCE, about=quote.row, task=task, passed="yes", score=quote.confidence, reason=quote.uri
    )
