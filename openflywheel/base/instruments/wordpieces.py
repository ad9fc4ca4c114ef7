"""Texts to MiniLM's token ids, alike for its training and its serving."""

from collections.abc import Sequence

from tokenizers import Tokenizer

TOKENS = 128
# At most 32 characters a token are read, so a megabyte of text costs no more than a page.
CHARACTERS = 32 * TOKENS


class WordPieces:
    """The first 128 token ids of each text, marks at both ends included, without padding."""

    def __init__(self, content: str) -> None:
        """`content` is what tokenizer.json holds."""
        self._tokenizer = Tokenizer.from_str(content)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKENS)

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        encodings = self._tokenizer.encode_batch_fast([_readable(text) for text in texts])
        return [encoding.ids for encoding in encodings]


def _readable(text: str) -> str:
    """The part that can reach the model; lone surrogates, which the tokenizer refuses, become '?'."""
    return text[:CHARACTERS].encode(errors="replace").decode()
