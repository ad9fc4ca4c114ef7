"""Find labels that are likely wrong: by a model that never saw them, and by other labels of the same text."""

from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.encoder import Encoder
from openflywheel.base.instruments.vectors import Matrix
from openflywheel.curate._keys import keys_of
from openflywheel.curate._labels import confident
from openflywheel.curate._labels.contradictions import contradicted
from openflywheel.curate._labels.labelled import EXPERT, Labelled, labelled, tasks, trust, weights
from openflywheel.curate._whole import Pairs, Whole
from openflywheel.curate.dedupe import folded

WRONG, AGAINST = "label_errors: likely wrong label", "label_errors: contradicting labels"
FEWEST = 50  # rows of a task, below which nothing is learned from them

Places = NDArray[np.int64]
Then = Literal["report", "weigh", "drop"]


def label_errors(*, then: Then = "weigh", weight: float = 0.1, encoder: Encoder) -> Whole:
    """Say in "meta.label_doubt" which labels are likely wrong and what they may be instead, as "task: label".

    Two grounds. Confident learning (Northcutt et al. 2021, arXiv:1911.00068): a head on the encoder that
    learned from other people's rows alone (5 folds by subject) does not believe the label. Contradiction:
    a text that is equal but for case and white space has another label, which somebody more trusted gave
    (expert, user, seed, nobody), or as many who are so trusted; of two equals both are doubted.
    An expert's label is reported, and neither weighed down nor dropped. Reasons: "label_errors: likely wrong
    label", "label_errors: contradicting labels".

    then: "report" does no more, "weigh" multiplies a row's weight with `weight` (0 to 1), "drop" drops it.
    `encoder` is handed in by the wheel. Raises SettingsError.
    """
    if not 0 <= weight <= 1:
        raise SettingsError(f"curate.label_errors: weight = {weight}: give a number from 0 to 1")
    return Whole(sketch=partial(_sketch, encoder=encoder), settle=partial(_settle, then=then, weight=weight))


def _sketch(table: pa.Table, *, encoder: Encoder) -> pa.Table:
    """Vectors of labelled rows alone, a byte a number: 400 bytes for MiniLM."""
    there = labelled(table["labels"])
    texts = table["text"].filter(pa.array(there))
    vectors = encoder.encode(texts.to_pylist()).astype(np.float32)
    steps = 127 / np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0), 1e-9)
    offsets = np.concatenate([[0], np.cumsum(there) * encoder.width]).astype(np.int32)
    return pa.table({
        "id": table["id"],
        "keys": pa.nulls(table.num_rows, pa.list_(pa.uint64())),
        "same": keys_of(folded(table["text"]), "text"),
        "subject": keys_of(table["subject"], "subject"),
        "labels": table["labels"],
        "trust": trust(table["labelled_by"]),
        "weight": weights(table),
        "vector": pa.ListArray.from_arrays(offsets, np.round(vectors * steps).astype(np.int8).ravel()),
    })  # fmt: skip


def _settle(sketches: pa.Table, _: Pairs, *, then: Then, weight: float) -> pa.Table:
    order = pc.sort_indices(sketches["id"]).to_numpy()  # so that sums of floats do not depend on the order
    rows = sketches.take(order)
    reasons, doubts = np.full(len(order), "", object), np.full(len(order), "", object)
    for task in tasks(rows["labels"]):
        for reason, (doubted, instead) in ((WRONG, _wrong(rows, task)), (AGAINST, _against(rows, task))):
            for place, other in zip(doubted.tolist(), instead.tolist(), strict=True):
                row = task.rows[place]
                reasons[row] = reasons[row] or reason
                doubts[row] = doubts[row] or f"{task.task}: {task.names[other]}"
    marked = np.flatnonzero(reasons != "")
    spared = pa.array(rows["trust"].to_numpy()[marked] == EXPERT)
    dropped = pc.if_else(spared, None, pa.array(reasons[marked], pa.string()))
    weighed = pc.if_else(spared, None, rows["weight"].to_numpy()[marked] * weight)
    follows = {"report": {}, "weigh": {"weight": weighed}, "drop": {"drop": dropped}}[then]
    said = {"row": order[marked].astype(np.int64), "meta.label_doubt": pa.array(doubts[marked], pa.string())}
    return pa.table({**said, **follows})


def _wrong(rows: pa.Table, task: Labelled) -> tuple[Places, Places]:
    """Places in the task's rows of labels that the others' rows do not bear out, and likelier labels."""
    if len(task.rows) < FEWEST or len(task.names) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    own = rows.take(task.rows)
    subject, same = own["subject"].to_numpy(), own["same"].to_numpy()
    folds = (np.where(subject > 0, subject, same) % np.uint64(confident.FOLDS)).astype(np.int64)
    wrong, instead = confident.doubtful(_vectors(own["vector"]), task.given, len(task.names), folds)
    return np.flatnonzero(wrong), instead[wrong]


def _vectors(lists: pa.ChunkedArray) -> Matrix:
    numbers = pc.list_flatten(lists).to_numpy().reshape(len(lists), -1).astype(np.float32)
    found: Matrix = numbers / np.maximum(np.linalg.norm(numbers, axis=1, keepdims=True), 1e-9)
    return found


def _against(rows: pa.Table, task: Labelled) -> tuple[Places, Places]:
    own = rows.take(task.rows)
    keys = own["same"].to_numpy(), task.given, own["trust"].to_numpy(), own["subject"].to_numpy()
    return contradicted(*keys)
