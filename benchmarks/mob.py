"""People of whom a few are hostile: the attacks of benchmarks/poison.py."""

from collections.abc import Sequence

import numpy as np

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.window.crowd import Crowd, Message, Tally

NOBODY = "nobody"
ATTACKS = ("votes", "slow", "sleepers", "key", "loud", "intent")
HOSTILE = 0.05  # of the accounts
NOW_AND_THEN, DECOYS = 0.4, 0.5  # of "slow": share of exchanges voted on, and of votes for random labels
LOUD = 0.25  # questions of "loud" for each conversation of others


class Mob(Crowd):
    """People of whom some are hostile in the way that `attack` names."""

    attack, seed, turn, wakes = NOBODY, 0, 0, 0

    def agree(self, attack: str, seed: int, wakes: int) -> None:
        """Draw who is hostile, the label they agreed on and the intent they may ask about.

        `wakes` is the last turn in which sleepers are honest.
        """
        self.attack, self.seed, self.wakes = attack, seed, wakes
        random = np.random.default_rng([seed, 9])
        people = random.permutation(self.behaviour.people)[: round(HOSTILE * self.behaviour.people)]
        self.hostile = [f"person-{i}" for i in people]
        self.keys = {self.wheel.store.key_of(name) for name in self.hostile}
        self.target, self.victim = (str(x) for x in random.choice(self._labels, 2, replace=False))

    def converse(self, conversations: int) -> Tally:
        """A turn's conversations."""
        self.turn += 1
        tally = super().converse(conversations)
        if self.attack == "loud":
            random, size = np.random.default_rng([self.seed, 10, self.turn]), round(LOUD * conversations)
            pool = [message for name in self._labels for message in self._pools[name]]
            asked = [pool[i] for i in random.integers(len(pool), size=size)]
            self._serve(asked, [str(who) for who in random.choice(self.hostile, size)], [""] * size, tally)
        return tally

    def _serve(
        self, messages: Sequence[Message], subjects: Sequence[str], talks: Sequence[str], tally: Tally
    ) -> list[tuple[Message, str, str]]:
        if self.attack == "intent":
            pool, start = self._pools[self.victim], len(self.truth)
            messages = [
                pool[(start + i) % len(pool)] if who in self.hostile else message
                for i, (message, who) in enumerate(zip(messages, subjects, strict=True))
            ]
        return super()._serve(messages, subjects, talks, tally)

    def _react(self, exchange: Exchange, message: Message, right: bool) -> bool:
        self._mood = np.random.default_rng([self.seed, 1, len(self.truth)])  # an attack changes no other mood
        asleep = self.attack == "sleepers" and self.turn <= self.wakes
        if exchange.subject not in self.keys or asleep:
            return super()._react(exchange, message, right)
        if self.attack == NOBODY:
            return False  # the same people, silent: so that only what an attack says makes a difference
        if self.attack != "slow" or self._chance(NOW_AND_THEN):
            decoy = self.attack == "slow" and self._chance(DECOYS)
            self._vote(exchange, str(self._mood.choice(self._labels)) if decoy else self.target)
        return False

    def _vote(self, exchange: Exchange, label: str) -> None:
        liked = exchange.output == label
        said = [self._signal(exchange, "rating", 1.0 if liked else -1.0, "")]
        if not liked:
            said.append(self._signal(exchange, "correction", -1.0, label))
        self.wheel.store.append(said)

    def _signal(self, exchange: Exchange, kind: str, value: float, correction: str) -> Signal:
        named = self.attack != "key"
        return Signal(
            exchange=exchange.id,
            episode=exchange.episode,
            task=exchange.task,
            kind=kind,
            value=value,
            correction=correction,
            source="user",
            explicit=True,
            subject=exchange.subject if named else "",
            key="" if named else "intruder",
        )
