"""What a run will cost, told before it starts: from three steps of the very same run."""

import math
import tempfile
from pathlib import Path

from msgspec.structs import replace

from openflywheel.customize._budget import Estimate
from openflywheel.customize._tuning.running import ROUNDS, Plan, Result
from openflywheel.customize._tuning.training import Run

STEPS = 3  # the first is slower: memory is allocated; the other two are timed
FORWARD = (
    1 / 3
)  # of a step's work is what judging the same tokens takes (Kaplan et al. 2020, arXiv 2001.08361)
CPU_HOUR, GPU_HOUR = 0.05, 3.0  # dollars: usual prices to rent a core, and a GPU of the H100's class, in 2025


def estimated(run: Run, plan: Plan, tokens: int, judged: int = 0) -> Estimate:
    """The cost of a plan whose rows have `tokens` and whose validation rows have `judged`.

    It takes what loading the model and three steps take, where the plan itself will run. Seconds are those of
    all workers together.
    """
    steps = planned(plan, tokens)
    learned = round(steps * share_of_a_step(plan, tokens) * tokens)
    trial = _tried(run, plan)
    seconds = trial.step * (steps + FORWARD * judged / ROUNDS / (tokens * share_of_a_step(plan, tokens)))
    price = GPU_HOUR if trial.cuda else CPU_HOUR
    return Estimate(
        tokens=learned,
        dollars=seconds / 3_600 * price,
        cpu_seconds=0.0 if trial.cuda else seconds,
        gpu_seconds=seconds if trial.cuda else 0.0,
        note=f"{steps} steps of {trial.step:.3g} s, measured on {STEPS - 1}, at {price} dollars an hour",
    )


def planned(plan: Plan, tokens: int) -> int:
    """How many steps a plan has at most."""
    return plan.tuning.steps or math.ceil(plan.tuning.epochs / share_of_a_step(plan, tokens))


def share_of_a_step(plan: Plan, tokens: int) -> float:
    """The share of an epoch that a step takes."""
    rows = tokens / plan.tuning.most_tokens if plan.tuning.packing else len(plan.rows)
    return min(1.0, plan.tuning.batch / max(1.0, rows))


def _tried(run: Run, plan: Plan) -> Result:
    """A few steps, with all that a step is in this run."""
    with tempfile.TemporaryDirectory(dir=_made(plan.workspace)) as folder:
        short = replace(plan.tuning, steps=STEPS)
        unsaved = {**plan.arguments, "save_strategy": "no"}
        trial = replace(plan, tuning=short, validation=(), arguments=unsaved, workspace=Path(folder))
        return run(trial, lambda _: None)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
