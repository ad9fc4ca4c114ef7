"""Our own models for an event loop: one thread answers, and whatever waits is one batch for the encoder."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from openflywheel.base.nouns import Exchange

T = TypeVar("T")

ALONE = 10.0  # seconds for the questions of a batch that failed, one by one: the others wait for that long
MOST = 32  # questions of one batch: bounds how long the first of them waits for the last


class Models(Protocol):
    """What answers, in the desk's thread (wheel/gateway/models.py)."""

    def answer(
        self, task: str, texts: Sequence[str], people: Sequence[str], beside: Sequence[str]
    ) -> list[Exchange]: ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]: ...

    def close(self) -> None: ...


class Question(Struct, eq=False):
    """A question for a task."""

    task: str
    text: str
    person: str
    beside: str
    reply: "Future[Exchange]"


class Texts(Struct, eq=False):
    """Texts that want vectors."""

    texts: Sequence[str]
    reply: "Future[list[list[float]]]"


class ModelDesk:
    """The questions before our own models. These are opened by the first, or by `warm`: they take 100 MB."""

    def __init__(self, open_models: Callable[[], Models]) -> None:
        self._open_models = open_models
        self._queue: SimpleQueue[Question | Texts | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def answer(self, task: str, text: str, subject: str, beside: str) -> Exchange:
        """An exchange, not yet kept; its `output` is empty where a person or a teacher should answer.

        `beside` is what else the request says: guards look at it too.
        """
        reply: Future[Exchange] = Future()
        self._put(Question(task, text, subject, beside, reply))
        return await asyncio.wrap_future(reply)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector a text."""
        reply: Future[list[list[float]]] = Future()
        self._put(Texts(texts, reply))
        return await asyncio.wrap_future(reply)

    def warm(self) -> None:
        """Open the models now, so that nobody waits for them."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="models", daemon=True)
            self._thread.start()

    def _put(self, job: Question | Texts) -> None:
        self.warm()
        self._queue.put(job)

    def close(self) -> None:
        """Answer what waits, then let go of the models."""
        self._queue.put(None)
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        models: Models | None = None
        while (first := self._queue.get()) is not None:
            jobs = [first, *self._waiting()]
            try:
                models = models or self._open_models()
            except Exception as error:  # whoever asked is told, and the next question tries again
                for job in jobs:
                    _fail(job.reply, error)
            else:
                self._work(models, jobs)
        if models:
            models.close()

    def _waiting(self) -> Iterator[Question | Texts]:
        for _ in range(MOST - 1):
            if self._queue.empty():
                return
            job = self._queue.get()
            if job is None:
                self._queue.put(None)
                return
            yield job

    def _work(self, models: Models, jobs: Sequence[Question | Texts]) -> None:
        tasks: dict[str, list[Question]] = {}
        for job in jobs:
            if isinstance(job, Question):
                tasks.setdefault(job.task, []).append(job)
            else:
                _embed(models, job)
        for task, asked in tasks.items():
            _answer(models, task, asked)


def _embed(models: Models, job: Texts) -> None:
    try:
        vectors = models.embed(job.texts)
    except Exception as error:  # whoever asked is told; the thread goes on
        _fail(job.reply, error)
    else:
        _give(job.reply, vectors)


def _answer(models: Models, task: str, asked: Sequence[Question]) -> None:
    """Answer questions for one task together; when that fails, each alone."""
    given = [[getattr(q, name) for q in asked] for name in ("text", "person", "beside")]
    try:
        found = models.answer(task, *given)
    except Exception as error:  # whoever asked is told; the thread goes on
        if len(asked) == 1:
            _fail(asked[0].reply, error)
        else:
            _each(models, task, asked, error)
    else:
        for question, exchange in zip(asked, found, strict=True):
            _give(question.reply, exchange)


def _each(models: Models, task: str, asked: Sequence[Question], error: Exception) -> None:
    """One question that nobody can answer fails no other; where all fail the rest is soon told the same."""
    until = time.monotonic() + ALONE
    for question in asked:
        if time.monotonic() < until:
            _answer(models, task, [question])
        else:
            _fail(question.reply, error)


def _give(reply: "Future[T]", result: T) -> None:
    if reply.set_running_or_notify_cancel():  # else nobody waits for it any more
        reply.set_result(result)


def _fail(reply: "Future[Any]", error: Exception) -> None:
    if reply.set_running_or_notify_cancel():
        reply.set_exception(error)
