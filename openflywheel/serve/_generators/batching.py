"""One model for many who ask: a thread writes, and whoever waits meanwhile is in the next batch."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread

from msgspec import Struct

from openflywheel.base.instruments.answers import Writing

MOST = 16  # chats of one batch: bounds how long the first waits for the last


class Asked(Struct, eq=False):
    """A chat, and who waits for its answer."""

    chat: Sequence[Mapping[str, str]]
    most_tokens: int
    reply: "Future[str]"


class Writer:
    """A model with its thread."""

    def __init__(self, model: Writing) -> None:
        self._model = model
        self._queue: SimpleQueue[Asked | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="writer")
        self._thread.start()

    async def write(self, chat: Sequence[Mapping[str, str]], most_tokens: int) -> str:
        """The answer to a chat. Raises whatever the model does."""
        asked = Asked(chat, most_tokens, Future())
        self._queue.put(asked)
        return await asyncio.wrap_future(asked.reply)

    def close(self) -> None:
        """Answer those who wait, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            batch = [self._queue.get()]
            while len(batch) < MOST and not self._queue.empty():
                batch.append(self._queue.get())
            open_ = None not in batch
            self._work([asked for asked in batch if asked and asked.reply.set_running_or_notify_cancel()])

    def _work(self, batch: Sequence[Asked]) -> None:
        for most in {asked.most_tokens for asked in batch}:
            self._write([asked for asked in batch if asked.most_tokens == most], most)

    def _write(self, together: Sequence[Asked], most: int) -> None:
        """One chat may be wrong in many ways: when a batch fails, each of it is written alone."""
        try:
            texts = self._model.write([asked.chat for asked in together], most_tokens=most)
        except Exception as error:  # whoever asked is told; the thread goes on
            if len(together) == 1:
                together[0].reply.set_exception(error)
                return
            for asked in together:
                self._write([asked], most)
        else:
            for asked, text in zip(together, texts, strict=True):
                asked.reply.set_result(text)
