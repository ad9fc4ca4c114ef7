"""A model that a generator serves, for those who ask in Python: evaluation, a wheel without a gateway."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from openflywheel.serve._generators.champion import Champion, NotLoaded
from openflywheel.serve._generators.engine import Engine
from openflywheel.serve._generators.plain import plain
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import AttemptFailed

if TYPE_CHECKING:
    from openflywheel.base.instruments.answers import Chat  # it imports numpy: a gateway does without

AT_ONCE = 16  # requests that wait for answers; servers put them into one batch


class Said(Struct):
    content: str | None = None


class Choice(Struct):
    message: Said


class Answer(Struct):
    """Of a chat completion, the text."""

    choices: list[Choice]


class Served:
    """A loaded model (answers.Writing); `runner` owns the event loop in which it was loaded."""

    def __init__(self, runner: asyncio.Runner, target: Target) -> None:
        self._runner, self._target = runner, target

    def write(self, chats: "Sequence[Chat]", *, most_tokens: int = 256) -> list[str]:
        """The likeliest next message of each chat. Raises NotLoaded when one is not answered."""
        return self._runner.run(self._all(chats, most_tokens))

    async def _all(self, chats: "Sequence[Chat]", most_tokens: int) -> list[str]:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(chat: "Chat") -> str:
            async with places:
                return await self._write(chat, most_tokens)

        return await asyncio.gather(*map(one, chats))

    async def _write(self, chat: "Chat", most_tokens: int) -> str:
        model, upstream = self._target.model, self._target.upstream
        said = {"model": model, "messages": chat, "max_tokens": most_tokens, "temperature": 0}
        asked = msgspec.json.encode(said)
        if self._target.special:
            asked = plain(asked, self._target.special)
        try:
            reply = await upstream.post("/chat/completions", asked, {}, model)
            body = await reply.read()
        except (AttemptFailed, OSError) as error:
            raise NotLoaded(f"{model} does not answer: {error}") from error
        if reply.status != 200:
            raise NotLoaded(f"{model} does not answer: {reply.status} {body[:500].decode(errors='replace')}")
        return msgspec.json.decode(body, type=Answer).choices[0].message.content or ""


@contextmanager
def served(open_engine: Callable[[], Engine], champion: Champion) -> Iterator[Served]:
    """Load a model, lend it, and let go of it. Raises NotLoaded."""
    with asyncio.Runner() as runner:
        engine = open_engine()  # inside, since locks and connections belong to one event loop
        try:
            target = runner.run(engine.load(champion))
            try:
                yield Served(runner, target)
            finally:
                runner.run(engine.unload(champion))
        finally:
            runner.run(engine.close())
