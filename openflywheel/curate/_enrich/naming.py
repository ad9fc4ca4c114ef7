"""Which entities a text names.

Leftmost, then longest match of whole words (Aho & Corasick 1975, CACM 18, for what is found; the look-up is
by hashes of word n-grams, in whole columns). A name that several entities bear means the one that the text
calls by another name too, else the one with most of its context words around; a draw means none of them.
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from openflywheel.curate._characters import small
from openflywheel.curate._enrich.entities import BASE, Hashes, Names, matched
from openflywheel.curate._enrich.keywords import among
from openflywheel.curate._tokens import Index, Passage, Tokens

SIEVE = np.uint64((1 << 20) - 1)  # words that begin no name are told by 20 bits of their hash, mostly


def entities(passage: Passage, names: Names) -> dict[int, tuple[str, ...]]:
    """text -> ids of the entities that it names, in the order in which it does."""
    words = matched(passage.tokens)
    found: dict[int, dict[int, int]] = defaultdict(dict)  # text -> name -> where it first stands
    end = 0
    texts = np.repeat(np.arange(len(words.offsets) - 1), np.diff(words.offsets))
    for start, size, name in _matches(passage, words, names):
        if start >= end:
            end = start + size
            found[int(texts[start])].setdefault(name, start)
    return {text: ids for text, said in found.items() if (ids := _meant(words, text, said, names))}


def _matches(passage: Passage, words: Tokens, names: Names) -> Iterator[tuple[int, int, int]]:
    """(first token, tokens, name) of every name, leftmost first, then longest first."""
    starts = _begins(words, names.first)
    ends = words.offsets[np.searchsorted(words.offsets, starts, "right")] if len(starts) else starts
    grams, found = np.zeros(len(starts), np.uint64), []
    for size in range(1, max(names.known, default=0) + 1):
        fits = starts + size <= ends
        starts, ends, grams = starts[fits], ends[fits], grams[fits]
        grams = grams * BASE + words.hashes[starts + size - 1]
        hits = np.flatnonzero(among(grams, names.known.get(size, np.empty(0, np.uint64))))
        found += [(int(starts[n]), size, int(grams[n])) for n in hits]
    found.sort(key=lambda match: (match[0], -match[1]))
    return (m for m in found if m[2] not in names.derived or _capital(passage, words, m[0]))


def _begins(words: Tokens, first: Hashes) -> Index:
    """Tokens that begin a name."""
    sieve = np.zeros(int(SIEVE) + 1, bool)
    sieve[first & SIEVE] = True
    maybe = np.flatnonzero(sieve[words.hashes & SIEVE])
    return maybe[among(words.hashes[maybe], first)]


def _capital(passage: Passage, words: Tokens, token: int) -> bool:
    code = passage.codes[words.starts[token]]
    return bool(small()[code] != code)


def _meant(words: Tokens, text: int, said: dict[int, int], names: Names) -> tuple[str, ...]:
    sure = {
        names.meant[name][0]: place for name, place in reversed(said.items()) if len(names.meant[name]) == 1
    }
    around: Hashes | None = None
    for name, place in said.items():
        bearers = names.meant[name]
        if len(bearers) == 1 or any(bearer in sure for bearer in bearers):
            continue
        if around is None:
            around = np.unique(words.hashes[words.offsets[text] : words.offsets[text + 1]])
        best = _best(bearers, around, names)
        sure |= {} if best is None else {best: place}
    return tuple(names.entities[n].id for n in sorted(sure, key=lambda n: (sure[n], n)))


def _best(bearers: tuple[int, ...], around: Hashes, names: Names) -> int | None:
    """The bearer of whose own context words most are around; None for a draw."""
    context = [names.context[bearer] for bearer in bearers]
    everybody = set.intersection(*(set(c.tolist()) for c in context))
    near = [len((set(c.tolist()) - everybody) & set(around.tolist())) for c in context]
    best = max(near)
    return bearers[near.index(best)] if best and near.count(best) == 1 else None
