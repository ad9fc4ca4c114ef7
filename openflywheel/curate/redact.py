"""Take out of the texts what the guards forbid; drop the rows that they refuse."""

from collections.abc import Callable

import pyarrow as pa

from openflywheel.base.nouns import Verdict
from openflywheel.curate._batches import Batch, as_table, with_column

Detect = Callable[[str], tuple[str, tuple[Verdict, ...]]]


def redact(batch: Batch, *, detect: Detect) -> pa.Table:
    """Pass each text that goes on through `detect`; a "no" drops the row, reason "forbidden: <check>".

    `detect` is handed in by the wheel: the guards, which answer with the text as it may go on.
    """
    table = as_table(batch)
    texts, drops = table["text"].to_pylist(), table["drop"].to_pylist()
    for row, drop in enumerate(drops):
        if drop is None:
            texts[row], verdicts = detect(texts[row])
            drops[row] = next((f"forbidden: {v.check}" for v in verdicts if v.passed == "no"), None)
    table = with_column(table, "text", pa.array(texts, pa.string()))
    return with_column(table, "drop", pa.array(drops, pa.string()))
