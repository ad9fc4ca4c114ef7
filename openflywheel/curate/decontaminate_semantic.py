"""Drop training rows that ask in other words what a holdout asks."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.encoder import Encoder
from openflywheel.curate._batches import Batch, as_table
from openflywheel.curate._holdouts import given_away, name_of, teaching

CLOSE = "decontaminate: close to a text of the holdout"
PLACES = 6  # decimals of a cosine that count: the last bits depend on which rows are multiplied together
Encode = Callable[[Sequence[str]], NDArray[np.float32]]

AT_ONCE = 4_096  # texts of the holdout that are compared at once: 65 MB with 2,000 rows


def decontaminate_semantic(
    batch: Batch, *, similarity: float = 0.95, encoder: Encoder, holdouts: Callable[[], Sequence[str]]
) -> pa.Table:
    """Drop rows whose embedding has a cosine of at least `similarity` to that of a holdout's text.

    For rephrased copies, which no run of common words shows (Yang et al. 2023, arXiv:2311.04850). Rows that
    never teach are left alone. Encoders read beginnings only (MiniLM: 128 tokens): cut documents into chunks
    first. Reason: "decontaminate: close to a text of the holdout"; the fact "decontaminate" names the nearest
    one by its hash. `encoder` and `holdouts` are handed in by the wheel.
    """
    if not (-1 <= similarity <= 1):
        raise SettingsError(f"curate.decontaminate_semantic: similarity = {similarity}; a cosine is -1 to 1")
    table = as_table(batch)
    rows = teaching(table)
    names, vectors = _index(tuple(holdouts()), encoder.encode)
    if not len(rows) or not names:
        return table
    said = encoder.encode(table["text"].take(rows).to_pylist()).astype(np.float64)
    best, text = _nearest(said, vectors)
    close = np.flatnonzero(best >= similarity)
    return given_away(table, rows[close], [names[t] for t in text[close].tolist()], CLOSE)


@lru_cache(maxsize=2)
def _index(texts: tuple[str, ...], encode: Encode) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    known = sorted({text for text in texts if text.strip()})
    return tuple(map(name_of, known)), encode(known).astype(np.float64)


def _nearest(
    said: NDArray[np.float64], known: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The highest cosine of each row to any of the known, and the first that has it."""
    best, text = np.full(len(said), -np.inf), np.zeros(len(said), np.int64)
    for start in range(0, len(known), AT_ONCE):
        cosines = np.round(said @ known[start : start + AT_ONCE].T, PLACES)
        here = cosines.argmax(axis=1)
        reached = cosines[np.arange(len(said)), here]
        better = reached > best
        best[better], text[better] = reached[better], start + here[better]
    return best, text
