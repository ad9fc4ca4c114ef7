"""What is measured of a run: its losses, how much of the model learned, and what its processes took."""

import time
from typing import Any

import torch
from transformers import TrainerCallback


class Timing(TrainerCallback):  # type: ignore[misc]  # transformers is not followed
    """Seconds of a step of this process, without the first, in which memory is allocated.

    On a CPU those that it worked, on CUDA those of the clock.
    """

    def __init__(self) -> None:
        self.clock = time.perf_counter if torch.cuda.is_available() else time.process_time
        self.first = self.last = 0.0
        self.steps = -1

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Called by the trainer."""
        self.last = self.clock()
        self.first = self.first or self.last
        self.steps += 1

    @property
    def step(self) -> float:
        """The mean; 0 for less than two steps."""
        return (self.last - self.first) / max(1, self.steps)


def summed(trainer: Any, *figures: float) -> list[float]:
    """Each figure, of all processes together."""
    own = torch.tensor(figures, dtype=torch.float64, device=trainer.args.device)
    summed: list[float] = trainer.accelerator.reduce(own).tolist()
    return summed


def figures(trainer: Any) -> dict[str, float]:
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
