"""Where plans are run: in this process, or by the workers of a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.customize._tuning.running import Plan, Result, batch_of_one, run
from openflywheel.customize._tuning.tuning import Progress, Tuning


class Run(Protocol):
    """Runs plans. `elsewhere` counts the CPU-seconds of other processes that did."""

    elsewhere: float

    def __call__(self, plan: Plan, progress: Progress) -> Result:
        """See `running.run`."""
        ...


class Here:
    """Runs them in this process."""

    elsewhere = 0.0

    def __call__(self, plan: Plan, progress: Progress) -> Result:
        """See `running.run`."""
        return run(plan, progress)


@contextmanager
def training(tuning: Tuning, cluster: str | None) -> Iterator[Run]:
    """What runs plans of that tuning within the block: on the cluster at an address, or with None here.

    Raises SettingsError for workers that there is no cluster for, or that can't share the work, and when no
    cluster answers; MissingExtra without Ray.
    """
    _check(tuning, cluster)
    if cluster is None:
        yield Here()
        return
    try:  # importing it takes a second, and only those who want it have it
        from openflywheel.customize._tuning.cluster import workers  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise MissingExtra("wheel.engine: ray needs 'ray': pip install 'openflywheel[ray]'") from error
    with workers(tuning, cluster) as on_cluster:
        yield on_cluster


def _check(tuning: Tuning, cluster: str | None) -> None:
    if tuning.workers < 1:
        raise SettingsError(f"workers = {tuning.workers}; give 1 or more")
    if tuning.workers > 1 and cluster is None:
        raise SettingsError(
            f"workers = {tuning.workers} needs a Ray cluster: write `engine: ray` under `wheel:` in"
            " flywheel.yaml, or leave `workers` out"
        )
    if tuning.fsdp and tuning.workers < 2:
        raise SettingsError(
            "fsdp = true shares a model's weights among workers: write `workers: 2` or more beside it, or"
            " leave it out"
        )
    if tuning.fsdp and tuning.quantise:
        raise SettingsError(f"fsdp = true and quantise = {tuning.quantise!r} don't go together; take one")
    if tuning.workers > 1:
        batch_of_one(tuning, tuning.workers)
