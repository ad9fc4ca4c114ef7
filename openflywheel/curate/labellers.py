"""Weigh labels by how often their labellers are right, where several people labelled the same text."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.curate._batches import meta
from openflywheel.curate._keys import keys_of
from openflywheel.curate._labels.dawid_skene import Agreed, Answers, agreed
from openflywheel.curate._labels.labelled import EXPERT, Labelled, tasks, trust, weights
from openflywheel.curate._whole import Pairs, Whole
from openflywheel.curate.dedupe import folded

Places = NDArray[np.int64]
Wide = NDArray[np.float64]


def labellers() -> Whole:
    """Multiply a row's weight with the probability that its label is right; drops nothing.

    Labels of equal texts (but for case and white space) are compared by the method of Dawid & Skene 1979
    (Applied Statistics 28, doi:10.2307/2346806) with a prior for labellers of few labels. What an expert said
    is taken for the truth, and his rows keep their weight. A labeller is who the fact "labeller" names, else
    the subject of a row that a user labelled, else all who labelled as the same kind ("seed"). A text with
    one label has the reliability of its labeller, also in "meta.reliability" (0 to 1, of each labelled row).
    For a task in which no text has two labellers, nothing is marked. Put it before `dedupe`.
    """
    return Whole(sketch=_sketch, settle=_settle)


def _sketch(table: pa.Table) -> pa.Table:
    by = pc.if_else(pc.equal(table["labelled_by"], "user"), table["subject"], "")
    kind = pc.binary_join_element_wise("kind", table["labelled_by"], " ")
    by = pc.if_else(pc.equal(by, ""), kind, by)
    return pa.table({
        "id": table["id"],
        "keys": pa.nulls(table.num_rows, pa.list_(pa.uint64())),
        "same": keys_of(folded(table["text"]), "text"),
        "labeller": keys_of(pc.coalesce(meta(table, "labeller"), by), "labeller"),
        "labels": table["labels"],
        "trust": trust(table["labelled_by"]),
        "weight": weights(table),
    })  # fmt: skip


def _settle(sketches: pa.Table, _: Pairs) -> pa.Table:
    order = pc.sort_indices(sketches["id"]).to_numpy()  # so that sums of floats do not depend on the order
    rows = sketches.take(order)
    right, reliable = np.full(len(order), np.inf), np.full(len(order), np.inf)
    for task in tasks(rows["labels"]):
        own = rows.take(task.rows)
        chance, reliability = _judged(own, task)
        right[task.rows] = np.minimum(right[task.rows], chance)
        reliable[task.rows] = np.minimum(reliable[task.rows], reliability)
    marked = np.flatnonzero(right < np.inf)
    expert = rows["trust"].to_numpy()[marked] == EXPERT
    weight = rows["weight"].to_numpy()[marked] * right[marked]
    return pa.table({
        "row": order[marked].astype(np.int64),
        "weight": pa.array(weight, mask=expert),
        "meta.reliability": pa.array([f"{value:.2f}" for value in reliable[marked].tolist()], pa.string()),
    })  # fmt: skip


def _judged(own: pa.Table, task: Labelled) -> tuple[Wide, Wide]:
    """Of each row, how likely its label is right, and its labeller is; infinite where nobody can tell."""
    item, who = (np.unique(own[name].to_numpy(), return_inverse=True)[1] for name in ("same", "labeller"))
    people = np.bincount(np.unique(np.stack([item, who]), axis=1)[0])
    several = people[item] > 1
    if not several.any():
        return np.full(len(item), np.inf), np.full(len(item), np.inf)
    said = np.unique(np.stack([item, who, task.given])[:, several], axis=1)
    items, compared = np.unique(said[0]), np.unique(said[1])
    answers = Answers(np.searchsorted(items, said[0]), np.searchsorted(compared, said[1]), said[2])
    expert = several & (own["trust"].to_numpy() == EXPERT)
    sure = np.full(len(items), -1)
    sure[np.searchsorted(items, item[expert])] = task.given[expert]
    found = agreed(answers, len(task.names), sure)
    labeller = np.where(np.isin(who, compared), np.searchsorted(compared, who), -1)
    chance = found.alone(labeller, task.given)
    chance[several] = found.truth[np.searchsorted(items, item[several]), task.given[several]]
    return chance, _reliability(found, labeller)


def _reliability(found: Agreed, labeller: Places) -> Wide:
    """Of each row's labeller; -1 is somebody who was never compared, of whom the average is expected."""
    unknown = found.together.diagonal() @ found.share
    return np.append(found.reliability(), unknown)[labeller]
