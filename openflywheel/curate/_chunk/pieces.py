"""The smallest parts of texts that may be joined to chunks: lines, and parts of those that are too long."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._chunk.lines import LETTERS, SENTENCE, WORD, Ints, Lines

Count = Callable[[Sequence[str]], Ints]

# A full stop ends a sentence where white space follows; the wide ones of Han and Kana always do.
SENTENCES = re.compile(r"[.!?…؟।۔]['\"”’»)\]]*[ \t\r\n]+|[。！？]['\"”’」』）]*\s*")  # noqa: RUF001
# Not \s: BERT's tokenizer drops \v and \f, and so would join the words beside them.
WORDS = re.compile(r"[ \t\r\n\u00a0\u2000-\u200a\u202f\u3000]+")


class Pieces(Struct, frozen=True):
    """Parts of all texts, in their order and without a gap.

    starts: shape (n + 1,), bytes. line: shape (n,), which line. tokens, border: shape (n,); see Lines.
    """

    starts: Ints
    line: Ints
    tokens: Ints
    border: NDArray[np.uint8]


def pieces_of(lines: Lines, tokens: Ints, limits: Ints, count: Count) -> Pieces:
    """Lines (of so many `tokens`), cut into sentences where they have more than `limits`, these into words,
    and these into runs of letters.
    """
    pieces = Pieces(lines.starts, np.arange(len(tokens)), tokens, lines.border)
    for cut, border in ((_sentences, SENTENCE), (_words, WORD), (_letters, LETTERS)):
        pieces = _finer(lines, pieces, limits, cut, border, count)
    return pieces


def _finer(
    lines: Lines,
    pieces: Pieces,
    limits: Ints,
    cut: Callable[[str, int], Iterator[int]],
    border: int,
    count: Count,
) -> Pieces:
    long = np.flatnonzero(pieces.tokens > limits[pieces.line])
    if not len(long):
        return pieces
    parts = [_parts(lines, pieces, int(at), cut, int(limits[pieces.line[at]])) for at in long]
    sizes = np.ones(len(pieces.tokens), np.int64)
    sizes[long] = [len(p) for p in parts]
    source = np.repeat(np.arange(len(sizes)), sizes)
    fresh = np.isin(source, long)
    starts, tokens, borders = pieces.starts[source], pieces.tokens[source], pieces.border[source]
    starts[fresh] = np.concatenate(
        [_places(p, int(pieces.starts[at])) for at, p in zip(long, parts, strict=True)]
    )
    tokens[fresh] = count([part for p in parts for part in p])
    borders[fresh & np.concatenate([[False], source[1:] == source[:-1]])] = border
    return Pieces(np.append(starts, pieces.starts[-1]), pieces.line[source], tokens, borders)


def _parts(
    lines: Lines, pieces: Pieces, at: int, cut: Callable[[str, int], Iterator[int]], limit: int
) -> list[str]:
    text = lines.text(int(pieces.starts[at]), int(pieces.starts[at + 1]))
    places = [0, *(p for p in cut(text, limit) if p < len(text)), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


def _places(parts: Sequence[str], start: int) -> Ints:
    """Where each of the parts begins, in bytes."""
    sizes = [len(part.encode()) for part in parts[:-1]]
    return np.cumsum([start, *sizes])


def _sentences(text: str, _: int) -> Iterator[int]:
    return (found.end() for found in SENTENCES.finditer(text))


def _words(text: str, _: int) -> Iterator[int]:
    return (found.end() for found in WORDS.finditer(text))


def _letters(text: str, limit: int) -> Iterator[int]:
    """Runs that fit whatever they hold: a letter of at most four bytes takes fewer than five tokens."""
    step = max(1, limit // 5)
    return iter(range(step, len(text), step))
