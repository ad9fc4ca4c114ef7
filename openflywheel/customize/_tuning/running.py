"""One run of a trainer of transformers or TRL: a plan in, an adapter and figures out, also after a kill.

A Plan holds all that a run needs and pickles, so `run(plan)` may be called here, in another process, or in
several at once (cluster.py): where torch.distributed is set up, the trainer shares the batches out by itself.
A run that was killed goes on from its newest whole checkpoint when it is asked for again: it has the same
name.
"""

import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
from openflywheel.customize._tuning.figures import Timing, figures, summed
from openflywheel.customize._tuning.telling import Telling, quiet
from openflywheel.customize._tuning.tuning import Progress, Tuning

ROUNDS = 0.1  # of all steps: after so many the run is judged on validation and saved
LOGGED = 0.02  # of all steps: after so many progress is told
WARMUP, CLIP = 0.03, 1.0  # share of the steps that the rate rises in; norm that gradients are cut to
RESULT, ADAPTER = "result.json", "adapter"
RECOMPUTE = "activation_checkpointing"  # called gradient_checkpointing in releases of transformers before
if RECOMPUTE not in TrainingArguments.__dataclass_fields__:
    RECOMPUTE = "gradient_checkpointing"


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
    """Figures of a run by their field's names, and what it took of all its processes together.

    seconds: of their CPUs; step: those of a step, on CUDA of the GPUs, by the clock.
    """

    figures: dict[str, float]
    seconds: float
    step: float = 0.0
    cuda: bool = False


Build = Callable[[Plan, Opened, dict[str, Any]], Any]
"""(plan, model and tokenizer, arguments of transformers) -> a transformers.Trainer."""


def run(plan: Plan, progress: Progress) -> Result:
    """Train until the end, or until validation has stopped getting better; the best state counts.

    What it made lies in `plan.adapter`; `plan.folder` goes once the store holds it (_workspace.py).
    """
    if result := ended(plan):
        return result
    start = time.process_time()
    resuming.clear(plan.folder)
    resume, timing = resuming.agreed(plan.folder), Timing()
    with quiet(), own_chance():
        trainer = _trainer(plan, resume, progress)
        trainer.add_callback(timing)
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        resuming.save_model(trainer, plan.adapter)
        seconds, step = summed(trainer, time.process_time() - start, timing.step)
    result = Result(figures(trainer), seconds, step, torch.cuda.is_available())
    if trainer.is_world_process_zero():
        resuming.write(plan.folder / RESULT, msgspec.json.encode(result))
    del trainer
    gc.collect()
    return result


def ended(plan: Plan) -> Result | None:
    """The result of a run that was killed after its end. Makes the folder of one that wasn't begun."""
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = plan.folder / RESULT
    return msgspec.json.decode(said.read_bytes(), type=Result) if said.is_file() else None


def _trainer(plan: Plan, resume: Path | None, progress: Progress) -> Any:
    """The trainer that the plan asks for, with what every run has."""
    transformers.set_seed(plan.tuning.seed)
    tuning, settings = plan.tuning, arguments(plan)
    base = opened(plan.base, tuning.quantise, tuning.template, processes() if tuning.fsdp else 1)
    trainer = plan.build(plan, base, settings)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(resuming.Resuming(resume, plan.tuning.seed))
    trainer.add_callback(Telling(progress))
    if plan.validation:
        trainer.add_callback(EarlyStoppingCallback(plan.tuning.patience))
    return trainer


def arguments(plan: Plan) -> dict[str, Any]:
    """Arguments of transformers' TrainingArguments for a plan. Raises SettingsError for uneven batches."""
    tuning, cuda = plan.tuning, torch.cuda.is_available()
    at_once = batch_of_one(tuning, processes())
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


def processes() -> int:
    """How many of them take part in a run: torch.distributed says so."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def batch_of_one(tuning: Tuning, processes: int) -> int:
    """How many of a batch one process takes at once. Raises SettingsError for uneven batches."""
    parts = tuning.accumulate * processes
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
