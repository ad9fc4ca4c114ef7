"""What stands between a plan and the workers of Ray Train.

It runs in a process of its own, so that it can be stopped from outside. What the workers do comes packed:
only they have to import what it needs, which takes seconds.
"""

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import ray.train

from openflywheel.base.errors import FlywheelError

train: Any = ray.train  # its types are still those of its first version


def fitted(work: bytes, workers: int, gpu: bool, folder: Path) -> Any:
    """What the first worker returned; the error of ours that one raised; or else what went wrong, as text.

    Ray Train would begin a run again whatever the error was; an error of ours is not worth another try.
    """
    from ray.train.torch import TorchTrainer  # noqa: PLC0415  not in the program that only asks for it

    once = train.FailureConfig(controller_failure_limit=0)
    trainer: Any = TorchTrainer(
        partial(_unpacked, work),  # type: ignore[arg-type]
        scaling_config=train.ScalingConfig(num_workers=workers, use_gpu=gpu),
        run_config=train.RunConfig(name="ray", storage_path=str(folder), failure_config=once),
    )
    try:
        return trainer.fit().return_value
    except train.TrainingFailedError as error:
        failures = getattr(error, "worker_failures", {}).values()
        ours = [failure for failure in failures if isinstance(failure, FlywheelError)]
        return ours[0] if ours else str(error)


def _unpacked(work: bytes) -> object:
    return pickle.loads(work)()  # noqa: S301  from our own program
