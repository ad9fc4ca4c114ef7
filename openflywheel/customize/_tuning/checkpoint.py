"""The checkpoint of a causal language model that a run begins with: found by name, and opened to learn."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import torch
import transformers
from msgspec import Struct
from packaging.version import Version
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from openflywheel.base.errors import MissingExtra, SettingsError, StoreError
from openflywheel.base.instruments.checkpoint import (
    WEIGHTS,
    config_fingerprint,
    downloaded,
    fingerprint,
    local,
    revision,
)

SHARDS = "5.23"  # the release that was tried: it averages what processes learn beside sharded weights
LENGTH = 8  # bytes at the beginning of a safetensors file that say how long its header is, little-endian


class Checkpoint(Struct, frozen=True):
    """`name` is its path as it stands in flywheel.yaml, or its id on the hub; `place` where its files lie.

    `sha256` is that of its weights, `config` that of what stands beside them
    (base/instruments/checkpoint.py); `revision` is its commit on the hub.
    """

    name: str
    place: str
    sha256: str
    hub: bool = False
    config: str = ""
    revision: str = ""

    @property
    def said(self) -> dict[str, str]:
        """What a manifest says of a base that lies outside of the model's folder."""
        said = {"name": self.name, "hub" if self.hub else "path": self.name, "sha256": self.sha256}
        more = {"config_sha256": self.config, "revision": self.revision}
        return said | {name: value for name, value in more.items() if value}


class Opened(Struct):
    """A model that can learn, with its tokenizer."""

    model: Any
    tokenizer: Any


def found(base: str, folder: Path) -> Checkpoint:
    """A checkpoint by its path, relative to `folder`, or by its id on the Hugging Face hub.

    Raises SettingsError when there is none, or its weights are pickles.
    """
    place = folder / Path(base).expanduser()
    is_dir = place.is_dir()
    if not is_dir and _path(base):
        raise SettingsError(f"base = {base!r} is no folder (looked in {place.absolute()})")
    try:
        return _at(base, place) if is_dir else _at(base, downloaded(base), hub=True)
    except StoreError as error:
        known = "is" if is_dir else "is no folder"
        raise SettingsError(f"base = {base!r}: {place} {known}, and: {error}") from error


def kept(said: Mapping[str, str], folder: Path) -> Checkpoint:
    """The checkpoint outside of a kept model, as the model's manifest names it; nothing is fetched.

    Raises StoreError when there is none, or another one now.
    """
    return _at(said.get("path") or said["hub"], local(said, folder), hub="path" not in said)


def _at(name: str, place: Path, *, hub: bool = False) -> Checkpoint:
    files = fingerprint(place), hub, config_fingerprint(place)
    return Checkpoint(name, str(place), *files, revision(place) if hub else "")


def _path(base: str) -> bool:
    """Can this be nothing but a path? An id of the hub is OWNER/NAME, or NAME."""
    return base.startswith((".", "/", "~")) or base.count("/") > 1


def parameters(place: Path) -> int:
    """How many numbers a checkpoint's weights hold, read from the headers of its files."""
    total = 0
    for path in place.glob(WEIGHTS):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(LENGTH), "little")))
        total += sum(prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return total


def template(name: str, folder: Path) -> str:
    """The text of a Jinja file, "" without a name. Raises SettingsError when there is no such file."""
    if name and not (folder / name).is_file():
        raise SettingsError(f"template = {name!r}: there is no file {folder / name}")
    return (folder / name).read_text(encoding="utf-8") if name else ""


def tokenizer(checkpoint: Checkpoint, template: str = "") -> Any:
    """Its tokenizer, with its own chat template or the one given as Jinja text.

    Raises SettingsError when there is neither.
    """
    made = AutoTokenizer.from_pretrained(checkpoint.place, trust_remote_code=False, local_files_only=True)
    if template:
        made.chat_template = template
    if not made.chat_template:
        raise SettingsError(
            f"base = {checkpoint.name!r} has no chat template: name a Jinja file (template: chat.jinja), or"
            " take the variant of the model that follows instructions"
        )
    if made.pad_token_id is None:
        made.pad_token = made.eos_token
    return made


def opened(checkpoint: Checkpoint, quantise: str = "", template: str = "", shards: int = 1) -> Opened:
    """Model and tokenizer: in bf16 on CUDA, else in fp32; attention by torch's own fused kernel (SDPA).

    Of several `shards`, as many as there are processes, each reads and keeps one; a layer is gathered when
    it computes (FSDP2: Zhao et al. 2023, arXiv 2304.11277). What is added to the model later is not sharded.
    """
    cuda = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        checkpoint.place,
        dtype=torch.bfloat16 if cuda else torch.float32,
        attn_implementation="sdpa",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        **({"quantization_config": quantised(quantise)} if quantise else {}),
        **({"distributed_config": _sharded(shards)} if shards > 1 else {}),
    )
    return Opened(model, tokenizer(checkpoint, template))


def _sharded(shards: int) -> Any:
    """How the processes share the weights. Raises SettingsError where transformers can't share them yet."""
    if Version(transformers.__version__) < Version(SHARDS):
        raise SettingsError(
            f"fsdp needs transformers {SHARDS} or newer, and this is {transformers.__version__}: pip install"
            " --upgrade transformers"
        )
    from transformers.distributed import DistributedConfig  # noqa: PLC0415  not there before

    return DistributedConfig(fsdp_size=shards)


def quantised(quantise: str) -> Any:
    """How QLoRA keeps the frozen weights: 4-bit NormalFloat (Dettmers et al. 2023, arXiv 2305.14314).

    Raises SettingsError without CUDA, and MissingExtra without bitsandbytes.
    """
    if quantise != "4bit":
        raise SettingsError(f"quantise = {quantise!r}; choices: 4bit, or leave it out")
    if not torch.cuda.is_available():
        raise SettingsError("quantise = '4bit' needs a CUDA device, and this machine has none; leave it out")
    if find_spec("bitsandbytes") is None:
        raise MissingExtra("quantise = '4bit' needs 'bitsandbytes': pip install bitsandbytes")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
