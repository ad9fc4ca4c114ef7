"""Simulated people: customers who write, rate, rephrase, correct and leave; experts who answer questions.

They know the right answer of each message and the wheel does not: it hears of it only through what they
say. Everything they do is drawn from seeded generators.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from openflywheel.base.nouns import Exchange
from openflywheel.wheel.flywheel import Flywheel

BATCH = 250  # questions asked at once


class Message(Struct, frozen=True):
    """What somebody writes; `label` is the wish to answer first, `also` a second one."""

    text: str
    label: str
    also: str = ""

    def answered_by(self, output: str) -> bool:
        """Is this output a right answer?"""
        return bool(output) and output in (self.label, self.also)


class Behaviour(Struct, frozen=True, kw_only=True):
    """How often people do what: chances in [0, 1]. `zipf` is the exponent of the labels' popularity."""

    rate: float = 0.15
    flip: float = 0.07
    correct: float = 0.067
    rephrase: float = 0.0
    choose: float = 0.0
    expert_right: float = 0.97
    zipf: float = 0.7
    people: int = 2_000


class Tally(Struct, kw_only=True):
    """What happened in some conversations; counts."""

    users: int = 0
    served: int = 0
    answered: int = 0
    right: int = 0
    cost: float = 0.0

    @property
    def wrong(self) -> int:
        return self.answered - self.right


class Crowd:
    """People before one task of a wheel; `truth` holds the message behind each exchange."""

    def __init__(
        self, wheel: Flywheel, task: str, messages: Sequence[Message], behaviour: Behaviour, seed: int
    ) -> None:
        self.wheel, self.task, self.behaviour = wheel, task, behaviour
        self.truth: dict[str, Message] = {}
        # Apart, so that wheels that answer differently still meet the same questions.
        self._traffic, self._mood = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
        self._labels = sorted({m.label for m in messages})
        self._traffic.shuffle(self._labels)
        self._pools = {name: [m for m in messages if m.label == name] for name in self._labels}
        self._waiting: dict[str, list[Message]] = {name: [] for name in self._labels}
        popularity = np.arange(1.0, len(self._labels) + 1) ** -behaviour.zipf
        self._popularity = popularity / popularity.sum()

    def converse(self, conversations: int) -> Tally:
        """So many people write once (some of them twice); returns what came of it."""
        tally, people = Tally(), set()
        for size in _sizes(conversations, BATCH):
            labels = self._traffic.choice(self._labels, size, p=self._popularity)
            messages = [self._next(label) for label in labels]
            subjects = [f"person-{i}" for i in self._traffic.integers(self.behaviour.people, size=size)]
            people.update(subjects)
            again = self._serve(messages, subjects, [""] * size, tally)
            if again:
                texts, who, talks = zip(*again, strict=True)
                self._serve(list(texts), list(who), list(talks), tally)
        tally.users = len(people)
        return tally

    def _next(self, label: str) -> Message:
        """Another message with a label; all are used before one comes again."""
        if not self._waiting[label]:
            pool = self._pools[label]
            self._waiting[label] = [pool[i] for i in self._traffic.permutation(len(pool))]
        return self._waiting[label].pop()

    def _serve(
        self, messages: Sequence[Message], subjects: Sequence[str], talks: Sequence[str], tally: Tally
    ) -> list[tuple[Message, str, str]]:
        """Ask, react and count; returns who asks again, with what and in which conversation."""
        exchanges = self.wheel.ask_many(
            self.task, [m.text for m in messages], subjects=subjects, episodes=talks
        )
        costs, again = self.wheel.settings.tasks[self.task].costs, []
        for exchange, message, subject in zip(exchanges, messages, subjects, strict=True):
            self.truth[exchange.id] = message
            right = message.answered_by(exchange.output)
            tally.served += 1
            tally.answered += bool(exchange.output)
            tally.right += right
            tally.cost += exchange.cost + (costs.error if exchange.output and not right else 0.0)
            if self._react(exchange, message, right):
                again.append((self._next(message.label), subject, exchange.episode))
        return again

    def _react(self, exchange: Exchange, message: Message, right: bool) -> bool:
        """Rate, correct, pick a choice; returns whether the person asks again in other words."""
        if not exchange.output:
            self.wheel.signal(exchange, label=self._expert(message))  # a person resolved it
            return False
        if self._chance(self.behaviour.rate):
            liked = right != self._chance(self.behaviour.flip)
            self.wheel.signal(exchange, rating=liked)
        if right:
            return False
        if self._chance(self.behaviour.correct):
            self.wheel.signal(exchange, correction=message.label)
            return False
        if message.label in exchange.choices and self._chance(self.behaviour.choose):
            self.wheel.signal(exchange, choice=message.label)
            return False
        return self._chance(self.behaviour.rephrase)

    def experts_answer(self) -> int:
        """Experts answer every open question that is about these people; returns how many."""
        questions = [q for q in self.wheel.store.experts.open() if q.exchange in self.truth]
        for question in questions:
            self.wheel.signal(question.exchange, label=self._expert(self.truth[question.exchange]))
        return len(questions)

    def _expert(self, message: Message) -> str:
        """What an expert says: right most of the time, else another label."""
        if self._chance(self.behaviour.expert_right):
            return message.label
        return str(self._mood.choice([name for name in self._labels if name != message.label]))

    def _chance(self, probability: float) -> bool:
        return bool(self._mood.random() < probability)


def _sizes(total: int, most: int) -> Iterator[int]:
    while total > 0:
        yield min(total, most)
        total -= most
