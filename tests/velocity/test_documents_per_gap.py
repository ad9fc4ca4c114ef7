"""Documents per closed gap, from small histories."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from openflywheel.base.nouns import Exchange, Gap, Reading, Signal
from openflywheel.velocity.documents_per_gap import documents_per_gap

WORDS = ("battery", "shoes", "parking")


class Encoder:
    """A text is the words that it has."""

    def encode(self, texts):
        rows = [
            [word in text for word in WORDS] + [not any(word in text for word in WORDS)] for text in texts
        ]
        vectors = np.array(rows, np.float32).reshape(len(texts), len(WORDS) + 1)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Look(Struct):
    turn: int = 3
    readings: list[Any] = []
    verdicts: list[Any] = []
    recent_signals: list[Any] = []
    recent_exchanges: list[Any] = []
    gaps: list[Any] = []
    documents: int = 0


BATTERY = Gap(topic="battery", why="x", task="answer", queries=("old battery",), at=100.0)
SHOES = Gap(topic="shoes", why="x", task="answer", queries=("trail shoes",), at=200.0)


def asked(text, n=5, at=300.0, output="an answer", task="answer", ended=""):
    return [
        Exchange(
            episode=f"{text}{i}",
            task=task,
            input=f"{text} {i}",
            output=output,
            variant="m",
            at=at + i,
            ended=ended,
        )
        for i in range(n)
    ]


def said(exchange, value=-1.0, source="user", correction="", kind="rating"):
    return Signal(
        exchange=exchange.id, kind=kind, value=value, source=source, explicit=True, correction=correction
    )


def read(look, **settings):
    found = list(documents_per_gap(look, encoder=Encoder(), **settings))
    return {name: [r for r in found if r.name == name] for name in {r.name for r in found}}


def test_a_gap_whose_questions_are_answered_is_closed():
    found = read(Look(gaps=[BATTERY, SHOES], recent_exchanges=asked("a battery"), documents=40))
    (closed,) = found["gap_closed"]
    assert closed.note == f"{BATTERY.id}: battery"
    assert closed.task == "answer"
    assert closed.value == 40
    (figure,) = found["documents_per_gap"]
    assert figure.value == 40
    assert figure.low < 40 < figure.high
    assert figure.note == "40 documents, 1 gaps closed, 1 open"
    assert figure.unit == "documents"


def test_nothing_is_said_while_no_gap_is_closed():
    found = read(Look(gaps=[BATTERY], documents=40))
    assert set(found) == {"documents_fetched"}
    assert found["documents_fetched"][0].value == 40


@pytest.mark.parametrize(
    "exchanges",
    [
        asked("a battery", n=4),  # too few
        asked("trail shoes"),  # of another kind
        asked("a battery", at=50.0),  # before the gap
        asked("a battery", task="other"),
        asked("a battery", output=""),  # handed over to a person
        asked("a battery", ended="disconnected"),
        asked("a battery", n=5) + asked("battery", n=2, at=400.0, output=""),  # 2 of 7 fail
    ],
)
def test_a_gap_stays_open(exchanges):
    assert "gap_closed" not in read(Look(gaps=[BATTERY], recent_exchanges=exchanges))


def test_few_failures_are_allowed():
    exchanges = asked("a battery", n=8) + asked("battery", n=2, at=400.0, output="")
    assert "gap_closed" in read(Look(gaps=[BATTERY], recent_exchanges=exchanges))
    assert "gap_closed" not in read(Look(gaps=[BATTERY], recent_exchanges=exchanges), failing=0.1)


def test_what_people_say_decides():
    exchanges = asked("a battery")
    look = Look(gaps=[BATTERY], recent_exchanges=exchanges)
    look.recent_signals = [said(e) for e in exchanges[:2]]
    assert "gap_closed" not in read(look)
    look.recent_signals += [said(e, value=1.0) for e in exchanges[:2]]  # changed their minds
    assert "gap_closed" in read(look)
    look.recent_signals = [said(e, source="expert", correction="another answer") for e in exchanges[:2]]
    assert "gap_closed" not in read(look)
    look.recent_signals = [said(e, source="expert", correction="an answer") for e in exchanges[:2]]
    assert "gap_closed" in read(look)


def test_what_models_say_does_not():
    exchanges = asked("a battery")
    signals = [said(e, source="model") for e in exchanges]
    look = Look(gaps=[BATTERY], recent_exchanges=exchanges, recent_signals=signals)
    assert "gap_closed" in read(look)


def test_corrections_of_users_count_once_they_are_judged():
    exchanges = asked("a battery")
    signals = [said(e, correction="another answer") for e in exchanges]
    look = Look(gaps=[BATTERY], recent_exchanges=exchanges, recent_signals=signals)
    assert "gap_closed" in read(look)


def test_the_newest_exchanges_count():
    old = asked("a battery", n=20, output="")
    new = asked("battery", n=20, at=900.0)
    assert "gap_closed" in read(Look(gaps=[BATTERY], recent_exchanges=old + new))
    assert "gap_closed" not in read(Look(gaps=[BATTERY], recent_exchanges=new[:5] + old))


def test_a_gap_is_closed_once_and_documents_add_up():
    before = [
        Reading(name="documents_fetched", value=100.0, at=90.0),  # before the gap
        Reading(name="documents_fetched", value=30.0, at=150.0),
        Reading(name="gap_closed", value=30.0, at=160.0, note="other: a topic: of old"),
    ]
    look = Look(gaps=[BATTERY], recent_exchanges=asked("a battery"), documents=10, readings=before)
    found = read(look)
    assert found["gap_closed"][0].value == 40
    assert found["documents_per_gap"][0].value == pytest.approx(140 / 2)
    look.readings = [*before, found["gap_closed"][0]]
    look.documents = 0
    again = read(look)
    assert "gap_closed" not in again
    assert again["documents_per_gap"][0].value == pytest.approx(130 / 2)


def test_gaps_that_ask_for_labels_are_none_of_it():
    labels = Gap(topic="battery", why="x", task="answer", evidence=("e1",), at=100.0)
    assert "gap_closed" not in read(Look(gaps=[labels], recent_exchanges=asked("a battery")))


ASKING = Gap(id="g0", topic="battery", why="x", task="answer", queries=("a battery?",), at=100.0)


def test_what_was_fetched_before_the_first_gap_was_fetched_for_none():
    assert read(Look(documents=50)) == {}


@given(st.integers(0, 5_000), st.integers(1, 200))
def test_the_interval_holds_the_value_and_narrows(documents, closed):
    past = [Reading(name="gap_closed", value=1.0, at=1.0, note=f"g{i}: t") for i in range(closed)]
    (figure,) = read(Look(gaps=[ASKING], readings=past, documents=documents))["documents_per_gap"]
    assert figure.low <= figure.value <= figure.high
    assert figure.value == pytest.approx(documents / closed)
    more = [Reading(name="gap_closed", value=1.0, at=1.0, note=f"h{i}: t") for i in range(3 * closed)]
    (narrow,) = read(Look(gaps=[ASKING], readings=[*past, *more], documents=4 * documents))[
        "documents_per_gap"
    ]
    assert narrow.high - narrow.low <= figure.high - figure.low
