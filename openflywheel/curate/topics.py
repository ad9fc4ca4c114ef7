"""Say which of some given topics a text is about, by its embedding."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import Batch, as_table, with_meta
from openflywheel.curate._enrich.vectors import Encoder, vectors
from openflywheel.curate._going import going

# The ten domains of CLINC150, described by their intents: .2 gives 61 % of the questions a topic, 78 % of
# these the right one, and 12 % of those that are about none of the ten; at .15 these are 81, 75 and 24 %, at
# .3 25, 88 and 3 %.
LEAST = 0.2


def topics(batch: Batch, *, topics: Mapping[str, str], least: float = LEAST, encoder: Encoder) -> pa.Table:
    """Add the fact "topic": the name of the topic whose description is nearest to the text.

    topics: name -> a sentence or some examples of what is said about it. least: cosine below which a text is
        about none of them.

    Zero-shot classification by embeddings of label descriptions (Yin et al. 2019, arXiv:1909.00161; Reimers &
    Gurevych 2019, arXiv:1908.10084, for the encoder). A step of its own, so that enrich needs no encoder.
    Drops nothing. Raises SettingsError when no topic is given.
    """
    if not topics:
        raise SettingsError(
            "curate.topics: topics is empty; write topics: {returns: sending goods back, ...}"
        )
    table = as_table(batch)
    names, rows = np.array(list(topics), object), going(table)
    near = vectors(table, encoder) @ encoder.encode(list(topics.values())).T
    best, found = near.argmax(axis=1), np.full(table.num_rows, None, object)
    found[rows] = np.where(near.max(axis=1, initial=-1) >= least, names[best], None)
    return with_meta(table, "topic", pa.array(found, pa.string()))
