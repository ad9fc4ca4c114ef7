"""The checkpoint of a causal language model that a run begins with: found by name, and opened to learn."""

import json
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import torch
from msgspec import Struct
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from openflywheel.base.errors import MissingExtra, SettingsError, StoreError
from openflywheel.base.instruments.checkpoint import WEIGHTS, downloaded, fingerprint

LENGTH = 8  # bytes at the beginning of a safetensors file that say how long its header is, little-endian


class Checkpoint(Struct, frozen=True):
    """`name` is its path as it stands in flywheel.yaml, or its id on the hub; `place` where its files lie.

    `sha256` is that of its weights (base/instruments/checkpoint.fingerprint).
    """

    name: str
    place: str
    sha256: str
    hub: bool = False

    @property
    def said(self) -> dict[str, str]:
        """What a manifest says of a base that lies outside of the model's folder."""
        return {"name": self.name, "hub" if self.hub else "path": self.name, "sha256": self.sha256}


class Opened(Struct):
    """A model that can learn, with its tokenizer."""

    model: Any
    tokenizer: Any


def found(base: str, folder: Path) -> Checkpoint:
    """A checkpoint by its path, relative to `folder`, or by its id on the Hugging Face hub.

    Raises SettingsError when there is none, or its weights are pickles.
    """
    local = folder / Path(base).expanduser()
    try:
        place = local if local.is_dir() else downloaded(base)
        return Checkpoint(base, str(place), fingerprint(place), hub=place != local)
    except StoreError as error:
        known = "is" if local.is_dir() else "is no folder"
        raise SettingsError(f"base = {base!r}: {local} {known}, and: {error}") from error


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


def opened(checkpoint: Checkpoint, quantise: str = "", template: str = "") -> Opened:
    """Model and tokenizer: in bf16 on CUDA, else in fp32; attention by torch's own fused kernel (SDPA)."""
    cuda = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        checkpoint.place,
        dtype=torch.bfloat16 if cuda else torch.float32,
        attn_implementation="sdpa",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        **({"quantization_config": quantised(quantise)} if quantise else {}),
    )
    return Opened(model, tokenizer(checkpoint, template))


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
