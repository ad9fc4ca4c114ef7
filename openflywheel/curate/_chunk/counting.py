"""The tokenizer of the model that the chunks are for."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.encoder import PACKAGE, REPOSITORY

# Tokenizers that look at each word by itself, so that the tokens of two parts add up where white space is
# between.
WORD_BY_WORD = ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")


class Counter:
    """Counts tokens without the special ones that a model puts around a text.

    additive: cut at white space, the parts of a text have as many tokens as the text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        kind = (json.loads(tokenizer.to_str())["pre_tokenizer"] or {}).get("type")
        self.additive = kind in WORD_BY_WORD

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text, shape (len(texts),)."""
        found = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return np.fromiter(map(len, found), np.int64, len(found))


def counter(tokenizer: str, folder: Path) -> Counter:
    """The counter of a tokenizer.json (a path from `folder`), of a model on the Hugging Face hub
    ("owner/name"), or, for "", of the sentence encoder. Raises SettingsError when it cannot be read.
    """
    if not tokenizer:
        return _own()
    path = folder / tokenizer
    if path.is_file():
        return _read(path, path.stat().st_mtime_ns)
    if tokenizer.endswith(".json") or tokenizer.count("/") != 1:
        raise SettingsError(
            f"curate.chunk: there is no {path}; give a tokenizer.json or a model such as {REPOSITORY!r}"
        )
    return _hub(tokenizer)


@cache
def _own() -> Counter:
    spec = find_spec(PACKAGE)  # is not imported: that would import torch
    if spec and spec.origin:
        return Counter(Tokenizer.from_file(str(Path(spec.origin).parent / "model" / "tokenizer.json")))
    return _hub(REPOSITORY)


@cache
def _read(path: Path, changed: int) -> Counter:  # noqa: ARG001  a file that changed is read again
    try:
        return Counter(Tokenizer.from_file(str(path)))
    except Exception as error:  # tokenizers raises no nearer class
        raise SettingsError(f"curate.chunk: {path} is no tokenizer.json: {error}") from error


@cache
def _hub(name: str) -> Counter:
    try:
        return Counter(Tokenizer.from_pretrained(name))
    except Exception as error:  # tokenizers raises no nearer class
        raise SettingsError(
            f"curate.chunk: the Hugging Face hub does not give the tokenizer of {name!r}: {error}. "
            "Download its tokenizer.json and write tokenizer: path/to/tokenizer.json"
        ) from error
