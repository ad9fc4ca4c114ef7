"""The tokenizer of a checkpoint, as a GGUF file holds it: byte-level BPE, with its chat template."""

import json
from pathlib import Path
from typing import Any

import gguf

from openflywheel.base.errors import StoreError

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
# How a text is cut before its pieces are merged -> llama.cpp's name for that (llama-vocab.cpp).
CUTS = {
    "": "gpt-2",  # the expression that is built into ByteLevel
    f"{CONTRACTIONS}|\\p{{N}}{{1,3}}{REST}": "llama-bpe",
    f"{CONTRACTIONS}|\\p{{N}}{REST}": "qwen2",
}


def add_words(writer: gguf.GGUFWriter, checkpoint: Path, size: int) -> None:
    """Add `size` tokens with their merges, what begins and ends a text, and the chat template.

    Raises StoreError for a tokenizer that is no byte-level BPE, or that cuts texts in an unknown way.
    """
    told = json.loads((checkpoint / "tokenizer.json").read_text())
    if told["model"].get("type") != "BPE":
        raise StoreError(f"the tokenizer of {checkpoint} is no byte-level BPE: name a GGUF file (gguf:)")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_cut(told["pre_tokenizer"], checkpoint))
    words, types = _words(told, size)
    writer.add_token_list(words)
    writer.add_token_types(types)
    gguf.SpecialVocab(checkpoint, load_merges=True, n_vocab=size).add_to_gguf(writer, quiet=True)


def _words(told: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    """Every token and what it is; numbers that the model has and the tokenizer does not are never said."""
    words = [f"[UNUSED{i}]" for i in range(size)]
    types = [int(gguf.TokenType.UNUSED)] * size
    for word, number in told["model"]["vocab"].items():
        words[number], types[number] = word, int(gguf.TokenType.NORMAL)
    for added in told["added_tokens"]:
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        words[added["id"]], types[added["id"]] = added["content"], int(kind)
    return words, types


def _cut(told: dict[str, Any], checkpoint: Path) -> str:
    """llama.cpp's name for the way in which a tokenizer cuts texts."""
    steps = told.get("pretokenizers", [told])
    cuts = [step["pattern"].get("Regex", "?") for step in steps if step["type"] == "Split"]
    others = [step["type"] for step in steps if step["type"] not in ("Split", "ByteLevel")]
    cut = "?" if others or len(cuts) > 1 else "".join(cuts)
    if cut not in CUTS:
        raise StoreError(
            f"the tokenizer of {checkpoint} cuts texts in a way that is not converted here: name a GGUF file "
            "of it as  gguf:  of this generator, or serve it with vLLM"
        )
    return CUTS[cut]
