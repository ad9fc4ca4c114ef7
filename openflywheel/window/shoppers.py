"""Simulated shoppers: they ask what the shop says about something, and the desk quotes it.

One topic is missing from what the desk knows at first; it stands on the website of the shop. Nobody tells the
wheel.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files

import msgspec
import numpy as np
from msgspec import Struct

from openflywheel.base.nouns import Exchange, Gap, Record
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Message
from openflywheel.window.site import articles

TASK = "answer"
MISSING = "battery_disposal"
TOPICS = (
    "delivery_time",
    "gift_card_balance",
    "reset_password",
    "loyalty_points",
    "delete_account",
    "size_guide",
)
ABOUT_MISSING, ABOUT_OTHERS = 24, 96  # questions a turn
PLACES = ("recycling-guide", "battery-disposal")  # pages that answer what is missing


class Asked(Struct, frozen=True, kw_only=True):
    """What came of one turn's questions: `found` were answered from a page about what was missing."""

    missing: int
    found: int
    others: int
    others_answered: int


class Order(Struct, frozen=True):
    """A gap that the wheel found in the shoppers' questions, and how many pages it fetched for it."""

    topic: str
    why: str
    fetched: int


class Shoppers:
    """They ask the task `answer`; every question is drawn from the shipped sample messages."""

    def __init__(self, wheel: Flywheel, seed: int) -> None:
        self._wheel, self._chance = wheel, np.random.default_rng([seed, 2])
        self._texts = _texts()
        self._mark = wheel.store.mark()

    def ask(self) -> Asked:
        """One turn's questions."""
        self._mark = self._wheel.store.mark()
        known = [text for topic in TOPICS for text in self._texts[topic]]
        missing = self._answers(self._drawn(self._texts[MISSING], ABOUT_MISSING))
        others = self._answers(self._drawn(known, ABOUT_OTHERS))
        return Asked(
            missing=len(missing),
            found=sum(any(place in _source(e) for place in PLACES) for e in missing),
            others=len(others),
            others_answered=sum(bool(e.output) for e in others),
        )

    def orders(self) -> list[Order]:
        """What the wheel ordered since they asked, without being told to."""
        since = self._wheel.store.since
        fetched = sum(record.source == "crawl" for record in since(Record, self._mark))
        return [
            Order(g.topic, g.why, fetched) for g in since(Gap, self._mark) if g.task == TASK and g.queries
        ]

    def _drawn(self, texts: Sequence[str], size: int) -> list[str]:
        return [str(text) for text in self._chance.choice(texts, size, replace=False)]

    def _answers(self, texts: Sequence[str]) -> list[Exchange]:
        people = [f"shopper-{i}" for i in self._chance.integers(900, size=len(texts))]
        return self._wheel.ask_many(TASK, texts, subjects=people)


def _source(exchange: Exchange) -> str:
    """Where an answer stands; empty when there is none."""
    return next((v.reason for v in exchange.verdicts if exchange.output), "")


def _texts() -> Mapping[str, list[str]]:
    """Topic -> its plain messages."""
    lines = (files(__package__) / "shop/utterances.jsonl").read_bytes().splitlines()
    found: dict[str, list[str]] = {}
    for message in (msgspec.json.decode(line, type=Message) for line in lines):
        if not message.also:
            found.setdefault(message.label, []).append(message.text)
    return found


def known_pages() -> list[dict[str, str]]:
    """What the desk knows at first: every help article but the one about what is missing."""
    known = (a for a in articles() if a["label"] != MISSING)
    return [{"text": f"{a['title']}\n{a['text']}", "page": a["label"]} for a in known]
