"""A search among known items: a tuned sentence encoder and BM25, joined by learned weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.bm25 import WORDS, Bm25

Matrix = NDArray[np.float32]
Weights = NDArray[np.float64]
Places = NDArray[np.intp]

FORM = "retriever"
GRAPH = "encoder.onnx"  # only where the encoder was tuned, as in the form "encoder"
POOL = 100  # best items by either score that are joined
RANK = 60  # of reciprocal rank fusion: flattens the first places (Cormack et al. 2009, SIGIR)
FEATURES = ("cosine", "bm25", "place by cosine", "place by bm25", "words in common")


class Encoder(Protocol):
    """The sentence encoder (encoder.py)."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Retriever(Struct, frozen=True):
    """Items by id with their tuned vectors, unit rows of shape (n, width), and their words.

    A question's vector v is turned into unit(v + v @ turn). `weights` joins the `FEATURES` of an item.
    """

    ids: tuple[str, ...]
    vectors: Matrix
    turn: Matrix
    words: Bm25
    weights: Weights
    encoder: Encoder

    def best(self, asked: Sequence[Asked], k: int) -> list[list[tuple[str, float]]]:
        """For each question's text the k best items, best first; none where there is no text.

        Scores order the items of one question and mean nothing beside those of another.
        """
        vectors = turned(self.encoder.encode([one.text for one in asked]), self.turn)
        return [
            self._best(one.text, vector, k) if one.text.strip() else []
            for one, vector in zip(asked, vectors, strict=True)
        ]

    def _best(self, text: str, vector: Matrix, k: int) -> list[tuple[str, float]]:
        places, features = described(self.vectors @ vector, *self.words.search(text), max(POOL, k))
        scores = features @ self.weights
        return [(self.ids[places[i]], float(scores[i])) for i in np.argsort(-scores, kind="stable")[:k]]

    def keep(self, folder: Path, graph: bytes | None = None, **manifest: Any) -> Path:
        """Write it as an artefact; `manifest` is kept beside it. Vectors are kept as float16.

        `graph` is the content of an ONNX file: the encoder, where it was tuned for this search alone.
        """
        said = {
            "form": FORM,
            "encoder": self.encoder.name,
            "items": self.ids,
            "features": FEATURES,
            **manifest,
        }
        tensors = {"vectors": self.vectors.astype(np.float16), "turn": self.turn.astype(np.float16)}
        every: dict[str, NDArray[Any]] = {**tensors, "weights": self.weights, **self.words.tensors()}
        files = {WORDS: self.words.words_file()} | ({GRAPH: graph} if graph is not None else {})
        return artefact.keep(folder, said, every, files)


def opened(place: Path, *, encoder: Encoder) -> Retriever:
    """A retriever that was kept, on the encoder that is kept with it or else on the one handed in.

    Raises StoreError; EncoderError when it was tuned on another encoder, or its own does not run.
    """
    said, tensors = artefact.read(place)
    if GRAPH in said["files"]:
        encoder = _kept(place / GRAPH, said["encoder"])
    if said["encoder"] != encoder.name:
        raise EncoderError(
            f"the model {place.name} was tuned on the encoder {said['encoder']!r}, this process has "
            f"{encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
        )
    ids = tuple(said["items"])
    return Retriever(
        ids=ids,
        vectors=tensors["vectors"].astype(np.float32),
        turn=tensors["turn"].astype(np.float32),
        words=Bm25.read(tensors, (place / WORDS).read_bytes(), len(ids)),
        weights=tensors["weights"],
        encoder=encoder,
    )


def _kept(graph: Path, name: str) -> Encoder:
    # onnxruntime and tokenizers take .2 CPU-s and 25 MB: only where a search has its own encoder.
    from openflywheel.base.instruments.minilm import MiniLM  # noqa: PLC0415

    return MiniLM(graph, name)


def turned(vectors: Matrix, turn: Matrix) -> Matrix:
    """unit(v + v @ turn) of each row."""
    moved = vectors + vectors @ turn
    out: Matrix = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(1e-9))
    return out


def described(cosine: Matrix, bm25: Matrix, common: Matrix, pool: int = POOL) -> tuple[Places, Matrix]:
    """The items that are among the `pool` best by either score, and their features, shape (found, 5)."""
    by_cosine, by_words = _reciprocal(cosine, pool), _reciprocal(bm25, pool)
    by_words[bm25 <= 0] = 0
    found = np.nonzero((by_cosine > 0) | (by_words > 0))[0]
    relative = bm25 / np.float32(max(float(bm25.max(initial=0)), 1e-9))
    each = (cosine, relative, by_cosine, by_words, common)
    return found, np.column_stack([feature[found] for feature in each]).astype(np.float32)


def _reciprocal(scores: Matrix, pool: int) -> Matrix:
    """RANK / (RANK + place) of the best `pool` scores, places from 1 on; 0 for the others."""
    out = np.zeros(len(scores), np.float32)
    some = min(pool, len(scores))
    if some:
        best = np.argpartition(-scores, some - 1)[:some]
        best = best[np.lexsort((best, -scores[best]))]
        out[best] = RANK / (RANK + 1 + np.arange(some))
    return out
