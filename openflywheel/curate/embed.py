"""Give each row its sentence embedding."""

import pyarrow as pa

from openflywheel.curate._batches import Batch, as_table
from openflywheel.curate._enrich.vectors import Encoder, vectors, with_vectors


def embed(batch: Batch, *, encoder: Encoder) -> pa.Table:
    """Add the column "embedding" (float16, of the encoder's width, unit length), null for dropped rows.

    The encoder reads as much of a text as it was made for: MiniLM (Wang et al. 2020, arXiv:2002.10957) its
    first 128 tokens; put `chunk: {tokens: 126}` before this step where all of a text counts. Half precision
    moves a cosine by less than .001 and halves the column. The column's metadata names the encoder, so that
    later steps (topics) use it instead of encoding again. Drops nothing.
    """
    table = as_table(batch)
    return with_vectors(table, vectors(table, encoder), encoder)
