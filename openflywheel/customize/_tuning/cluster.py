"""Plans that are run by the workers of a Ray cluster, through Ray Train.

All nodes must have this package installed, and see the store and the checkpoint at the same paths: a run's
checkpoints, its adapter and what it tells of itself lie in its folder.
"""

import pickle
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
import ray
from msgspec.structs import replace
from ray.exceptions import RayError

from openflywheel.base.errors import FlywheelError, SettingsError
from openflywheel.base.instruments.cluster import joined
from openflywheel.customize._tuning.fitting import fitted
from openflywheel.customize._tuning.running import Plan, Result, ended, run
from openflywheel.customize._tuning.tuning import Progress, Tuning

TRIES = 3  # how often a run is begun or gone on with
TOLD = "told.jsonl"  # what the first worker has told of its run
PAUSE = 0.5  # seconds between two looks at it


class RunFailed(FlywheelError):
    """A run lost its workers, or failed in them, again and again."""


@contextmanager
def workers(tuning: Tuning, address: str) -> Iterator["Workers"]:
    """Those of the cluster at an address, until the block ends. Raises SettingsError where there are none."""
    with joined(address):
        found = Workers()
        if address == "local" and tuning.workers > found.most:
            raise SettingsError(
                f"workers = {tuning.workers}: this machine has {found.most} {found.kind}s; write"
                f" `workers: {found.most}`, or name a cluster under `wheel:` (engine: ray:ADDRESS)"
            )
        yield found


class Workers:
    """Runs plans on their `tuning.workers` workers: a GPU each where the cluster has any, else a CPU each.

    A run that loses a worker is gone on with from its newest whole checkpoint, up to `TRIES` times.
    """

    def __init__(self) -> None:
        resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
        self.kind = "GPU" if resources.get("GPU") else "CPU"
        self.most = int(resources.get(self.kind, 0))
        self.elsewhere = 0.0

    def __call__(self, plan: Plan, progress: Progress) -> Result:
        """See `running.run`. An error of ours comes as it is raised in a worker; else RunFailed."""
        plan = _absolute(plan)
        for _ in range(TRIES):
            outcome = ended(plan) or self._tried(plan, progress)
            if isinstance(outcome, FlywheelError):
                raise outcome
            if isinstance(outcome, Result):
                self.elsewhere += outcome.seconds
                return outcome
        raise RunFailed(
            f"training on the cluster failed {TRIES} times; what was saved is kept, so that it can go on. The"
            f" last time: {outcome}"
        )

    def _tried(self, plan: Plan, progress: Progress) -> Result | FlywheelError | str:
        """The result, or what came in its way. It is told of while it goes on."""
        told = plan.folder / TOLD
        told.write_bytes(b"")
        work, gpu = pickle.dumps(partial(_work, plan)), self.kind == "GPU"
        alone = ray.remote(num_cpus=0, max_retries=0)(fitted)
        fitting = alone.remote(work, plan.tuning.workers, gpu, plan.folder)
        try:
            with told.open("rb") as lines:
                while not ray.wait([fitting], timeout=PAUSE)[0]:
                    _tell(lines, progress)
                _tell(lines, progress)
            outcome: Result | FlywheelError | str = ray.get(fitting)
            return outcome
        except RayError as error:
            return f"{type(error).__name__}: {error}"
        finally:
            ray.cancel(fitting, force=True)  # where we were interrupted: the workers end with it


def _absolute(plan: Plan) -> Plan:
    """The same run: a worker begins in another folder."""
    base = replace(plan.base, place=str(Path(plan.base.place).absolute()))
    return replace(plan, base=base, workspace=plan.workspace.absolute())


def _tell(lines: IO[bytes], progress: Progress) -> None:
    """Tell what was written since the last time, but for a line that is not yet whole."""
    for line in iter(lines.readline, b""):
        if not line.endswith(b"\n"):
            lines.seek(-len(line), 1)
            return
        progress(msgspec.json.decode(line, type=dict[str, float]))


def _work(plan: Plan) -> Result:
    """What a worker does. Raises SettingsError when its node doesn't see the run's files."""
    check_seen(plan)
    return run(plan, partial(_write, plan.folder / TOLD))


def _write(told: Path, facts: dict[str, float]) -> None:
    """Closing the file is what makes it seen on other nodes (NFS)."""
    with told.open("ab") as file:
        file.write(msgspec.json.encode(facts) + b"\n")


def check_seen(plan: Plan) -> None:
    """Raises SettingsError when this node sees no folder of the run, or no checkpoint."""
    for place in (plan.folder / TOLD, Path(plan.base.place)):
        if not place.exists():
            raise SettingsError(
                f"the node {socket.gethostname()} of the cluster does not see {place}: with `engine: ray` all"
                " nodes need the store and the checkpoint at the same paths, as on a shared file system (NFS)"
            )
