"""Mixtures beside what is none: upcycled experts and a dense model, adapters by domain and one for all.

A small Qwen3 that has read what customers of MultiDoGO say learns to read their messages as an agent does.
The official train part teaches (100 conversations of each of four domains), 10 each of its dev part judge
while it trains, 15 each of its test part are looked at once. All runs of a comparison see as many rows.
"Equal active parameters" are those that work on one token: four experts of the dense width, two of them
active, stand beside a dense model with MLPs twice as wide, which begins by saying the same (Net2Net).
The experts' rate, which the dense models have too, was chosen on the dev part among 2e-3 and 5e-3 (of the
mixture); that of the adapters is the one of sft.py.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.customize.conversations import DOMAINS, TASK, conversations, examples, small
from benchmarks.report import Row, at_most, say
from openflywheel.base.forms import mixture
from openflywheel.base.instruments import checkpoint
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.instruments.template import Template
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Dataset, Model
from openflywheel.base.nouns import Row as Example
from openflywheel.customize import Lesson
from openflywheel.customize._moe.experts import dense, sparse, trained
from openflywheel.customize._moe.judging import losses
from openflywheel.customize._moe.mix import Mix
from openflywheel.customize._moe.settings import Job
from openflywheel.customize._tuning.chats import chat
from openflywheel.customize._tuning.chats import examples as tokens_of
from openflywheel.customize._tuning.running import Plan, run
from openflywheel.customize._tuning.tuning import Tuning
from openflywheel.customize.lora import lora
from openflywheel.customize.moe import moe

READ, TAUGHT, JUDGING, TESTED = 120, 100, 10, 15  # steps; conversations a domain
STEPS, MOST_TOKENS, SAME, COMPARED = 100, 96, 1e-4, 50
UPCYCLED: dict[str, Any] = {"rank": 0, "rate": 2e-3, "steps": STEPS, "most_tokens": MOST_TOKENS}
ADAPTED: dict[str, Any] = {"rank": 16, "rate": 3e-3, "most_tokens": MOST_TOKENS}

Found = list[tuple[float, float]]


class Bench(Struct, frozen=True):
    """Where the base lies, what teaches, what is tested, and what routes."""

    folder: Path
    lesson: Lesson
    tested: Sequence[Example]
    encoder: Encoder

    @property
    def handed(self) -> dict[str, Any]:
        """What the wheel would hand in."""
        return {
            "base": "base",
            "folder": self.folder,
            "artefacts": self.folder / "models",
            "workspace": self.folder / "work",
        }

    def tokens(self, rows: Sequence[Example]) -> Any:
        """Rows as prompts and answers."""
        _, tokenizer = checkpoint.loaded(self.folder / "base")
        return tokens_of(rows, TASK, Template(tokenizer), MOST_TOKENS).kept

    def held_out(self, network: Any) -> float:
        """Mean -log p of a token of the right answers of the test part, in nats."""
        total, counted = losses(network, self.tokens(self.tested))
        return float(total / counted)

    def plan(self, seed: int) -> Plan:
        """The run whose rows, steps and rate all models of the experts' comparison share."""
        tuning = Tuning(**UPCYCLED, seed=seed)
        job = Job(self.lesson, "base", Mix(), tuning, self.folder, self.folder / "work")
        return job.planned(self.lesson).plan


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """Logits before training; held-out losses after it, means of `rounds` seeds; who won, and the cost."""
    if missing := [d for d in DOMAINS if not (data / "multidogo" / d).is_dir()]:
        return [
            Row(row="moe", value=None, unit=f"skipped: no {missing[0]} in {data}/multidogo", bar=f"<= {SAME}")
        ]
    torch.set_num_threads(1)  # CPU-seconds count; a second thread mostly waits
    small(folder / "base", conversations(data, "train", TAUGHT), READ, seed=0)
    for name in ("models", "work"):
        (folder / name).mkdir()
    with one_thread():
        bench = Bench(folder, lesson(data), rows(data, "test", TESTED), open_encoder())
        return [_before(bench), *_experts(bench, rounds), *_adapters(bench, rounds)]


def rows(data: Path, part: str, each: int) -> list[Example]:
    """A row a message, with its domain in the meta."""
    domains = [domain for domain in DOMAINS for _ in range(each)]
    return [
        replace(row, meta=row.meta | {"domain": domain})
        for conversation, domain in zip(conversations(data, part, each), domains, strict=True)
        for row in examples([conversation])
    ]


def lesson(data: Path) -> Lesson:
    """The train part, with conversations of the dev part to stop by."""
    taught = rows(data, "train", TAUGHT)
    dataset = Dataset(name=TASK, task=TASK, role="train", rows=tuple(row.id for row in taught), recipe="")
    return Lesson(dataset, taught, "text", rows(data, "dev", JUDGING))


