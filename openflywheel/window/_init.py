"""The first two files of a flywheel: settings and seeds."""

from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import Struct
from rich.console import RenderableType

from openflywheel.base.errors import SettingsError
from openflywheel.window._command import command, file_option
from openflywheel.window._first_files import SEEDS, SETTINGS


class Written(Struct, frozen=True, kw_only=True):
    """Where the two files are."""

    settings: str
    seeds: str


def _show(written: Written) -> Iterator[RenderableType]:
    yield f"Wrote {written.settings} and {written.seeds}: replace the seeds by your own examples. Then:"
    where = "" if written.settings == "flywheel.yaml" else f" -f {written.settings}"
    yield f"  flywheel turn{where}"
    yield f"  flywheel ask route 'where is my parcel?'{where}"


@command("init", show=_show)
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@file_option
def init(file: Path, force: bool) -> Written:
    """Write a commented flywheel.yaml that runs as it is.

    A small file of labelled examples, seeds.jsonl, is written beside it.
    """
    seeds = file.with_name("seeds.jsonl")
    there = [str(place) for place in (file, seeds) if place.exists()]
    if there and not force:
        raise SettingsError(f"{' and '.join(there)} would be overwritten; do so with: flywheel init --force")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SETTINGS, encoding="utf-8")
    seeds.write_text(SEEDS, encoding="utf-8")
    return Written(settings=str(file), seeds=str(seeds))


COMMANDS = {"init": init}
