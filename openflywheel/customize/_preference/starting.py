"""What a run of preferences begins with: a checkpoint, or a model of the store that goes on learning."""

from pathlib import Path

from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.generator import ADAPTER, CHECKPOINT, FORM
from openflywheel.base.instruments import artefact
from openflywheel.customize._tuning import checkpoint
from openflywheel.customize._tuning.checkpoint import Checkpoint

CARRIED = ("instruction", "template")  # of the manifest of a model that goes on learning


class Start(Struct, frozen=True):
    """A checkpoint, and of a kept model its adapter and what its manifest says of prompts."""

    base: Checkpoint
    adapter: Path | None = None
    said: dict[str, str] = {}


def started(base: str, folder: Path) -> Start:
    """`base` is a checkpoint's path or hub id, or the folder of a model that was kept ("models/3f2a...").

    Raises SettingsError when it is neither, or that model writes no answers, and StoreError when its weights
    have been changed.
    """
    place = folder / Path(base).expanduser()
    if not (place / artefact.MANIFEST).is_file():
        return Start(checkpoint.found(base, folder))
    said = artefact.manifest(place)
    if said.get("form") != FORM or said.get("labels"):
        raise SettingsError(f"base = {base!r} is a model that writes no answers; name one taught by lora")
    outside, adapter = said.get("base") or {}, place / ADAPTER
    named = "path" in outside or "hub" in outside
    return Start(
        checkpoint.kept(outside, folder) if named else checkpoint.found(f"{base}/{CHECKPOINT}", folder),
        adapter if adapter.is_dir() else None,
        {key: said[key] for key in CARRIED if said.get(key)},
    )
