"""Which domain a row belongs to, and a head on the encoder that tells it from what was asked."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.head import Encoder, Head
from openflywheel.base.forms.mixture import asked
from openflywheel.base.nouns import Row
from openflywheel.customize._head.labels import labels
from openflywheel.customize._head.taught import Material
from openflywheel.customize._people import person
from openflywheel.customize._tuning.chats import chat

DOMAIN = "domain"


class Routed(NamedTuple):
    """Domains of the rows that teach and of those that judge; the head, and how often it is right."""

    teaching: list[str]
    judging: list[str]
    router: Head
    right: float


def routed(
    teaching: Sequence[Row], judging: Sequence[Row], most: int, task: str, encoder: Encoder, seed: int
) -> Routed:
    """By meta "domain", where every row has it, else `most` clusters of the encoder's vectors (k-means++).

    Domains of judging rows are those that the head tells. Raises SettingsError for fewer than two domains.
    """
    vectors = encoder.encode([asked(chat(row)) for row in teaching])
    named = [row.meta.get(DOMAIN, "") for row in teaching]
    if not all(named):
        named = _clusters(vectors, most, seed)
    if len(set(named)) < 2:
        raise SettingsError(
            f"task {task!r}: all {len(teaching)} examples are of one domain; by: adapters needs two or more:"
            ' name them in meta "domain" of the rows, or use customize.lora'
        )
    people = [person(row) for row in teaching]
    ones = np.ones(len(teaching), np.float32)
    taught = labels(Material(task, named, vectors, ones, people, encoder.name), "best", "traffic")
    router = cast(Head, taught.made)
    told = router.predict(encoder.encode([asked(chat(row)) for row in judging])) if judging else []
    return Routed(named, told, router, _right(judging, told, router, taught.report["accuracy"]))


def _right(judging: Sequence[Row], told: Sequence[str], router: Head, learned: float) -> float:
    """How often the router is right on rows that judge; where none has a domain, on left-out rows."""
    hit = [
        row.meta[DOMAIN] == to
        for row, to in zip(judging, told, strict=True)
        if row.meta.get(DOMAIN) in router.labels
    ]
    return float(np.mean(hit)) if hit else learned


def _clusters(vectors: np.ndarray, most: int, seed: int) -> list[str]:
    """The name of each row's cluster; there are no more clusters than different vectors."""
    points = vectors.astype(np.float64)
    k = min(most, len(np.unique(points, axis=0)))
    centres, _ = kmeans2(points, k, minit="++", rng=np.random.default_rng(seed))
    return [f"cluster-{place}" for place in vq(points, centres)[0].tolist()]
