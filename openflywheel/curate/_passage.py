"""Whether the steps remember just what the store holds: their state is kept before the rows are.

A passage that is killed in between leaves a state that knows rows that nobody has. Its records are given
again; so a passage that was given some of the last one's, and finds the state changed since, trusts it not.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from openflywheel.base.nouns import Record
from openflywheel.curate._engine import files
from openflywheel.curate._engine.state import version

BEGUN = "begun"  # the version of the state before the last passage, then the ids of what it was given


def in_step(workspace: Path, recipe: str, took: Sequence[Record]) -> bool:
    """Is there a state that knows just what has rows? One that is ahead of them is removed."""
    state = workspace / recipe
    before, *ids = begun.read_text().split("\n") if (begun := workspace / BEGUN).exists() else [""]
    if before != version(state) and not {record.id for record in took}.isdisjoint(ids):
        files.discard(state)
    return bool(version(state))


def begin(workspace: Path, recipe: str, took: Sequence[Record]) -> None:
    """Note what a passage was given, and the state that it begins with."""
    with files.finished(workspace / BEGUN) as part:
        part.write_text("\n".join([version(workspace / recipe), *(record.id for record in took)]))


def tidy(workspace: Path, recipe: str) -> None:
    """Remove what nothing reads any more: states of other recipes, and what runs that were given up left."""
    for folder in workspace.iterdir():
        if folder.name == "work" or (folder.name != recipe and version(folder)):
            shutil.rmtree(folder)
