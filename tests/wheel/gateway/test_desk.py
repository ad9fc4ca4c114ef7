"""Our own models for an event loop: batches, failures, and who no longer waits."""

import asyncio
from collections.abc import Sequence
from threading import Event

import pytest

from openflywheel.base.errors import EncoderError
from openflywheel.base.nouns import Exchange
from openflywheel.wheel.gateway import desk as desk_module
from openflywheel.wheel.gateway.desk import MOST, ModelDesk


class Parrot:
    """Answers with the question, once it may; remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may, self.closed = Event(), False
        self.may.set()

    def answer(
        self, task: str, texts: Sequence[str], people: Sequence[str], beside: Sequence[str]
    ) -> list[Exchange]:
        self.may.wait(30)
        self.batches.append(list(texts))
        if "boom" in texts:
            raise EncoderError(f"no encoder for {len(texts)}")
        return [
            Exchange(episode=b, task=task, input=t, output=t, variant="v", subject=p)
            for t, p, b in zip(texts, people, beside, strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if "boom" in texts:
            raise EncoderError("no vectors")
        return [[float(len(text))] for text in texts]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def parrot():
    return Parrot()


@pytest.fixture
def desk(parrot):
    opened = ModelDesk(lambda: parrot)
    yield opened
    parrot.may.set()
    opened.close()


async def gathered(desk, texts, task="route"):
    return await asyncio.gather(*(desk.answer(task, t, f"p{t}", f"b{t}") for t in texts))


def test_everybody_gets_their_own_answer(desk):
    found = asyncio.run(gathered(desk, map(str, range(100))))
    assert [e.output for e in found] == [str(i) for i in range(100)]
    assert [(e.subject, e.episode) for e in found] == [(f"p{i}", f"b{i}") for i in range(100)]


def test_what_waits_is_one_batch(desk, parrot):
    async def ask():
        parrot.may.clear()
        first = asyncio.ensure_future(desk.answer("route", "first", "", ""))
        await asyncio.sleep(0.05)
        others = [asyncio.ensure_future(desk.answer("route", str(i), "", "")) for i in range(MOST + 3)]
        await asyncio.sleep(0)
        parrot.may.set()
        await asyncio.gather(first, *others)

    asyncio.run(ask())
    sizes = [len(batch) for batch in parrot.batches]
    assert max(sizes) == MOST
    assert sum(sizes) == MOST + 4


def test_tasks_are_asked_apart(desk, parrot):
    async def ask():
        return await asyncio.gather(*(desk.answer(f"t{i % 2}", str(i), "", "") for i in range(8)))

    assert [e.task for e in asyncio.run(ask())] == ["t0", "t1"] * 4
    assert all(len({int(t) % 2 for t in batch}) == 1 for batch in parrot.batches)


def test_vectors(desk):
    assert asyncio.run(desk.embed(["a", "bb"])) == [[1.0], [2.0]]
    with pytest.raises(EncoderError, match="no vectors"):
        asyncio.run(desk.embed(["boom"]))


def test_a_failure_fails_who_asked_and_nobody_else(desk):
    with pytest.raises(EncoderError, match="no encoder"):
        asyncio.run(desk.answer("route", "boom", "", ""))
    assert asyncio.run(desk.answer("route", "a", "", "")).output == "a"


def together(desk, parrot, texts):
    """What comes of questions of one batch, after one that came first."""

    async def ask():
        parrot.may.clear()
        first = asyncio.ensure_future(desk.answer("route", "first", "", ""))
        await asyncio.sleep(0.05)
        others = [asyncio.ensure_future(desk.answer("route", text, "", "")) for text in texts]
        await asyncio.sleep(0)
        parrot.may.set()
        return (await asyncio.gather(first, *others, return_exceptions=True))[1:]

    return [each if isinstance(each, Exception) else each.output for each in asyncio.run(ask())]


def test_a_question_that_cannot_be_answered_fails_no_other(desk, parrot):
    a, boom, b = together(desk, parrot, ["a", "boom", "b"])
    assert (a, b) == ("a", "b")
    assert str(boom) == "no encoder for 1"
    assert parrot.batches == [["first"], ["a", "boom", "b"], ["a"], ["boom"], ["b"]]


def test_where_that_takes_too_long_the_rest_is_told_the_same(desk, parrot, monkeypatch):
    monkeypatch.setattr(desk_module, "ALONE", -1.0)
    found = together(desk, parrot, ["a", "boom", "b"])
    assert [str(each) for each in found] == ["no encoder for 3"] * 3
    assert parrot.batches == [["first"], ["a", "boom", "b"]]


def test_who_no_longer_waits_does_not_stop_the_others(desk, parrot):
    async def ask():
        parrot.may.clear()
        waits = [asyncio.ensure_future(desk.answer("route", str(i), "", "")) for i in range(3)]
        await asyncio.sleep(0.05)
        waits[1].cancel()
        parrot.may.set()
        return await asyncio.gather(*waits, return_exceptions=True)

    first, gone, last = asyncio.run(ask())
    assert (first.output, last.output) == ("0", "2")
    assert isinstance(gone, asyncio.CancelledError)
    assert asyncio.run(desk.answer("route", "a", "", "")).output == "a"


def test_models_that_cannot_be_opened_are_tried_again(parrot):
    tries = iter([EncoderError("first"), EncoderError("second"), parrot])

    def open_models():
        found = next(tries)
        if isinstance(found, Exception):
            raise found
        return found

    desk = ModelDesk(open_models)
    for said in ("first", "second"):
        with pytest.raises(EncoderError, match=said):
            asyncio.run(desk.answer("route", "a", "", ""))
    assert asyncio.run(desk.answer("route", "a", "", "")).output == "a"
    desk.close()
    assert parrot.closed


def test_models_that_nobody_asks_are_never_opened():
    def open_models():
        raise AssertionError("nobody asked")

    ModelDesk(open_models).close()
