"""A BM25 index of the items, worked out by the library bm25s."""

from collections.abc import Sequence

import bm25s
import numpy as np

from openflywheel.base.instruments.bm25 import Bm25, words


def index(texts: Sequence[str]) -> Bm25:
    """Lucene's BM25 (k1 1.5, b .75) of each word of each text; at least one of them must have a word."""
    made = bm25s.BM25(method="lucene")
    made.index([words(text) for text in texts], create_empty_token=False, show_progress=False)
    starts, rows = (np.asarray(made.scores[name], np.int32) for name in ("indptr", "indices"))
    return Bm25(dict(made.vocab_dict), starts, rows, np.asarray(made.scores["data"], np.float32), len(texts))
