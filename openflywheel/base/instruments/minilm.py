"""all-MiniLM-L6-v2 as an int8 ONNX graph: converted once from model.safetensors, then run on the CPU.

The transformer is BERT (Devlin et al. 2019, arXiv:1810.04805) with the weights of MiniLM (Wang et al. 2020,
arXiv:2002.10957) tuned for sentences (huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache-2.0).
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments.onnx_writer import DATA_TYPES, Graph

Float32 = NDArray[np.float32]

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Raise the last number with every change to the graph: vectors of two graphs do not mix.
NAME = f"minilm-l6-int8-{SHA256[:8]}-v1"
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
LAYERS, HEADS, WIDTH = 6, 12, 384
# Opset 23 (onnxruntime 1.23 and later) has the Attention operator: .2 CPU-ms a text less than its parts.
OPSET, IR_VERSION = 23, 11
TOKENS = 128
# Read at most 32 characters a token: a megabyte of text costs no more than a page.
CHARACTERS = 32 * TOKENS
# Tokens that go through the graph at once.
BATCH_TOKENS = 2048
# Texts tokenized at once, which bounds memory for any number of texts.
WINDOW = 4096


class MiniLM:
    """Sentence vectors from a converted file. One thread; a session may be shared by threads.

    Texts of equal length in tokens share a batch: no padding, so no mask, and a text's vector does not
    depend on its neighbours (activations are quantised row by row).
    """

    name = NAME
    width = WIDTH

    def __init__(self, path: Path) -> None:
        """Open `path`, written by `convert`. Raises EncoderError when onnxruntime cannot read it."""
        try:
            self._session = onnxruntime.InferenceSession(path, _options(), ["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors have no nearer base
            raise EncoderError(f"{path} cannot be read ({error}): delete it, and it is converted anew") from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._tokenizer = Tokenizer.from_str(metadata[TOKENIZER])
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKENS)

    def encode(self, texts: Sequence[str]) -> Float32:
        """L2-normalised float32 vectors, shape (len(texts), 384), of each text's first 128 tokens."""
        windows = [self._window(texts[start : start + WINDOW]) for start in range(0, len(texts), WINDOW)]
        return np.concatenate([np.empty((0, WIDTH), np.float32), *windows])

    def _window(self, texts: Sequence[str]) -> Float32:
        encodings = self._tokenizer.encode_batch_fast([_readable(text) for text in texts])
        ids = [encoding.ids for encoding in encodings]
        vectors = np.empty((len(ids), WIDTH), np.float32)
        for batch in _batches([len(row) for row in ids]):
            tokens = np.array([ids[row] for row in batch], np.int64)
            (vectors[batch],) = self._session.run(None, {"ids": tokens})
        return vectors
