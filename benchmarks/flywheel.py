"""Does the wheel get better by itself, and at what price?  python -m benchmarks.flywheel --train F --test F

The simulation: a cold start of 2 examples for 70 % of the labels, Zipf(.7) traffic, 10 turns of 1,000
conversations; 15 % are rated (7 % of ratings are flipped), 6.7 % of wrong answers are corrected, experts
answer 30 questions a turn (97 % right) and 20 more for the holdout. The wheel sees the truth only through
those signals. Four strategies meet the same people, and all
start where a static system would stay:

accepted  the model's own answers that were rated up are taken for the truth
random    as many labels as `ours` used, for exchanges drawn evenly
ours      corrections and the wheel's own questions, behind the wheel's own gate
oracle    everything is labelled rightly, and nothing has to pass a gate
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import stats

from benchmarks.report import Row, at_least, at_most, finish, say
from openflywheel.base.holdout import held_out
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Exchange, Model, Signal
from openflywheel.base.settings import parse
from openflywheel.store.vectors import Encoder
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Behaviour, Crowd, Message, Tally
from openflywheel.window.simulate import cycle, read_messages

TASK, TURNS, CONVERSATIONS = "route", 10, 1_000
HELD_OUT = 0.1  # of the people; labels of 20 of their exchanges a turn are bought for the holdout
SEEDED, EXAMPLES = 0.7, 2

SETTINGS = """
name: benchmark
store: wheel
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl, basis: consent}}, experts: {{}}, traffic: {{basis: contract}}}}
curate: [normalise, dedupe]
customize: {{head: {{}}}}
evaluate: {{accuracy: {{margin: 0.02}}}}
signals: {{uncertainty: {{}}}}
study: {study}
velocity: {{bottleneck: {{}}}}
wheel: {{budget: {{labels: 30, holdout: 20}}, holdout: {{share: {share}}}, seed: {seed}}}
"""


class Memo:
    """An encoder that remembers every text: the strategies and seeds share one embedding of the data."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.width, self._encoder = encoder.name, encoder.width, encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors, shape (len(texts), width)."""
        missing = [t for t in dict.fromkeys(texts) if t not in self._vectors]
        self._vectors.update(zip(missing, self._encoder.encode(missing), strict=True))
        return np.stack([self._vectors[t] for t in texts]) if texts else np.zeros((0, self.width), np.float32)


class RatedUp(Crowd):
    """People whose approval is taken for the truth; nobody corrects."""

    def converse(self, conversations: int) -> Tally:
        """Converse, then take what was rated up for right."""
        mark = self.wheel.store.mark()
        tally = super().converse(conversations)
        liked = [
            s.exchange for s in self.wheel.store.since(Signal, mark) if s.kind == "rating" and s.value > 0
        ]
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


# A small process between: a child's peak memory begins with that of the process it was forked from.
PROBE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
CROWDS: dict[str, type[Crowd]] = {"ours": Crowd, "random": Drawn, "accepted": RatedUp, "oracle": Labelled}
ASKS = {"ours": "{taught: {}, active: {}, audit: {}}"}
SILENT = Behaviour(correct=0.0)


class Data(Struct, frozen=True):
    """Messages to live on, and messages to be examined with."""

    train: Sequence[Message]
    test: Sequence[Message]


class Run(Struct):
    """One strategy on one seed: accuracy on the test part before the first turn and after each."""

    accuracy: list[float]
    labels: list[int]
    holdout: list[int]
    cpu_seconds: list[float]
    verdicts: list[str]


def run(strategy: str, seed: int, data: Data, encoder: Encoder, labels: Sequence[int] = ()) -> Run:
    """Ten turns of one strategy in a fresh store."""
    seeds, traffic = cold_start(data.train, seed)
    study = ASKS.get(strategy, "{taught: {}, audit: {}}")
    with tempfile.TemporaryDirectory() as folder, _wheel(folder, seeds, study, seed, encoder) as wheel:
        wheel.turn()
        crowd = CROWDS[strategy](wheel, TASK, traffic, Behaviour() if strategy == "ours" else SILENT, seed)
        if isinstance(crowd, Drawn):
            crowd.labels = labels
        return _turns(crowd, data.test)


def _wheel(folder: str, seeds: Sequence[Message], study: str, seed: int, encoder: Encoder | None) -> Flywheel:
    """A fresh wheel that will learn from the seeds in its first turn."""
    lines = (json.dumps({"text": m.text, "label": m.label}) for m in seeds)
    Path(folder, "seeds.jsonl").write_text("\n".join(lines), encoding="utf-8")
    Path(folder, "wheel").mkdir()
    # The key names people, and so says who is held out: the same ones for all the strategies of a seed.
    Path(folder, "wheel/key").write_bytes(np.random.default_rng([seed, 8]).bytes(32))
    settings = parse(SETTINGS.format(study=study, seed=seed, share=HELD_OUT), folder=Path(folder))
    return Flywheel(settings, encoder=encoder)


def _turns(crowd: Crowd, test: Sequence[Message]) -> Run:
    gated = not isinstance(crowd, Labelled)
    out = Run([accuracy(crowd.wheel, test, gated=gated)], [], [], [], [])
    for _ in range(TURNS):
        cpu = time.process_time()
        seen = cycle(crowd, CONVERSATIONS)
        out.cpu_seconds.append(time.process_time() - cpu)
        out.labels.append(seen.labels)
        out.holdout.append(seen.holdout)
        out.verdicts.append(seen.verdict)
        out.accuracy.append(accuracy(crowd.wheel, test, gated=gated))
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


