"""Supervised fine-tuning of a causal language model: a low-rank adapter beside a checkpoint."""

import time
from pathlib import Path
from typing import Any, Literal

from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._tuning.tuning import Progress, Tuning

KINDS = ("label", "text")
REQUIRES = ("torch", "transformers", "peft", "trl")  # imported where it teaches: 9 CPU-s and 400 MB


def lora(
    lesson: Lesson,
    *,
    base: str,
    rank: int = 16,
    alpha: float = 0.0,
    rate: float = 2e-4,
    epochs: float = 3.0,
    steps: int = 0,
    batch: int = 16,
    accumulate: int = 1,
    most_tokens: int = 1024,
    packing: bool = False,
    quantise: Literal["", "4bit"] = "",
    checkpointing: bool = False,
    patience: int = 3,
    template: str = "",
    workers: int = 1,
    fsdp: bool = False,
    cluster: str | None = None,
    folder: Path,
    artefacts: Path,
    workspace: Path,
    seed: int,
    progress: Progress,
) -> Model:
    """Teach a checkpoint to give the answers of the lesson, by LoRA on all linear layers (TRL, peft).

    `base` is the path of a checkpoint, relative to the folder of flywheel.yaml, or an id of the Hugging Face
    hub. The other settings are those of `Tuning`; `template` names a Jinja file for a checkpoint that has no
    chat template. Only the answer's tokens count, each by its row's weight. A run that was killed goes on
    where it was last saved.

    The report holds the "loss" of training and the "validation_loss" (nats a token), "perplexity", the "rows"
    and "tokens" that taught, how many rows were "cut" or "dropped" for their length, "trained" parameters and
    their "share"; for labels also "accuracy", "ece" and "log_loss" on validation. Raises SettingsError when
    the checkpoint can't be used or no row fits into `most_tokens`.
    """
    from openflywheel.customize._tuning.answering import kept, planned  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.training import training  # noqa: PLC0415  see REQUIRES

    start = time.process_time()
    tuning = Tuning(
        rank, alpha, rate, epochs, steps, batch, accumulate, most_tokens, packing, quantise, checkpointing,
        patience, seed, template, workers, fsdp,
    )  # fmt: skip
    taught = planned(lesson, base, tuning, folder, lesson.place(workspace, "lora"))
    with training(tuning, cluster) as run:
        result = run(taught.plan, progress)
    place, report = kept(artefacts, lesson, taught, result, folder)
    return lesson.model(
        f"lora.{quantise}" if quantise else "lora",
        place,
        base=taught.plan.base.name,
        report=report,
        start=start - run.elsewhere,
    )


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `lora` will cost with its settings, by two steps that are timed. Raises like `lora`."""
    from openflywheel.customize._tuning.answering import planned  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.estimate import estimated  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.training import training  # noqa: PLC0415  see REQUIRES

    said = settings(lora, given)
    tuning = Tuning.of(said)
    taught = planned(lesson, said["base"], tuning, said["folder"], lesson.place(said["workspace"], "lora"))
    with training(tuning, said["cluster"]) as run:
        return estimated(run, taught.plan, taught.rows.tokens, taught.judged.tokens)
