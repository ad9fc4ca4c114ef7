"""Preference tuning of a causal language model: by corrections and thumbs, to answers that people like."""

import time
from pathlib import Path
from typing import Any, Literal

from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._tuning.tuning import Progress, Tuning

KINDS = ("text",)
REQUIRES = ("torch", "transformers", "peft", "trl")  # imported where it teaches: 9 CPU-s and 400 MB


def preference(
    lesson: Lesson,
    *,
    base: str,
    method: Literal["", "dpo", "kto", "orpo"] = "",
    beta: float = 0.1,
    rank: int = 16,
    alpha: float = 0.0,
    rate: float = 5e-5,
    epochs: float = 2.0,
    steps: int = 0,
    batch: int = 16,
    accumulate: int = 1,
    most_tokens: int = 1024,
    quantise: Literal["", "4bit"] = "",
    checkpointing: bool = False,
    patience: int = 3,
    template: str = "",
    per_subject: float = 0.1,
    workers: int = 1,
    fsdp: bool = False,
    cluster: str | None = None,
    folder: Path,
    artefacts: Path,
    workspace: Path,
    seed: int,
    progress: Progress,
) -> Model:
    """Teach a checkpoint to prefer the answers that people like, by LoRA (TRL, peft).

    `base` is the path of a checkpoint, relative to the folder of flywheel.yaml, an id of the Hugging Face
    hub, or the folder of a model taught by lora ("models/3f2a..."), whose adapter goes on learning with the
    rank it has. The reference is always the model as it was at the start. "dpo" learns from pairs
    (corrections over what was given; answers to one question liked and disliked), "kto" from thumbs, "orpo"
    from pairs without a reference; by default dpo where there is any pair, else kto. `beta` holds the model
    to the reference; for orpo it weighs the odds ratio. Each example counts by its weight, that of derived
    signals among them. No person gives more than `per_subject` of the rows (10 always). The other settings
    are those of `Tuning`.

    The report holds "loss" and "validation_loss"; of validation "reward_accuracy" with its 95 % interval
    ("_low", "_high"), on how many "judged", and the "margin" of rewards; "rows" ("pairs" or "thumbs"),
    "tokens", how many were "cut", "dropped" for their length or "bounded" by `per_subject`. Raises
    SettingsError when the base can't be used, or there is nothing to learn from.
    """
    from openflywheel.customize._preference.planning import kept, planned  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.training import training  # noqa: PLC0415  see REQUIRES

    start = time.process_time()
    tuning = Tuning(
        rank, alpha, rate, epochs, steps, batch, accumulate, most_tokens, False, quantise, checkpointing,
        patience, seed, template, workers, fsdp,
    )  # fmt: skip
    place = lesson.place(workspace, "preference")
    taught = planned(lesson, base, method, beta, tuning, per_subject, folder, place)
    with training(tuning, cluster) as run:
        result = run(taught.plan, progress)
    place, report = kept(artefacts, lesson, taught, result)
    return lesson.model(
        f"preference.{taught.method}",
        place,
        base=taught.plan.base.name,
        report=report,
        start=start - run.elsewhere,
    )


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `preference` will cost with its settings, by two steps that are timed. Raises like it."""
    from openflywheel.customize._preference.planning import planned  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.estimate import estimated  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._tuning.training import training  # noqa: PLC0415  see REQUIRES

    said = settings(preference, given)
    tuning = Tuning.of(said)
    taught = planned(
        lesson, said["base"], said["method"], said["beta"], tuning, said["per_subject"],
        said["folder"], lesson.place(said["workspace"], "preference"),
    )  # fmt: skip
    with training(tuning, said["cluster"]) as run:
        return estimated(run, taught.plan, taught.rows.tokens, taught.judged.tokens)
