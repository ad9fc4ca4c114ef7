"""A mixture: a dense checkpoint made into experts with a router, or an adapter a domain."""

import time
from pathlib import Path
from typing import Any

from openflywheel.base.forms.head import Encoder
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._moe.mix import By, Mix
from openflywheel.customize._tuning.tuning import Progress, Tuning

KINDS = ("text",)
REQUIRES = ("torch", "transformers", "peft", "trl")  # imported where it teaches: 9 CPU-s and 400 MB


def moe(
    lesson: Lesson,
    *,
    base: str,
    by: By = "upcycle",
    size: int = 4,
    active: int = 2,
    balance: float = 0.02,
    compare: bool = False,
    rank: int = 16,
    rate: float = 2e-4,
    epochs: float = 3.0,
    steps: int = 0,
    batch: int = 16,
    accumulate: int = 1,
    most_tokens: int = 1024,
    patience: int = 3,
    template: str = "",
    workers: int = 1,
    cluster: str | None = None,
    encoder: Encoder,
    folder: Path,
    artefacts: Path,
    workspace: Path,
    seed: int,
    progress: Progress,
) -> Model:
    """Teach a mixture to give the answers of the lesson.

    "upcycle" (Komatsuzaki et al. 2022, arXiv 2212.05055) makes `size` copies of each MLP of a Llama or
    Qwen3, of which a new router sends a token to `active`; then the routers learn with a LoRA of `rank` on
    each expert, or with rank 0 the experts themselves. `balance` weighs the loss that keeps all of them
    busy (Fedus et al. 2021, arXiv 2101.03961). The model that is kept is a whole checkpoint.

    "adapters" trains one LoRA a domain beside any checkpoint, `steps` each, and a head on the sentence
    encoder that sends a chat to one of them. A row's meta "domain" names it; without, `size` clusters do.

    `compare` also trains what is no mixture, by the same rows: a dense model of equal active parameters, or
    one adapter of the same rank. `base` and the other settings are those of lora.

    The report holds "loss", "validation_loss" (nats a token), "perplexity", "rows", "tokens", "parameters",
    "active_parameters"; of experts the share of tokens that each works on ("expert_0", ..., and of any layer
    the "busiest" and "idlest"), of adapters the "domains" and how often the router is right ("routed"); with
    `compare` "dense_validation_loss" or "single_validation_loss". Raises SettingsError when the base can't be
    used, no row fits into `most_tokens`, or there is one domain.
    """
    from openflywheel.customize._moe.adapters import adapters  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._moe.experts import upcycle  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._moe.settings import Job  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.training import training  # noqa: PLC0415  see REQUIRES

    start = time.process_time()
    mix = Mix(by, size, active, balance, compare)
    tuning = Tuning(
        rank=rank, rate=rate, epochs=epochs, steps=steps, batch=batch, accumulate=accumulate,
        most_tokens=most_tokens, patience=patience, template=template, seed=seed, workers=workers,
    )  # fmt: skip
    with training(tuning, cluster) as run:
        job = Job(lesson, base, mix, tuning, folder, lesson.place(workspace, "moe"), run)
        if by == "upcycle":
            made = upcycle(job, artefacts, progress)
        else:
            made = adapters(job, artefacts, progress, encoder)
    return lesson.model(
        f"moe.{by}", made.place, base=made.base, report=made.report, start=start - run.elsewhere
    )


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `moe` will cost with its settings, by two steps that are timed. Raises like `moe`."""
    from openflywheel.customize._moe.cost import cost  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._moe.settings import Job  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.training import training  # noqa: PLC0415  see REQUIRES

    said = settings(moe, given)
    mix = Mix(said["by"], said["size"], said["active"], said["balance"], said["compare"])
    tuning = Tuning.of(said)
    with training(tuning, said["cluster"]) as run:
        place = lesson.place(said["workspace"], "moe")
        return cost(Job(lesson, said["base"], mix, tuning, said["folder"], place, run))