def accuracy(wheel: Flywheel, test: Sequence[Message], *, gated: bool = True) -> float:
    """Share of the test part that the champion (or, ungated, the newest candidate) answers rightly."""
    model = wheel.champion(TASK) if gated else wheel.store.all(Model)[-1]
    if model is None:
        return 0.0
    says = wheel.handed.predict(model, [m.text for m in test])
    return float(np.mean([said == m.label for said, m in zip(says, test, strict=True)]))


def whole(data: Data, encoder: Encoder) -> float:
    """Accuracy when every training message is labelled: what the best head reaches."""
    with tempfile.TemporaryDirectory() as folder, _wheel(folder, data.train, "{}", 0, encoder) as wheel:
        wheel.turn()
        return accuracy(wheel, data.test)


def ask_cpu(data: Data, asks: int = 300) -> float:
    """Median CPU-seconds of a question that was never seen, through the Python API."""
    took = []
    with tempfile.TemporaryDirectory() as folder, _wheel(folder, data.train[:2_000], "{}", 0, None) as wheel:
        wheel.turn()
        for message in data.test[: asks + 10]:
            start = time.process_time()
            wheel.ask(TASK, message.text, subject="somebody")
            took.append(time.process_time() - start)
    return float(np.median(took[10:]))  # without the first ten, which load and look up


def demo() -> tuple[float, float]:
    """CPU-seconds and peak RSS (MB) of `flywheel demo`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", PROBE, sys.executable, "-m", "openflywheel", "demo", "--json"]
        out = subprocess.run(
            [*command, "--folder", f"{folder}/demo"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        cpu, kilobytes = map(float, out.split())
        return cpu, kilobytes / 1024


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of the mean of a few seeds (Student's t)."""
    if len(values) < 2:
        return None
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - half), float(np.mean(values) + half)


def compare(data: Data, seeds: int) -> tuple[list[Row], dict[str, list[Run]]]:
    """All strategies on all seeds, and the rows that the comparison makes."""
    plain = open_encoder()
    memo = Memo(plain)
    runs: dict[str, list[Run]] = {name: [] for name in CROWDS}
    for seed in range(seeds):
        for name in CROWDS:
            labels = runs["ours"][-1].labels if name == "random" else ()
            runs[name].append(run(name, seed, data, memo, labels))
            say(f"seed {seed} {name:9} {' '.join(f'{a:.3f}' for a in runs[name][-1].accuracy)}")
            say(f"{'':17} labels {sum(runs[name][-1].labels)}, verdicts {' '.join(runs[name][-1].verdicts)}")
    cold = run("ours", 0, data, plain)
    return _rows(runs, cold.cpu_seconds), runs


def _rows(runs: dict[str, list[Run]], cold: Sequence[float]) -> list[Row]:
    start = np.array([r.accuracy[0] for r in runs["ours"]])
    gain = {name: np.array([r.accuracy[-1] for r in rs]) - start for name, rs in runs.items()}
    share, ratio = gain["ours"] / gain["oracle"], gain["ours"] / gain["random"]
    turns = TURNS * CONVERSATIONS
    labelled = [sum(r.labels) / turns for r in runs["ours"]]
    held = [sum(r.holdout) / turns for r in runs["ours"]]
    rows = [
        at_least("share of the oracle's gain", float(share.mean()), 0.88, "", interval(share)),
        at_least("gain against random labelling", float(ratio.mean()), 1.3, "x", interval(ratio)),
        at_most(
            "conversations labelled for training", float(np.mean(labelled)), 0.05, "", interval(labelled)
        ),
        at_most("conversations labelled for the holdout", float(np.mean(held)), 0.02, "", interval(held)),
        at_most(
            "turn of 1,000 conversations, embedding included",
            float(np.mean(cold)),
            6,
            "CPU-s",
            interval(cold),
        ),
    ]
    last = {name: [r.accuracy[-1] for r in rs] for name, rs in runs.items()}
    rows.append(Row(row="accuracy after the cold start (static)", value=float(start.mean()), unit=""))
    return rows + [
        Row(
            row=f"accuracy after {TURNS} turns: {name}",
            value=float(np.mean(a)),
            unit="",
            interval=interval(a),
        )
        for name, a in last.items()
    ]


def main() -> None:
    """Run everything that the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", required=True, help="CSV or JSON Lines with text and label")
    parser.add_argument("--test", required=True, help="the same, never learned from")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--whole-bar", type=float, default=None, help="bar of the row on all training data")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    data = Data(read_messages(args.train), read_messages(args.test))
    rows, runs = compare(data, args.seeds)
    best = whole(data, open_encoder())
    rows.append(
        Row(row="accuracy, all training data, best head", value=best, unit="")
        if args.whole_bar is None
        else at_least("accuracy, all training data, best head", best, args.whole_bar, "")
    )
    rows.append(at_most("ask and answer through the Python API, p50", ask_cpu(data) * 1000, 5, "CPU-ms"))
    cpu, memory = demo()
    rows += [at_most("demo", cpu, 60, "CPU-s"), at_most("demo, peak RSS", memory, 500, "MB")]
    curves = {name: np.mean([r.accuracy for r in rs], axis=0).round(4).tolist() for name, rs in runs.items()}
    finish("flywheel", rows, args.seeds, as_json=args.json, accuracy_by_turn=curves)


if __name__ == "__main__":
    main()