def _before(bench: Bench) -> Row:
    """How far any logit of the mixture is from the dense model's, on test messages, before it learned."""
    before, _ = checkpoint.loaded(bench.folder / "base")
    apart = 0.0
    with sparse(bench.plan(0), Mix()) as plan, torch.inference_mode():
        network, _ = checkpoint.loaded(Path(plan.base.place))
        for example in bench.tokens(bench.tested)[:COMPARED]:
            ids = torch.tensor([example.tokens])
            apart = max(apart, float((network(ids).logits - before(ids).logits).abs().max()))
    return at_most("upcycling: change of a logit before training", apart, SAME, "")


def _experts(bench: Bench, rounds: int) -> list[Row]:
    """The mixture, the dense model of equal active parameters, and the dense model as wide as one expert."""
    seeds = range(rounds)
    kinds = {
        "4 experts, 2 active": [_mixture(bench, seed) for seed in seeds],
        "dense, equal active": [_dense(bench, 2, seed) for seed in seeds],
        "dense, as it was": [_dense(bench, 1, seed) for seed in seeds],
    }
    return _compared("upcycling", kinds)


def _mixture(bench: Bench, seed: int) -> tuple[float, float]:
    """Held-out loss and CPU-seconds of an upcycled mixture."""
    tell = _telling(f"upcycling {seed}")
    model = moe(bench.lesson, **UPCYCLED, **bench.handed, seed=seed, encoder=bench.encoder, progress=tell)
    say(f"upcycling {seed}: {model.report}")
    return bench.held_out(checkpoint.loaded(bench.folder / model.uri / "checkpoint")[0]), model.cost


def _dense(bench: Bench, times: int, seed: int) -> tuple[float, float]:
    """The same of a dense model with MLPs `times` as wide, in which the same parts learn."""
    start = time.process_time()
    with dense(bench.plan(seed), times) as plan:
        run(plan, _telling(f"dense x{times} {seed}"))
        cost = time.process_time() - start
        return bench.held_out(trained(plan)), cost


def _adapters(bench: Bench, rounds: int) -> list[Row]:
    """An adapter a domain, with a router, beside one adapter that learned all domains."""
    found = [_by_domain(bench, seed) for seed in range(rounds)]
    kinds = {
        "an adapter a domain": [(loss, cost) for loss, cost, _ in found],
        "one adapter": [_single(bench, seed) for seed in range(rounds)],
    }
    right = float(np.mean([share for _, _, share in found]))
    return [*_compared("adapters", kinds), Row(row="adapters: chats routed right", value=right, unit="")]


def _by_domain(bench: Bench, seed: int) -> tuple[float, float, float]:
    """Held-out loss with the adapters that the router chose, CPU-seconds, and how often it was right."""
    given = {**ADAPTED, **bench.handed, "encoder": bench.encoder, "steps": STEPS // len(DOMAINS)}
    model: Model = moe(bench.lesson, **given, by="adapters", seed=seed, progress=_telling(f"adapters {seed}"))
    opened = mixture.opened(bench.folder / model.uri, encoder=bench.encoder, folder=bench.folder)
    told = opened.domains([chat(row) for row in bench.tested])
    total, counted = 0.0, 0
    for domain in DOMAINS:
        opened.use(domain)
        mine = [row for row, to in zip(bench.tested, told, strict=True) if to == domain]
        loss, tokens = losses(opened.model, bench.tokens(mine))
        total, counted = total + loss, counted + tokens
    right = np.mean([row.meta["domain"] == to for row, to in zip(bench.tested, told, strict=True)])
    return total / counted, model.cost, float(right)


def _single(bench: Bench, seed: int) -> tuple[float, float]:
    """Held-out loss and CPU-seconds of one adapter of the same rank, which learned all domains."""
    tell = _telling(f"one adapter {seed}")
    model = lora(bench.lesson, **ADAPTED, **bench.handed, steps=STEPS, seed=seed, progress=tell)
    network, _ = checkpoint.loaded(bench.folder / "base", bench.folder / model.uri / "adapter")
    return bench.held_out(network), model.cost


def _compared(what: str, kinds: dict[str, Found]) -> list[Row]:
    """Held-out losses and CPU-seconds of some kinds, and the first beside each other one: who won."""
    shown = list[Row]()
    for kind, found in kinds.items():
        held_out, costs = zip(*found, strict=True)
        shown.append(_mean(f"{what}: held-out loss, {kind}", held_out, "nats a token"))
        shown.append(_mean(f"{what}: training, {kind}", costs, "CPU-s"))
    (mixed, ours), *others = kinds.items()
    for other, theirs in others:
        apart = [mine[0] - its[0] for mine, its in zip(ours, theirs, strict=True)]
        won = mixed if sum(apart) < 0 else other
        shown.append(_mean(f"{what}: {mixed} less {other}", apart, f"nats: {won} won"))
    return shown


def _mean(row: str, values: Sequence[float], unit: str) -> Row:
    return Row(row=row, value=float(np.mean(values)), unit=unit, interval=(min(values), max(values)))


def _telling(what: str) -> Any:
    return lambda facts: say(f"{what}: {facts}")
