"""The end of one chunk, to be read again at the beginning of the next."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from openflywheel.curate._chunk.pieces import SENTENCES, WORDS, Count

REACH = 8  # characters for each token of the overlap are looked at; a token has four in English


def overlaps(bodies: Sequence[str], overlap: int, count: Count) -> list[tuple[str, int]]:
    """Of each text the last sentences that have `overlap` tokens at most together, else the last words; and
    their tokens.
    """
    tails = [body[-REACH * overlap :] for body in bodies]
    parts = [_parts(tail) for tail in tails]
    sizes = iter(count([part for found in parts for part in found]).tolist())
    return [
        _end(tail, found, [next(sizes) for _ in found], overlap)
        for tail, found in zip(tails, parts, strict=True)
    ]


def _parts(tail: str) -> list[str]:
    ends = {m.end() for pattern in (WORDS, SENTENCES) for m in pattern.finditer(tail)}
    return [tail[a:b] for a, b in pairwise(sorted({0, *ends, len(tail)}))]


def _end(tail: str, parts: Sequence[str], sizes: Sequence[int], overlap: int) -> tuple[str, int]:
    begins = [0, *accumulate(map(len, parts))]
    left = list(accumulate(reversed(sizes)))[::-1]  # tokens from each part on
    # not the first part: it begins in the middle of a word
    fits = {b: tokens for b, tokens in zip(begins, left, strict=False) if b and tokens <= overlap}
    sentences = (m.end() for m in SENTENCES.finditer(tail))
    start = next((b for b in sentences if b in fits), next(iter(fits), len(tail)))
    return tail[start:], fits.get(start, 0)
