"""How far the words of a text are those of a gap's examples: cheap, for every link of every page.

A word counts by its rarity (inverse document frequency, Sparck Jones 1972) among what the crawl has read, and
matches another by the share of letter groups that they have in common (Dice over character trigrams, as in
Angell, Freund & Willett 1983): "replicate" finds "replication", and needs no list of endings.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import log
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WORD = re.compile(r"[^\W_]+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
SUFFIX = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
ALIKE = 0.5  # words that share fewer of their trigrams say different things
LONGEST = 32  # characters of a word that are looked at
READ = 40_000  # characters of a document that are looked at

SAYS_NOTHING = """
a about after again all also although am an and any are as at be because been before being but by can
could did do does doing for from get got had has have having he her him his how i if in into is it its
just let me might must my no not of off on once one only or our out over own please same she should so
some such than that the their them then there these they this those though to too under until up us very
want was we were what when where which while who whom why will with without would you your
"""
STOP = frozenset(SAYS_NOTHING.split())


def words(text: str) -> list[str]:
    """The words of a text in order, case folded, without those that say nothing."""
    return [w for w in WORD.findall(text.casefold()) if w not in STOP and (len(w) > 1 or not w.isascii())]


def url_words(url: str) -> str:
    """What the path and the query of a URL say: "/docs/sqlSelect.html?page=2" -> "docs sql Select page 2"."""
    parts = urlsplit(url)
    said = f"{SUFFIX.sub('', unquote(parts.path))} {unquote(parts.query)}"
    return " ".join(WORD.findall(HUMP.sub(" ", said)))


@lru_cache(maxsize=50_000)
def _trigrams(word: str) -> frozenset[str]:
    marked = f"<{word[:LONGEST]}>"
    return frozenset(marked[i : i + 3] for i in range(len(marked) - 2))


class Lexicon:
    """The words of a gap's examples, and how rare each of them is."""

    def __init__(self, examples: Sequence[str]) -> None:
        said = [dict.fromkeys(words(text)) for text in examples]
        self._vocabulary = list(dict.fromkeys(w for each in said for w in each))
        self._holds = np.array([[w in each for each in said] for w in self._vocabulary], float)
        self._holds = self._holds.reshape(len(self._vocabulary), len(examples))
        self._counts, self._seen = np.zeros(len(self._vocabulary)), 0
        self._known: dict[str, list[tuple[int, float]]] = {}

    def overlap(self, texts: Sequence[str]) -> Floats:
        """Share of each example's words that each text has, by rarity: shape (texts, examples), 0 to 1."""
        shape = len(texts), len(self._vocabulary)
        found = np.array([self._found(text) for text in texts]).reshape(shape)
        weights = self._holds * self._rarity()[:, None]
        return np.asarray(found @ weights / np.maximum(weights.sum(axis=0), 1e-9))

    def note(self, text: str) -> None:
        """Count a document, so that words which all of them have say little."""
        self._counts += self._found(text[:READ]) > 0
        self._seen += 1

    def state(self) -> dict[str, list[float]]:
        return {"counts": self._counts.tolist(), "seen": [self._seen]}

    def restore(self, state: Mapping[str, Sequence[float]]) -> None:
        self._counts, self._seen = np.array(state["counts"]), int(state["seen"][0])

    def _rarity(self) -> Floats:
        return np.log((self._seen + 1.5) / (self._counts + 0.5)) + log(2)

    def _found(self, text: str) -> Floats:
        """How well each word of the vocabulary is found in a text, 0 to 1."""
        best = np.zeros(len(self._vocabulary))
        for word in set(words(text)):
            for place, strength in self._matches(word):
                best[place] = max(best[place], strength)
        return best

    def _matches(self, word: str) -> list[tuple[int, float]]:
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= 50_000:
                self._known.clear()
            pairs = ((i, _dice(word, own)) for i, own in enumerate(self._vocabulary))
            known = self._known[word] = [(i, s) for i, s in pairs if s >= ALIKE]
        return known


def _dice(one: str, other: str) -> float:
    a, b = _trigrams(one), _trigrams(other)
    return 2 * len(a & b) / (len(a) + len(b))
