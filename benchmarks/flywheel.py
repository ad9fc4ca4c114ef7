"""Does the wheel get better by itself, and at what price?  python -m benchmarks.flywheel --train F --test F

The simulation: a cold start of 2 examples for 70 % of the labels, Zipf(.7) traffic, 10 turns of 1,000
conversations; 15 % are rated (7 % of ratings are flipped), 6.7 % of wrong answers are corrected, experts
answer 30 questions a turn (97 % right) and 20 more for the holdout. The wheel sees the truth only through
those signals. Five strategies meet the same people:

static    nothing is learned after the cold start
accepted  the model's own answers that were rated up are taken for the truth
random    as many labels as `ours` used, for exchanges drawn evenly
ours      corrections and the wheel's own questions, behind the wheel's own gate
oracle    everything is labelled rightly, and nothing has to pass a gate
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmarks.report import Row, at_least, at_most, finish, say
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.holdout import held_out
from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.settings import parse
from openflywheel.store.vectors import Encoder
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Behaviour, Crowd, Message, Tally
from openflywheel.window.simulate import cycle, read_messages

TASK, TURNS, CONVERSATIONS = "route", 10, 1_000
HELD_OUT = 0.05  # of the people; 20 of their exchanges a turn are bought for the holdout
SEEDED, EXAMPLES = 0.7, 2

SETTINGS = """
name: benchmark
store: wheel
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl}}, experts: {{}}, traffic: {{}}}}
curate: [normalise, dedupe]
customize: {{head: {{}}}}
evaluate: {evaluate}
signals: {{uncertainty: {{}}}}
study: {study}
velocity: {{bottleneck: {{}}}}
wheel: {{budget: {{labels: 30, holdout: 20}}, holdout: {{share: {share}}}, seed: {seed}}}
"""


class Memo:
    """An encoder that has seen every text: the strategies share one embedding of the data."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        self.name, self.width = encoder.name, encoder.width
        unique = list(dict.fromkeys(texts))
        self._vectors = dict(zip(unique, encoder.encode(unique), strict=True))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors, shape (len(texts), width)."""
        return np.stack([self._vectors[t] for t in texts]) if texts else np.zeros((0, self.width), np.float32)


class RatedUp(Crowd):
    """People whose approval is taken for the truth; nobody corrects."""

    def converse(self, conversations: int) -> Tally:
        """Converse, then take what was rated up for right."""
        mark = self.wheel.store.mark()
        tally = super().converse(conversations)
        liked = [s.exchange for s in self.wheel.store.since(Signal, mark) if s.kind == "rating" and s.value > 0]
        for exchange in self.wheel.store.get(Exchange, liked).values():
            self.wheel.signal(exchange, choice=exchange.output)
        return tally


class Drawn(Crowd):
    """Experts label `labels` exchanges a turn, drawn evenly; nobody corrects."""

    labels: Sequence[int] = ()

    def converse(self, conversations: int) -> Tally:
        """Converse, then let experts label a random part of it."""
        mark, turn = self.wheel.store.mark(), len(self.truth) // conversations
        tally = super().converse(conversations)
        fresh = [e for e in self.wheel.store.since(Exchange, mark) if not held_out(e, HELD_OUT)]
        for i in self._mood.choice(len(fresh), self.labels[turn], replace=False):
            self.wheel.signal(fresh[i], label=self._expert(self.truth[fresh[i].id]))
        return tally


class Labelled(Crowd):
    """Everything is labelled, and rightly."""

    def converse(self, conversations: int) -> Tally:
        """Converse, then tell the truth about all of it."""
        mark = self.wheel.store.mark()
        tally = super().converse(conversations)
        for exchange in self.wheel.store.since(Exchange, mark):
            self.wheel.signal(exchange, label=self.truth[exchange.id].label)
        return tally


CROWDS: dict[str, type[Crowd]] = {"ours": Crowd, "random": Drawn, "accepted": RatedUp, "oracle": Labelled}
ASKS = {"ours": "{taught: {}, active: {}, audit: {}}"}
GATES = {"oracle": "{}"}
SILENT = Behaviour(correct=0.0)


class Run(Struct):
    """One strategy on one seed: accuracy on the test part before the first turn and after each."""

    accuracy: list[float]
    labels: list[int]
    holdout: list[int]
    cpu_seconds: list[float]
    verdicts: list[str]


def run(strategy: str, seed: int, train: Sequence[Message], test: Sequence[Message], encoder: Encoder,
        labels: Sequence[int] = ()) -> Run:  # fmt: skip
    """Ten turns of one strategy in a fresh store."""
    with tempfile.TemporaryDirectory() as folder:
        seeds, traffic = cold_start(train, seed)
        lines = (json.dumps({"text": m.text, "label": m.label}) for m in seeds)
        Path(folder, "seeds.jsonl").write_text("\n".join(lines), encoding="utf-8")
        text = SETTINGS.format(
            study=ASKS.get(strategy, "{taught: {}, audit: {}}"), evaluate=GATES.get(strategy, "{accuracy: {}}"),
            seed=seed, share=HELD_OUT,
        )  # fmt: skip
        with Flywheel(parse(text, folder=Path(folder)), encoder=encoder) as wheel:
            wheel.turn()
            crowd = CROWDS[strategy](wheel, TASK, traffic, Behaviour() if strategy == "ours" else SILENT, seed)
            if isinstance(crowd, Drawn):
                crowd.labels = labels
            return _turns(crowd, test)


def _turns(crowd: Crowd, test: Sequence[Message]) -> Run:
    out = Run([accuracy(crowd.wheel, test)], [], [], [], [])
    for _ in range(TURNS):
        cpu = time.process_time()
        seen = cycle(crowd, CONVERSATIONS)
        out.cpu_seconds.append(time.process_time() - cpu)
        out.labels.append(seen.labels)
        out.holdout.append(seen.holdout)
        out.verdicts.append(seen.verdict)
        out.accuracy.append(accuracy(crowd.wheel, test))
    return out


def cold_start(train: Sequence[Message], seed: int) -> tuple[list[Message], list[Message]]:
    """Two examples of 70 % of the labels, and the rest as traffic."""
    random = np.random.default_rng([seed, 7])
    messages = [train[i] for i in random.permutation(len(train))]
    labels = sorted({m.label for m in messages})
    seeded = set(random.choice(labels, round(SEEDED * len(labels)), replace=False))
    taken: Counter[str] = Counter()
    seeds = []
    for message in messages:
        if message.label in seeded and taken[message.label] < EXAMPLES:
            taken[message.label] += 1
            seeds.append(message)
    return seeds, [m for m in messages if m not in set(seeds)]


def accuracy(wheel: Flywheel, test: Sequence[Message]) -> float:
    """Share of the test part that today's champion answers rightly."""
    champion = wheel.champion(TASK)
    if champion is None:
        return 0.0
    says = wheel.handed.predict(champion, [m.text for m in test])
    return float(np.mean([said == m.label for said, m in zip(says, test, strict=True)]))
