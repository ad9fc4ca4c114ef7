"""BM25 search among a fixed set of texts, with nothing but numpy.

The score of each word of each text was worked out once, when the index was made (by the library bm25s, see
customize/_retriever/lexical.py: eager scoring, Lù 2024, arXiv:2407.03618); a search adds the columns of its
words.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Whole = NDArray[np.int32]

WORD = re.compile(r"\w\w+")
CHARACTERS = 32_768  # of a text that are read: a megabyte costs no more than a long page
WORDS = "words.json"


def words(text: str) -> list[str]:
    """What a text is found by: its words of two characters or more, in lower case."""
    return WORD.findall(normalize("NFKC", text[:CHARACTERS]).casefold())


class Bm25(Struct, frozen=True):
    """Scores by word: those of the word at place w stand at starts[w] to starts[w + 1] of `rows` (which text)
    and `scores`. `size` is the number of texts.
    """

    places: Mapping[str, int]
    starts: Whole
    rows: Whole
    scores: Matrix
    size: int

    def search(self, text: str) -> tuple[Matrix, Matrix]:
        """BM25 of every text, and the share of the question's words that stand in it, both of shape (size,).

        Words weigh by their inverse document frequency in the share; those that no text has are left out.
        """
        score, share, total = np.zeros(self.size, np.float32), np.zeros(self.size, np.float32), 0.0
        for word in dict.fromkeys(words(text)):
            if (place := self.places.get(word)) is not None:
                column = slice(self.starts[place], self.starts[place + 1])
                weight = self._rarity(place)
                score[self.rows[column]] += self.scores[column]
                share[self.rows[column]] += weight
                total += weight
        return score, share / np.float32(max(total, 1e-9))

    def _rarity(self, place: int) -> float:
        """Inverse document frequency of a word (Robertson & Spärck Jones 1976, with Lucene's 1 +)."""
        having = float(self.starts[place + 1] - self.starts[place])
        return float(np.log(1 + (self.size - having + 0.5) / (having + 0.5)))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What of it goes into an artefact's weights."""
        return {"bm25.starts": self.starts, "bm25.rows": self.rows, "bm25.scores": self.scores}

    def words_file(self) -> bytes:
        """The words in the order of their places, for the artefact's file `WORDS`."""
        return json.dumps(sorted(self.places, key=self.places.__getitem__), ensure_ascii=False).encode()

    @classmethod
    def read(cls, tensors: Mapping[str, NDArray[Any]], words_file: bytes, size: int) -> "Bm25":
        """Back from an artefact."""
        places = {word: place for place, word in enumerate(json.loads(words_file))}
        starts, rows = (tensors[f"bm25.{name}"].astype(np.int32) for name in ("starts", "rows"))
        return cls(places, starts, rows, tensors["bm25.scores"].astype(np.float32), size)
