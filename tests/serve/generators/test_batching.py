"""One model for many who ask."""

import asyncio
from threading import Event, Thread, enumerate

import pytest

from openflywheel.serve._generators.batching import MOST, Writer


class Slow:
    """Waits for a sign before it writes the first time; notes what came together."""

    def __init__(self) -> None:
        self.began, self.go, self.batches = Event(), Event(), []

    def write(self, chats, *, most_tokens):
        self.batches.append([chat[0]["content"] for chat in chats])
        self.began.set()
        self.go.wait(10)
        if any(chat[0]["content"] == "bad" for chat in chats):
            raise ValueError("bad")
        return [f"{chat[0]['content']}/{most_tokens}" for chat in chats]


def ask(writer: Writer, text: str, most: int = 5):
    return writer.write([{"role": "user", "content": text}], most)


def test_whoever_waits_is_written_together():
    async def main() -> list[str]:
        model = Slow()
        writer = Writer(model)
        first = asyncio.create_task(ask(writer, "a"))
        await asyncio.to_thread(model.began.wait, 10)
        others = [asyncio.create_task(ask(writer, t, most)) for t, most in (("b", 5), ("c", 5), ("d", 9))]
        await asyncio.sleep(0.05)
        model.go.set()
        said = await asyncio.gather(first, *others)
        writer.close()
        assert model.batches[0] == ["a"]
        assert sorted(model.batches[1:]) == [["b", "c"], ["d"]]
        return said

    assert asyncio.run(main()) == ["a/5", "b/5", "c/5", "d/9"]


def test_a_batch_has_an_end():
    async def main() -> None:
        model = Slow()
        writer = Writer(model)
        asked = [asyncio.create_task(ask(writer, str(i))) for i in range(MOST + 5)]
        await asyncio.to_thread(model.began.wait, 10)
        model.go.set()
        await asyncio.gather(*asked)
        writer.close()
        assert max(map(len, model.batches)) <= MOST

    asyncio.run(main())


def test_an_error_is_for_those_who_asked():
    async def main() -> None:
        model = Slow()
        model.go.set()
        writer = Writer(model)
        with pytest.raises(ValueError, match="bad"):
            await ask(writer, "bad")
        assert await ask(writer, "good") == "good/5"
        writer.close()

    asyncio.run(main())


def test_a_chat_that_cannot_be_written_fails_nobody_else():
    async def main() -> list[object]:
        model = Slow()
        writer = Writer(model)
        first = asyncio.create_task(ask(writer, "a"))
        await asyncio.to_thread(model.began.wait, 10)
        others = [asyncio.create_task(ask(writer, text)) for text in ("b", "bad", "c")]
        await asyncio.sleep(0.05)
        model.go.set()
        said = await asyncio.gather(first, *others, return_exceptions=True)
        assert model.batches == [["a"], ["b", "bad", "c"], ["b"], ["bad"], ["c"]]
        writer.close()
        return said

    a, b, bad, c = asyncio.run(main())
    assert (a, b, c) == ("a/5", "b/5", "c/5")
    assert isinstance(bad, ValueError)


def test_who_went_away_is_not_written_for():
    async def main() -> None:
        model = Slow()
        writer = Writer(model)
        first = asyncio.create_task(ask(writer, "a"))
        await asyncio.to_thread(model.began.wait, 10)
        gone = asyncio.create_task(ask(writer, "gone"))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.sleep(0.05)
        model.go.set()
        await first
        writer.close()
        assert model.batches == [["a"]]

    asyncio.run(main())


def test_closing_ends_the_thread():
    before = set(enumerate())
    Writer(Slow()).close()
    assert set[Thread](enumerate()) == before
