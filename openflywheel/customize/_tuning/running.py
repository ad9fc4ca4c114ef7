"""One run of a trainer of transformers or TRL: a plan in, an adapter and figures out, also after a kill.

A Plan holds all that a run needs and pickles, so `run(plan)` may be called here, in another process, or in
several at once: where torch.distributed is set up, the trainer shares the batches out by itself. A run that
was killed goes on from its newest whole checkpoint when it is asked for again: it has the same name.
"""

import gc
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
import torch
import transformers
from msgspec import Struct
from peft import LoraConfig
from transformers import TrainingArguments
from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.customize._tuning import resuming
from openflywheel.customize._tuning.checkpoint import Checkpoint, Opened, opened
from openflywheel.customize._tuning.telling import Progress, Telling, quiet

ROUNDS = 0.1  # of all steps: after so many the run is judged on validation and saved
LOGGED = 0.02  # of all steps: after so many progress is told
WARMUP, CLIP = 0.03, 1.0  # share of the steps that the rate rises in; norm that gradients are cut to
RESULT, ADAPTER = "result.json", "adapter"
RECOMPUTE = "activation_checkpointing"  # called gradient_checkpointing in releases of transformers before
if RECOMPUTE not in TrainingArguments.__dataclass_fields__:
    RECOMPUTE = "gradient_checkpointing"


class Tuning(Struct, frozen=True):
    """How to tune: the settings that all tuners of generators share.

    `alpha` scales the adapter by alpha / rank; 0 stands for twice the rank. `rate` is the highest learning
    rate: it rises over 3 % of the steps and falls as a cosine. `steps`, where it isn't 0, goes before
    `epochs`. A step takes `batch` examples, in `accumulate` parts one after the other. `packing` puts several
    examples into each row of `most_tokens`, where they don't see each other. `checkpointing` computes
    activations again instead of keeping them. `patience` is how many judgements (10 a run) may pass without a
    better one before the run stops. `template` is the text of a chat template.
    """

    rank: int = 16
    alpha: float = 0.0
    rate: float = 2e-4
    epochs: float = 3.0
    steps: int = 0
    batch: int = 16
    accumulate: int = 1
    most_tokens: int = 1024
    packing: bool = False
    quantise: str = ""
    checkpointing: bool = False
    patience: int = 3
    seed: int = 0
    template: str = ""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """Those of a trainer's settings that are a tuner's."""
        return cls(**{name: said[name] for name in cls.__struct_fields__ if name in said})


class Plan(Struct, frozen=True, kw_only=True):
    """All that one run needs; `rows` and `validation` are what `build` makes its data of (msgspec structs).

    `build` makes the trainer; it is a function of a module, so that it pickles. `arguments` are more of the
    trainer's configuration: of transformers' TrainingArguments (FSDP), or of the trainer's own (beta).
    """

    build: "Build"
    base: Checkpoint
    tuning: Tuning
    rows: tuple[Any, ...]
    validation: tuple[Any, ...] = ()
    arguments: dict[str, Any] = {}
    workspace: Path

    @property
    def folder(self) -> Path:
        """Where the run keeps its checkpoints: named by all that decides how it ends."""
        method = f"{self.build.__module__}.{self.build.__qualname__}"
        said = [method, self.base.sha256, self.tuning, self.rows, self.validation, self.arguments]
        return self.workspace / content_id(msgspec.json.encode(said, order="deterministic"))

    @property
    def adapter(self) -> Path:
        """Where the run leaves what it made: an adapter, or a whole model where all of it learned."""
        return self.folder / ADAPTER


class Result(Struct, frozen=True):
    """Figures of a run by their field's names, and the CPU-seconds that this process took."""

    figures: dict[str, float]
    seconds: float


Build = Callable[[Plan, Opened, dict[str, Any]], Any]
"""(plan, model and tokenizer, arguments of transformers) -> a transformers.Trainer."""


def run(plan: Plan, progress: Progress) -> Result:
    """Train until the end, or until validation has stopped getting better; the best state counts.

    What it made lies in `plan.adapter`; the caller keeps it and then removes `plan.folder`.
    """
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (plan.folder / RESULT).is_file():  # it was killed after its end
        return msgspec.json.decode((plan.folder / RESULT).read_bytes(), type=Result)
    start = time.process_time()
    resuming.clear(plan.folder)
    resume = resuming.newest(plan.folder)
    with quiet(), own_chance():
        trainer = _trainer(plan, resume, progress)
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        resuming.save_model(trainer, plan.adapter)
    result = Result(_figures(trainer), time.process_time() - start)
    if trainer.is_world_process_zero():
        resuming.write(plan.folder / RESULT, msgspec.json.encode(result))
    del trainer
    gc.collect()
    return result


