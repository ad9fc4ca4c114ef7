"""How near a text is to each of a gap's examples: 0 unrelated, 1 as near as an answer is to its question."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from openflywheel.collect._value.scale import Encoder, Floats, scale_of
from openflywheel.collect._value.words import READ, Lexicon

WINDOW = 80  # words: what MiniLM reads at once (128 tokens)
PASSAGES = 4  # of a document that are encoded: the first, and those with most of the examples' words
REMEMBERED = 4_096  # vectors of short texts: 6 MB
DOCUMENT = 200  # characters; what is shorter answers nothing: stored questions are no documents
LOOKED_AT, COMPARED = 1_000, 32  # stored documents: of the newest, those with most of the examples' words
OPENING = 2_000  # characters of a stored document that are looked at
SAME, OTHER = 0.98, 0.9  # cosines to a stored passage: from here it brings nothing, up to here all of it

Vectors = NDArray[np.float32]


class Likeness:
    """Cosines on the encoder's scale, and shared words as far as the encoder is not to be trusted."""

    def __init__(self, examples: Sequence[str], encoder: Encoder) -> None:
        self.lexicon = Lexicon(examples)
        self.examples = len(examples)
        self._encoder, self._scale = encoder, scale_of(encoder)
        self._vectors: Vectors = encoder.encode(examples)
        self._stored: Vectors = self._vectors[:0]
        self._short: dict[str, Vectors] = {}

    def remember(self, stored: Sequence[str]) -> None:
        """From now on what is near to a document of these is not new."""
        texts = [text[:OPENING] for text in stored[-LOOKED_AT:] if len(text) >= DOCUMENT]
        found = self.lexicon.overlap(texts).sum(axis=1)
        nearest = sorted(range(len(texts)), key=lambda i: -found[i])[:COMPARED]
        if nearest:
            self._stored = self._encoder.encode([p for i in nearest for p in self._passages(texts[i])])

    def of_document(self, text: str) -> tuple[Floats, Floats]:
        """Of a document's nearest passages, shape (examples,): of all, and of what is not stored yet."""
        passages = self._passages(text)
        if not passages:
            return np.zeros(self.examples), np.zeros(self.examples)
        vectors = self._encoder.encode(passages)
        near = self._blend(vectors, self.lexicon.overlap(passages))
        return near.max(axis=0), (near * self._novelty(vectors)[:, None]).max(axis=0)

    def of_short(self, texts: Sequence[str], overlap: Floats) -> Floats:
        """Of link texts whose `overlap` in words is known, shape (texts, examples)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._short]
        if len(self._short) + len(new) > REMEMBERED:
            self._short, new = {}, list(dict.fromkeys(texts))
        if new:
            self._short.update(zip(new, self._encoder.encode(new), strict=True))
        return self._blend(np.array([self._short[text] for text in texts]), overlap)

    def _passages(self, text: str) -> list[str]:
        said = text[:READ].split()
        windows = [" ".join(said[i : i + WINDOW]) for i in range(0, len(said), WINDOW)]
        found = self.lexicon.overlap(windows).sum(axis=1)
        best = sorted(range(1, len(windows)), key=lambda i: -found[i])[: PASSAGES - 1]
        return [windows[0], *(windows[i] for i in sorted(best))] if windows else []

    def _novelty(self, vectors: Vectors) -> Floats:
        """1 for what is unlike all that is stored, 0 for what is stored already."""
        if not len(self._stored):
            return np.ones(len(vectors))
        nearest = (vectors @ self._stored.T).max(axis=1).astype(np.float64)
        return np.asarray(np.clip((SAME - nearest) / (SAME - OTHER), 0, 1))

    def _blend(self, vectors: Vectors, overlap: Floats) -> Floats:
        trust = self._scale.trust
        cosines = self._scale.of(vectors @ self._vectors.T)
        return np.asarray(np.maximum(trust * cosines + (1 - trust) * overlap, 0.0))
