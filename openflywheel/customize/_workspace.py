"""What trainers keep while they are at work; it goes once the store holds what they made.

A run's checkpoints, or the answers that a provider was paid for, lie in <workspace>/<dataset>/<trainer>. Who
is to be shown the dataset may need them: it failed, waits, or was killed before its Model was in the store.
"""

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path


def place_of(workspace: Path, dataset: str, trainer: str) -> Path:
    """The folder of a trainer while it learns from a dataset, in one that others can't read."""
    own = workspace / dataset
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    return own / trainer


def tidy(workspace: Path, datasets: Iterable[str], shown: Collection[tuple[str, str]]) -> None:
    """Remove what was kept for `datasets`, except by whom they are `shown` to: (dataset, trainer).

    What else lies in the workspace is somebody's own, as the book of jobs at providers is.
    """
    for dataset in datasets:
        own = workspace / dataset
        for folder in own.glob("*"):
            if (dataset, folder.name) not in shown:
                shutil.rmtree(folder)
        if own.is_dir() and not any(own.iterdir()):
            own.rmdir()
