"""A language model that is to be served."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from openflywheel.base.errors import FlywheelError, SettingsError
from openflywheel.serve.generators import Generator

FORM, ADAPTER, CHECKPOINT = "generator", "adapter", "checkpoint"
OUTSIDE = ("name", "path", "hub", "sha256", "config_sha256", "revision")  # what a manifest says of a base


class NotLoaded(FlywheelError):
    """A generator could not load a model; says why. The one before it goes on serving."""


class Champion(Struct, frozen=True):
    """A model of the form "generator": its artefact, and the base outside of it, if there is one."""

    id: str
    place: Path
    base: dict[str, str]
    adapted: bool
    instruction: str = ""
    template: str = ""

    @classmethod
    def of(cls, id: str, place: Path, manifest: Mapping[str, Any]) -> "Champion":
        """From an artefact's manifest."""
        base = manifest.get("base") or {}
        outside = {name: base[name] for name in OUTSIDE if name in base}
        adapted = f"{ADAPTER}/adapter_config.json" in manifest["files"]
        own = [manifest.get(name) or "" for name in ("instruction", "template")]
        return cls(id, place, outside, adapted, *own)

    @property
    def outside(self) -> bool:
        """Do its weights lie outside of its artefact?"""
        return "path" in self.base or "hub" in self.base

    @property
    def adapter(self) -> Path:
        """The folder of its peft adapter."""
        return self.place / ADAPTER


def missing(engine: str, champion: Champion) -> str:
    """What comes with a champion that an engine cannot load while it serves; empty where it loads all."""
    if engine == "vllm" and not champion.adapted:
        return "a whole checkpoint"
    if engine == "vllm" and champion.template:
        return "a chat template of its own"
    return "an instruction of its own" if engine != "transformers" and champion.instruction else ""


def refuse(engine: str, champion: Champion) -> None:
    """Raises NotLoaded for what an engine cannot load while it serves."""
    if what := missing(engine, champion):
        raise NotLoaded(
            f"{champion.id} comes with {what}, which {engine} cannot load at run time; serve it by a "
            "generator with  engine: transformers"
        )


def chosen(generators: Mapping[str, Generator], champion: Champion) -> str:
    """The name of the first generator that serves the champion's base and can load it.

    Raises SettingsError.
    """
    known = {champion.base.get(name, "") for name in ("name", "path", "hub")} - {""}
    fit = {name: one for name, one in generators.items() if not one.base or one.base in known}
    able = [name for name, one in fit.items() if not missing(one.engine, champion)]
    if able:
        return able[0]
    if fit:
        raise SettingsError(f"serve.generators: {_unable(fit, champion)}; add one with  engine: transformers")
    bases = ", ".join(f"{name} ({one.base})" for name, one in generators.items())
    raise SettingsError(
        f"serve.generators: none serves the base of {champion.id}, {', '.join(sorted(known)) or 'its own'}: "
        f"there is {bases}; add one whose  base:  it is"
    )


def _unable(fit: Mapping[str, Generator], champion: Champion) -> str:
    said = [f"{name} ({one.engine}) not {missing(one.engine, champion)}" for name, one in fit.items()]
    return f"none can load {champion.id}: {', '.join(said)}"
