"""Text tasks answered by quoting what the wheel has curated: no generator, no key."""

from collections.abc import Sequence

from msgspec import Struct

SOURCE = "source"  # check of the verdicts that cite: about a row, that it answers the exchange's question


class Quote(Struct, frozen=True, kw_only=True):
    """Words that may answer a question: `row` and `uri` say where they stand.

    `confidence`, in [0, 1], is a similarity, not a probability (see `_passages.py`).
    """

    text: str
    confidence: float
    row: str
    uri: str = ""


def extractive(quotes: Sequence[Quote], *, least: float = 0.5) -> Quote | None:
    """The best of some quotes (best first) where its confidence reaches `least`; else nobody has an answer.

    0.5 was chosen for MiniLM (`python -m benchmarks.extractive`): of 60 reworded questions to a help page 36
    were answered rightly and 3 wrongly, of 30 that it does not answer none.
    """
    return quotes[0] if quotes and quotes[0].confidence >= least else None
