"""Votes on right labels, held against recent traffic and known examples: which were given blindly?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct

from openflywheel.base.instruments.vectors import Matrix
from openflywheel.base.nouns import Exchange, Row, Signal
from openflywheel.signals._blind import Mask, Numbers, chances, p_values

EXAMPLES = 200  # of a label, the newest: bounds the work, as TRAFFIC does
FEW = 2  # known examples of a label; only with fewer do votes speak for each other, as for a new label
TRAFFIC, LEAST = 500, 20  # exchanges of a task; with fewer than LEAST nothing can be called unusual
SUREST = 0.95  # confidence that is believed: a model's certainty alone must not silence people


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Vote(Struct, frozen=True):
    """A user's word on the right label of an exchange; `expert` is what an expert said, or empty."""

    signal: Signal
    exchange: Exchange
    expert: str = ""

    @property
    def label(self) -> str:
        return self.signal.correction

    @property
    def origin(self) -> str:
        """Whoever it is, as far as we know: one origin cannot speak for itself."""
        return self.signal.subject or self.signal.key


class Found(Struct, frozen=True):
    """What was found about a vote: its p, its chance of being blind, and of how many votes for its label."""

    vote: Vote
    p: float
    chance: float
    votes: int


def look(
    votes: Sequence[Vote], rows: Sequence[Row], recent: Sequence[Exchange], encoder: Encoder
) -> Iterator[Found]:
    """Every vote, with its chance of being blind; `rows` are curated, `recent` the newest exchanges."""
    groups: defaultdict[tuple[str, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        groups[vote.exchange.task, vote.label].append(vote)
    for (task, label), group in groups.items():
        texts = [r.text for r in rows if r.labels.get(task) == label and _known(r)][-EXAMPLES:]
        voted = {v.exchange.id for v in group}
        others = [e for e in recent if e.task == task and e.input and e.id not in voted]
        # What was answered so can draw no vote against its answer.
        traffic = [e for e in others if e.output != label][-TRAFFIC:]
        yield from _look(group, texts, traffic, encoder)


def _known(row: Row) -> bool:
    return row.role == "train" and row.labelled_by != "user"


def _look(
    votes: Sequence[Vote], texts: Sequence[str], traffic: Sequence[Exchange], encoder: Encoder
) -> Iterator[Found]:
    """Votes for one label, `texts` that have it, and traffic that was answered otherwise."""
    p = np.ones(len(votes))
    doubt = np.full(len(votes), np.inf)  # too little traffic to judge by: they pass
    if len(traffic) >= LEAST:
        vectors = encoder.encode([v.exchange.input for v in votes])
        examples = np.concatenate([encoder.encode(texts), vectors])
        p = p_values(vectors, examples, _speak(votes, len(texts)), encoder.encode([e.input for e in traffic]))
        doubt = _doubt([v.exchange for v in votes]) / _doubt(traffic).mean()
        doubt[[v.exchange.output == v.label for v in votes]] = 1.0
    doubt[[v.expert == v.label for v in votes]] = np.inf
    doubt[[v.expert not in ("", v.label) for v in votes]] = 0.0
    for vote, each, chance in zip(votes, p, chances(p, doubt), strict=True):
        yield Found(vote, float(each), float(chance), len(votes))


def _doubt(exchanges: Sequence[Exchange]) -> Numbers:
    return np.array([1 - min(e.confidence, SUREST) for e in exchanges])


def _speak(votes: Sequence[Vote], known: int) -> Mask:
    """Known examples speak for all votes; where there are few, so do votes for those of other origins."""
    origins = np.array([v.origin for v in votes])
    others = (origins[:, None] != origins) & (known < FEW)
    return np.hstack([np.ones((len(votes), known), bool), others])
