"""DPO on pairs of answers, and KTO on the same answers with thumbs: do rewards tell better from worse?

hh-rlhf, split by how a dialogue begins: 80 % teach, 20 % are looked at once. There are no weights to
download, so a small model first learns to read and write from both answers of the dialogues that teach. The
reward of an answer is what its log-probability gained. People agree little on these answers: in five folds of
the part that teaches, logistic regression on words and pairs of words reaches .61, on MiniLM's embeddings of
the answers .615, on both .63.

The base's size, rate and batch were tried on a fifth of the part that teaches; DPO's rate and beta on three
of five folds of it (1,149 pairs, one epoch, after a base that had read all of it). With rate 3e-3, beta .1
reached .57 and a loss of .70: more than log 2 = .693, which is that of knowing nothing, so rewards are surer
than people are. Beta .02 reached .59 and .67. Teaching all weights (rate 1e-3, beta .1) reached .59 and .72,
with rewards by the mean of an answer's tokens (beta 5) .57 and .79; an adapter also on the layer that writes
tokens (rank 64, rate 1e-3, beta .1) .60 and .68.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.customize.dialogues import FILE, TASK, answered, lesson, pairs, thumbs
from benchmarks.report import Row, at_least, say
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Model
from openflywheel.base.nouns import Row as Example
from openflywheel.base.thumbs import REJECTED

BAR = 0.62
BASE: dict[str, Any] = {
    "width": 128, "layers": 2, "vocabulary": 1_500, "most_tokens": 192, "epochs": 6, "rate": 3e-3,
    "batch": 32, "language": 0.5, "dropout": 0.1,
}  # fmt: skip
DPO: dict[str, Any] = {"epochs": 1, "rate": 3e-3, "beta": 0.02, "rank": 32, "most_tokens": 192}
KTO: dict[str, Any] = {"method": "kto", "epochs": 1, "rate": 4e-4, "rank": 32, "most_tokens": 192}


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """Reward accuracy on held-out pairs: of DPO the mean of `rounds` seeds, of KTO one."""
    if not (data / FILE).is_file():
        return [Row(row="preference", value=None, unit=f"skipped: no {data / FILE}", bar=f">= {BAR}")]
    import torch  # noqa: PLC0415  other parts do without

    torch.set_num_threads(1)  # CPU-seconds count; a second thread mostly waits
    taught, tested = pairs(data, tested=False), pairs(data, tested=True)
    base = _read(folder, taught)
    before = log_probs(folder, base, None, tested)
    models = [_taught(folder, base, taught, seed, DPO) for seed in range(rounds)]
    dpo = [_right(log_probs(folder, base, model, tested) - before) for model in models]
    by_thumbs = _taught(folder, base, thumbs(taught), 0, KTO)
    kto = _right(log_probs(folder, base, by_thumbs, tested) - before)
    shorter = [len(row.labels[TASK]) < len(row.meta[REJECTED]) for row in tested]
    reached, n = float(np.mean(dpo)), len(tested)
    return [
        at_least("DPO: held-out reward accuracy", reached, BAR, f"of {n}", wilson(reached * n, n)),
        _above_chance("KTO: held-out reward accuracy", kto, n),
        Row(row="DPO: seed by seed", value=min(dpo), unit=f"the lowest of {[round(d, 3) for d in dpo]}"),
        Row(row="before: the likelier answer is the better", value=_right(before), unit=f"of {n}"),
        Row(row="the shorter answer is the better", value=float(np.mean(shorter)), unit=f"of {n}"),
        Row(row="DPO: training", value=float(np.mean([m.cost for m in models])), unit="CPU-s"),
        Row(row="KTO: training", value=by_thumbs.cost, unit="CPU-s"),
    ]


def _above_chance(row: str, share: float, n: int) -> Row:
    low, high = wilson(share * n, n)
    bar = "> .5 with 95 % confidence"
    return Row(row=row, value=share, unit=f"of {n}", interval=(low, high), bar=bar, holds=low > 0.5)


def _handed(folder: Path) -> dict[str, Any]:
    places = {name: folder / name for name in ("artefacts", "workspace")}
    for place in places.values():
        place.mkdir(exist_ok=True)
    return places


def _read(folder: Path, taught: Sequence[Example]) -> str:
    """A model that has read the dialogues; where its checkpoint lies in the folder."""
    from openflywheel.customize.scratch import scratch  # noqa: PLC0415

    start, place = time.process_time(), _handed(folder)["artefacts"]
    made = scratch(
        lesson(answered(taught)),
        **BASE,
        artefacts=place,
        seed=0,
        progress=lambda facts: say(f"preference, base: {facts}"),
    )
    say(f"preference, base: {made.report}, {time.process_time() - start:.0f} CPU-s")
    return f"{made.uri}/checkpoint"


def _taught(folder: Path, base: str, rows: Sequence[Example], seed: int, settings: dict[str, Any]) -> Model:
    from openflywheel.customize.preference import preference  # noqa: PLC0415

    made = preference(
        lesson(rows),
        base=base,
        **settings,
        **_handed(folder),
        folder=folder,
        seed=seed,
        progress=lambda facts: say(f"preference, {seed}: {facts}"),
    )
    say(f"preference, {seed}: {made.method}, {made.report}")
    return made


def log_probs(folder: Path, base: str, model: Model | None, rows: Sequence[Example]) -> NDArray[np.float64]:
    """Of each better and worse answer, shape (rows, 2), by the plain logits of the base or of a model."""
    from openflywheel.base.instruments import checkpoint  # noqa: PLC0415
    from openflywheel.base.instruments.template import Template  # noqa: PLC0415

    adapter = folder / model.uri / "adapter" if model else None
    network, tokenizer = checkpoint.loaded(folder / base, adapter)
    template, most = Template(tokenizer), network.config.max_position_embeddings
    found = [
        _log_prob(network, template.prompt([{"role": "user", "content": row.text}], most // 2), answer, most)
        for row in rows
        for answer in (template.answer(row.labels[TASK]), template.answer(row.meta[REJECTED]))
    ]
    return np.array(found).reshape(-1, 2)


def _log_prob(network: Any, prompt: list[int], answer: list[int], most: int) -> float:
    """Of an answer, of which only the beginning counts where it is too long for the model."""
    import torch  # noqa: PLC0415

    ids = torch.tensor([[*prompt, *answer][:most]])
    with torch.inference_mode():
        logits = network(input_ids=ids).logits[0, len(prompt) - 1 : -1]
    return -float(torch.nn.functional.cross_entropy(logits, ids[0, len(prompt) :], reduction="sum"))


def _right(rewards: NDArray[np.float64]) -> float:
    """Share of pairs whose better answer has the higher reward."""
    return float(np.mean(rewards[:, 0] > rewards[:, 1]))
