"""What a GGUF file says of its model."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import gguf


class Base(NamedTuple):
    """Architecture, layers, heads and heads of keys, where they are said; the names of special tokens."""

    kind: str
    layers: int
    heads: int
    heads_kv: int
    special: tuple[str, ...]


@lru_cache(maxsize=8)
def read(file: Path) -> Base:
    """Kept, since it takes 6 CPU-s where there are 150,000 words: gguf makes an array of each."""
    fields = gguf.GGUFReader(file).fields
    kind = fields["general.architecture"].contents()
    heads = _said(fields, f"{kind}.attention.head_count", 0)
    return Base(
        kind,
        _said(fields, f"{kind}.block_count", 0),
        heads,
        _said(fields, f"{kind}.attention.head_count_kv", heads),
        tuple(_special(fields)),
    )


def _said(fields: dict[str, gguf.ReaderField], name: str, otherwise: Any) -> Any:
    return fields[name].contents() if name in fields else otherwise


def _special(fields: dict[str, gguf.ReaderField]) -> list[str]:
    kinds = _said(fields, "tokenizer.ggml.token_type", [])
    control = [i for i, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL]
    words = fields["tokenizer.ggml.tokens"] if control else None
    return [words.contents(i) for i in control] if words else []