def _trainer(plan: Plan, resume: Path | None, progress: Progress) -> Any:
    """The trainer that the plan asks for, with what every run has."""
    transformers.set_seed(plan.tuning.seed)
    settings = arguments(plan)
    trainer = plan.build(plan, opened(plan.base, plan.tuning.quantise, plan.tuning.template), settings)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(resuming.Resuming(resume, plan.tuning.seed))
    trainer.add_callback(Telling(progress))
    if plan.validation:
        trainer.add_callback(EarlyStoppingCallback(plan.tuning.patience))
    return trainer


def arguments(plan: Plan) -> dict[str, Any]:
    """Arguments of transformers' TrainingArguments for a plan. Raises SettingsError for uneven batches."""
    tuning, cuda = plan.tuning, torch.cuda.is_available()
    at_once = _at_once(tuning)
    judged = {"eval_strategy": "steps", "eval_steps": ROUNDS, "load_best_model_at_end": True}
    best = {"metric_for_best_model": "eval_loss", "greater_is_better": False}
    return {
        "output_dir": str(plan.folder),
        "learning_rate": tuning.rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": WARMUP,
        "max_grad_norm": CLIP,
        "num_train_epochs": tuning.epochs,
        "max_steps": tuning.steps or -1,
        "per_device_train_batch_size": at_once,
        "per_device_eval_batch_size": at_once,
        "gradient_accumulation_steps": tuning.accumulate,
        RECOMPUTE: tuning.checkpointing,
        "seed": tuning.seed,
        "data_seed": tuning.seed,
        "bf16": cuda,
        "use_cpu": not cuda,
        "dataloader_pin_memory": cuda,
        "ddp_find_unused_parameters": False,
        "save_strategy": "steps",
        "save_steps": ROUNDS,
        "save_total_limit": 2,
        "save_only_model": True,  # the rest by resuming.py, without pickles
        "restore_callback_states_from_checkpoint": True,
        "logging_steps": LOGGED,
        "disable_tqdm": True,
        "log_level": "error",
        "log_level_replica": "error",
        "report_to": "none",
        **({**judged, **best} if plan.validation else {}),
        **plan.arguments,
    }


def _at_once(tuning: Tuning) -> int:
    """How many of a batch one process takes at once; torch.distributed says how many processes there are."""
    parts = tuning.accumulate * int(os.environ.get("WORLD_SIZE", "1"))
    if tuning.batch % parts:
        raise SettingsError(
            f"batch = {tuning.batch} can't be shared out evenly to {parts} parts (accumulate x processes);"
            f" take a multiple of {parts}"
        )
    return tuning.batch // parts


@contextmanager
def own_chance() -> Iterator[None]:
    """Random generators that libraries seed within the block go on after it as if nothing had been."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        yield
    random.setstate(python)
    np.random.set_state(numpy)


def low_rank(tuning: Tuning, **more: Any) -> Any:
    """LoRA on all linear layers but the output's (Hu et al. 2021, arXiv 2106.09685)."""
    alpha = tuning.alpha or 2 * tuning.rank
    settings = {
        "r": tuning.rank,
        "lora_alpha": alpha,
        "target_modules": "all-linear",
        "task_type": "CAUSAL_LM",
    }
    return LoraConfig(**{**settings, **more})


def _figures(trainer: Any) -> dict[str, float]:
    """The last training loss, what validation said of the best state, and how many parameters learned."""
    history: list[dict[str, float]] = trainer.state.log_history
    model = trainer.accelerator.unwrap_model(trainer.model)
    losses = [entry["loss"] for entry in history if "loss" in entry]
    judgements = [entry for entry in history if "eval_loss" in entry]
    best = min(judgements, key=lambda entry: entry["eval_loss"], default={})
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        "loss": losses[-1],
        "steps": float(trainer.state.global_step),
        "trained": float(trained),
        "share": trained / sum(p.numel() for p in model.parameters()),
        **{name.replace("eval_", "validation_"): v for name, v in best.items() if name.startswith("eval_")},
    }
