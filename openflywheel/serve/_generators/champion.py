"""A language model that is to be served."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from openflywheel.base.errors import FlywheelError, SettingsError
from openflywheel.serve.generators import Generator

FORM, ADAPTER, CHECKPOINT = "generator", "adapter", "checkpoint"


class NotLoaded(FlywheelError):
    """A generator could not load a model; says why. The one before it goes on serving."""


class Champion(Struct, frozen=True):
    """A model of the form "generator": its artefact, and the base outside of it, if there is one."""

    id: str
    place: Path
    base: dict[str, str]
    adapted: bool
    instruction: str = ""

    @classmethod
    def of(cls, id: str, place: Path, manifest: Mapping[str, Any]) -> "Champion":
        """From an artefact's manifest."""
        base = manifest.get("base") or {}
        outside = {name: base[name] for name in ("name", "path", "hub", "sha256") if name in base}
        adapted = f"{ADAPTER}/adapter_config.json" in manifest["files"]
        return cls(id, place, outside, adapted, manifest.get("instruction", ""))

    @property
    def adapter(self) -> Path:
        """The folder of its peft adapter."""
        return self.place / ADAPTER


def chosen(generators: Mapping[str, Generator], champion: Champion) -> str:
    """The name of the first generator that serves the champion's base. Raises SettingsError."""
    known = {champion.base.get(name, "") for name in ("name", "path", "hub")} - {""}
    for name, one in generators.items():
        if not one.base or one.base in known:
            return name
    bases = ", ".join(f"{name} ({one.base})" for name, one in generators.items())
    raise SettingsError(
        f"serve.generators: none serves the base of {champion.id}, {', '.join(sorted(known)) or 'its own'}: "
        f"there is {bases}; add one whose  base:  it is"
    )
