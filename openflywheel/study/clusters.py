"""Topics that fail: clusters of the traffic in which answers go wrong more often than elsewhere.

All fresh exchanges, good and bad together, are cut into many small clusters by spherical k-means (Dhillon &
Modha 2001, Machine Learning 42:143) from k-means++ centres (Arthur & Vassilvitskii 2007, SODA). Fisher's
exact test holds each cluster's failures against the rest; Benjamini & Hochberg's procedure (1995, JRSS B
57:289) bounds the share of false alarms. A topic is named by the words that set it apart: log-odds with an
informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, Political Analysis 16:372).

The test takes exchanges as independent: one person who complains of one thing ten times counts ten times.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from openflywheel.base.holdout import held_out
from openflywheel.base.instruments.vectors import Matrix
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.study import Evidence

NEWEST = 5_000  # exchanges of a task: bounds the work
FEWEST = 3  # clusters; with fewer there is hardly a rest to compare with
ROUNDS = 10  # of k-means; 25 find no more
WORDS, QUERIES = 3, 3
WORD = re.compile(r"[^\W\d_][\w'\u2019]+")

Group = list[int]  # places in the pool


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def clusters(
    evidence: Evidence, *, size: int = 20, rate: float = 0.1, encoder: Encoder, holdout: float, seed: int
) -> Iterator[Gap]:
    """One Gap a topic that fails; its evidence are the failures, the most typical first. It asks nobody.

    Clusters hold `size` exchanges on average; `rate` bounds the expected share of false alarms.
    """
    pools: dict[str, list[Exchange]] = {}
    for exchange in evidence.fresh:
        if exchange.input and not held_out(exchange, holdout):
            pools.setdefault(exchange.task, []).append(exchange)
    for pool in pools.values():
        if len(pool) >= FEWEST * size:
            newest = pool[-NEWEST:]
            vectors = encoder.encode([e.input for e in newest])
            groups = kmeans(vectors, len(newest) // size, np.random.default_rng(seed))
            yield from _gaps(newest, groups, np.array([fails(e, evidence) for e in newest]), rate)


def fails(exchange: Exchange, evidence: Evidence) -> bool:
    """Was it answered otherwise than a person says is right; unsaid, handed over or met with displeasure?

    Displeasure is what a person said outright, or a derived signal with evidence behind it (Evidence.hint); a
    model's doubt alone is none.
    """
    right = evidence.answered(exchange.id)
    if right:
        return right != exchange.output
    said = any(s.value < 0 and s.explicit for s in evidence.heard.get(exchange.id, ()))
    return not exchange.output or said or evidence.rating(exchange.id) < 0 or evidence.hint(exchange.id) < 0


def kmeans(vectors: Matrix, k: int, random: np.random.Generator) -> list[Group]:
    """At most k clusters of unit vectors: places of their members, nearest to the centre first."""
    centres = _spread(vectors, k, random)
    for _ in range(ROUNDS):
        sums = np.eye(k, dtype=np.float32)[(vectors @ centres.T).argmax(axis=1)].T @ vectors
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    near = vectors @ centres.T
    order, own = np.argsort(-near.max(axis=1), kind="stable"), near.argmax(axis=1)
    return [order[own[order] == i].tolist() for i in np.unique(own)]


def _spread(vectors: Matrix, k: int, random: np.random.Generator) -> Matrix:
    """k-means++: each next centre is drawn by its squared distance to the nearest one before."""
    chosen, far = [int(random.integers(len(vectors)))], np.full(len(vectors), 2.0)
    for _ in range(k - 1):
        far = np.clip(1 - vectors @ vectors[chosen[-1]], 1e-6, far)
        chosen.append(int(random.choice(len(vectors), p=far / far.sum())))
    return vectors[chosen]


def _gaps(
    pool: Sequence[Exchange], groups: Sequence[Group], failed: NDArray[np.bool_], rate: float
) -> Iterator[Gap]:
    """A Gap for each group that fails more often than the rest."""
    sizes, failures = np.array([(len(g), failed[g].sum()) for g in groups]).T
    expected = failed.mean() * sizes
    p = stats.hypergeom.sf(failures - 1, len(pool), failed.sum(), sizes)
    words = [set(WORD.findall(e.input.casefold())) for e in pool]
    for i in np.flatnonzero(stats.false_discovery_control(p) < rate).tolist():
        members = [pool[j] for j in groups[i]]
        yield Gap(
            topic=", ".join(distinctive([words[j] for j in groups[i]], words)[:WORDS]) or pool[0].task,
            why=f"{failures[i]} of {sizes[i]} failed (lift {failures[i] / expected[i]:.1f}), p = {p[i]:.1g}",
            task=pool[0].task,
            queries=tuple(dict.fromkeys(e.input for e in members))[:QUERIES],
            weight=float(failures[i] - expected[i]),
            evidence=tuple(pool[j].id for j in groups[i] if failed[j]),
        )


def distinctive(part: Sequence[set[str]], whole: Sequence[set[str]]) -> list[str]:
    """Words of a part of the texts, first those that are most surely more frequent there than in the rest."""
    inside, everywhere = Counter(chain(*part)), Counter(chain(*whole))
    names = sorted(inside)
    y, total = (np.array([c[w] for w in names], float) for c in (inside, everywhere))
    n, size = inside.total(), everywhere.total()
    prior = total * n / size  # as much text as the part has, worded like the whole
    a, b = y + prior, total - y + prior
    z = (np.log(a / (2 * n)) - np.log(b / size)) / np.sqrt(1 / a + 1 / b)  # a word's odds are its share
    return [names[i] for i in np.argsort(-z, kind="stable")]
