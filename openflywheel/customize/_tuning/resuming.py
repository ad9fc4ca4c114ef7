"""Checkpoints that survive a kill: weights and optimizer as safetensors, the rest as JSON, no pickle.

A checkpoint is whole once `resume.json` is there, which is written last and at once. Nothing has to be kept
of random generators: every step draws from a seed of its own, and the data's order follows from the run's.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from transformers import TrainerCallback

from openflywheel.base.ids import share_of

WHOLE, OPTIMIZER = "resume.json", "optimizer.safetensors"
FULL = StateDictOptions(full_state_dict=True)  # also where processes hold a part each (FSDP)


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint of a run."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{WHOLE}")]
    return max(whole, key=lambda place: int(place.name.partition("-")[2]), default=None)


def agreed(folder: Path) -> Path | None:
    """The same for all processes of a run: the first one says, for another may see its files later."""
    said = [newest(folder)]
    if torch.distributed.is_initialized():
        torch.distributed.broadcast_object_list(said)
    return said[0]


def clear(folder: Path) -> None:
    """Remove the halves of checkpoints that a kill left; of several processes the first one does."""
    if os.environ.get("RANK", "0") == "0":
        for place in folder.glob("checkpoint-*"):
            if not (place / WHOLE).is_file():
                shutil.rmtree(place)


class Resuming(TrainerCallback):  # type: ignore[misc]  # transformers is not followed
    """Keeps what a run needs in order to go on, and brings it back."""

    def __init__(self, resume: Path | None, seed: int) -> None:
        self.resume, self.seed = resume, seed

    def on_train_begin(self, *_: Any, **kwargs: Any) -> None:
        """Bring back the optimizer and the schedule, where there is a checkpoint."""
        if self.resume:
            restore(self.resume, kwargs["model"], kwargs["optimizer"], kwargs["lr_scheduler"])

    def on_step_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """Dropout of a step depends on the run's seed, the step and the process alone."""
        drawn = share_of(f"{self.seed} {state.global_step} {args.process_index}")
        torch.manual_seed(int(drawn * 2**32))  # torch's generator on a CPU takes 32 bits

    def on_save(self, args: Any, state: Any, *_: Any, **kwargs: Any) -> None:
        """Make the checkpoint that the trainer has just written whole."""
        place = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        keep(place, kwargs["model"], kwargs["optimizer"], kwargs["lr_scheduler"], state.is_world_process_zero)


def keep(place: Path, model: Any, optimizer: Any, schedule: Any, first: bool) -> None:
    """Write the optimizer's state beside the weights; all processes take part, the first one writes."""
    state = get_optimizer_state_dict(model, _plain(optimizer), options=FULL)["state"]
    if first:
        named = {f"{name}/{part}": tensor for name, parts in state.items() for part, tensor in parts.items()}
        save_file({name: tensor.contiguous() for name, tensor in named.items()}, place / OPTIMIZER)
        (place / "training_args.bin").unlink()  # a pickle that nobody reads
        for path in place.iterdir():
            _sync(path)
        rates = [group["lr"] for group in optimizer.param_groups]
        write(place / WHOLE, json.dumps({"schedule": schedule.state_dict(), "rates": rates}).encode())


def restore(place: Path, model: Any, optimizer: Any, schedule: Any) -> None:
    """Give optimizer and schedule the state of a checkpoint."""
    state = get_optimizer_state_dict(model, _plain(optimizer), options=FULL)
    for name, tensor in load_file(place / OPTIMIZER).items():
        parameter, _, part = name.rpartition("/")
        state["state"][parameter][part] = tensor
    set_optimizer_state_dict(model, _plain(optimizer), state, options=FULL)
    said = json.loads((place / WHOLE).read_bytes())
    schedule.load_state_dict(said["schedule"])
    for group, rate in zip(optimizer.param_groups, said["rates"], strict=True):
        group["lr"] = rate


def save_model(trainer: Any, place: Path) -> None:
    """Write the adapter, or the whole model where all of it learned."""
    trainer.save_model(str(place))
    if trainer.is_world_process_zero():
        (place / "training_args.bin").unlink()


def write(path: Path, content: bytes) -> None:
    """A file that is there as a whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    _sync(beside)
    beside.rename(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(optimizer: Any) -> Any:
    """Torch's optimizer inside accelerate's."""
    return getattr(optimizer, "optimizer", optimizer)
