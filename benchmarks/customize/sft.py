"""LoRA of a small Qwen3 on conversations, whose messages it learns to read; and a run that is killed.

The official train part of MultiDoGO teaches (100 conversations of each of four domains), 10 each of its dev
part judge while it trains, 15 each of its test part are looked at once. The base has read the customers'
words of the train part, and no reading. The rate was chosen on the dev part.
"""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.customize.conversations import DOMAINS, TASK, conversations, examples, small
from benchmarks.report import Row, at_least, at_most, say
from openflywheel.base.nouns import Dataset, Model
from openflywheel.base.nouns import Row as Example
from openflywheel.customize import Lesson

READ, TAUGHT, JUDGING, TESTED, WRITTEN = 120, 100, 10, 15, 150  # steps; conversations a domain; messages
SETTINGS: dict[str, Any] = {"base": "base", "steps": 60, "batch": 16, "rate": 3e-3, "most_tokens": 256}
FALL, SAME = 0.30, 1e-4


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """How far the loss on held-out conversations falls (mean of `rounds` seeds), and what a kill changes."""
    if missing := [d for d in DOMAINS if not (data / "multidogo" / d).is_dir()]:
        return [
            Row(row="sft", value=None, unit=f"skipped: no {missing[0]} in {data}/multidogo", bar=f">= {FALL}")
        ]
    import torch  # noqa: PLC0415  other parts do without

    torch.set_num_threads(1)  # CPU-seconds count; a second thread mostly waits
    small(folder / "base", conversations(data, "train", TAUGHT), READ, seed=0)
    tested = examples(conversations(data, "test", TESTED))
    before = held_out(folder, None, tested)
    models = [_taught(data, folder, seed) for seed in range(rounds)]
    after = [held_out(folder, model, tested) for model in models]
    fell = [1 - loss / before for loss in after]
    return [
        at_least(
            "SFT + LoRA: fall of the held-out loss", float(np.mean(fell)), FALL, "", (min(fell), max(fell))
        ),
        Row(row="SFT + LoRA: held-out loss, before", value=before, unit="nats a token"),
        Row(row="SFT + LoRA: held-out loss, after", value=float(np.mean(after)), unit="nats a token"),
        *_read_right(folder, models[0], tested),
        Row(row="SFT + LoRA: training", value=float(np.mean([m.cost for m in models])), unit="CPU-s"),
        _resumed(data, folder, models[0]),
    ]


def lesson(data: Path) -> Lesson:
    """The train part, with conversations of the dev part to stop by."""
    rows = examples(conversations(data, "train", TAUGHT))
    dataset = Dataset(name=TASK, task=TASK, role="train", rows=tuple(row.id for row in rows), recipe="")
    return Lesson(dataset, rows, "text", examples(conversations(data, "dev", JUDGING)))


def _taught(data: Path, folder: Path, seed: int, progress: Any = None) -> Model:
    from openflywheel.customize.lora import lora  # noqa: PLC0415

    handed: dict[str, Any] = {name: folder / name for name in ("artefacts", "workspace")}
    for place in handed.values():
        place.mkdir(exist_ok=True)
    tell = progress or (lambda facts: say(f"sft {seed}: {facts}"))
    return lora(lesson(data), **SETTINGS, **handed, folder=folder, seed=seed, progress=tell)


def held_out(folder: Path, model: Model | None, rows: Sequence[Example]) -> float:
    """Mean -log p of a token of the right answers, in nats, by the plain logits of the base or of a model."""
    import torch  # noqa: PLC0415

    from openflywheel.base.instruments import checkpoint  # noqa: PLC0415
    from openflywheel.base.instruments.template import Template  # noqa: PLC0415
    from openflywheel.customize._tuning.chats import examples as tokens_of  # noqa: PLC0415

    adapter = folder / model.uri / "adapter" if model else None
    network, tokenizer = checkpoint.loaded(folder / "base", adapter)
    total = counted = 0.0
    for example in tokens_of(rows, TASK, Template(tokenizer), SETTINGS["most_tokens"]).kept:
        ids = torch.tensor([example.tokens])
        with torch.inference_mode():
            logits = network(input_ids=ids).logits[0, example.start - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits, ids[0, example.start :], reduction="sum")
        total, counted = total + float(loss), counted + len(example.answer)
    return total / counted


def _read_right(folder: Path, model: Model, rows: Sequence[Example]) -> list[Row]:
    """Share of messages whose intent it writes as the agent did, beside always naming the commonest."""
    import json  # noqa: PLC0415

    from openflywheel.base.forms.generator import opened  # noqa: PLC0415

    some = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:WRITTEN]]
    start = time.process_time()
    written = opened(folder / model.uri, folder=folder).write(
        [json.loads(row.meta["chat"]) for row in some], most_tokens=32
    )
    seconds = time.process_time() - start
    right = [row.labels[TASK].partition(";")[0] for row in some]
    hit = np.mean([text.partition(";")[0] == intent for text, intent in zip(written, right, strict=True)])
    common = Counter(right).most_common(1)[0][1] / len(right)
    return [
        Row(row="SFT + LoRA: intents read right", value=float(hit), unit=f"(the commonest: {common:.2f})"),
        Row(row="SFT + LoRA: an answer", value=1000 * seconds / len(some), unit="CPU-ms"),
    ]


def _resumed(data: Path, folder: Path, whole: Model) -> Row:
    """How far the last losses of seed 0 are from those of the same run, killed in its middle and resumed."""
    place = folder / "killed"
    place.mkdir()
    (place / "base").symlink_to(folder / "base")
    run = [sys.executable, "-m", "benchmarks.customize.sft", str(data), str(place)]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as child:
        for line in cast(Any, child.stdout):
            if float(line) > SETTINGS["steps"] / 2:
                child.send_signal(signal.SIGKILL)
                break
    told = list[float]()
    resumed = _taught(data, place, 0, lambda facts: told.append(facts["step"]))
    say(f"sft: killed after step {line.strip()}, resumed at step {told[0]}")
    apart = max(abs(resumed.report[name] - whole.report[name]) for name in ("loss", "validation_loss"))
    row = at_most("SFT + LoRA: losses apart after a SIGKILL", apart, SAME, "nats")
    if told[0] == 1:
        return Row(row=row.row, value=None, unit="it began anew", bar=row.bar, holds=False)
    return row


if __name__ == "__main__":  # a run in a process of its own, to be killed
    _taught(Path(sys.argv[1]), Path(sys.argv[2]), 0, lambda facts: print(facts["step"], flush=True))
