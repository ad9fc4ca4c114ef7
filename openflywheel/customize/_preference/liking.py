"""What people like, as rows tell it: pairs of answers to one question, and thumbs.

A correction says that what a person wrote is better than what was given. Thumbs of one answer to one question
are averaged, up against down, each by its weight: so the same answer is counted once, however many liked it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import floor

from msgspec import Struct

from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Row
from openflywheel.base.thumbs import COUNTS, REJECTED, THUMB, UP

FEW = 10  # rows that a person may always give: a share of little data would silence everybody


class Pair(Struct, frozen=True):
    """Two answers to the question of `row`, of which people like the first better; `weight` says how much."""

    row: Row
    chosen: str
    rejected: str
    weight: float


class Thumb(Struct, frozen=True):
    """An answer to the question of `row` that people like, or don't."""

    row: Row
    answer: str
    up: bool
    weight: float


def telling(rows: Iterable[Row]) -> list[Row]:
    """The rows that say something of what people like, and count."""
    return [row for row in rows if row.weight > 0 and (row.meta.get(REJECTED) or THUMB in row.meta)]


def bounded(rows: Sequence[Row], share: float) -> list[Row]:
    """Rows of which nobody gave more than a share, or `FEW`; rows of unknown people all stay.

    Which ones stay is drawn by a hash of their ids, as in curate's mix.
    """
    most, given = max(FEW, floor(share * len(rows))), defaultdict[str, list[Row]](list)
    for row in rows:
        given[row.subject].append(row)
    drawn = {
        row.id
        for subject, theirs in given.items()
        if subject and len(theirs) > most
        for row in sorted(theirs, key=lambda row: share_of(row.id, "bounded"))[most:]
    }
    return [row for row in rows if row.id not in drawn]


def pairs(rows: Sequence[Row], task: str) -> list[Pair]:
    """Corrections over what was given, and for each question the answers liked over those disliked.

    A pair of thumbs weighs as much as the less sure of both. Of equal pairs the one that weighs most stays.
    """
    best: dict[tuple[str, str, str], Pair] = {}
    for pair in (*_corrected(rows, task), *_met(thumbs([r for r in rows if THUMB in r.meta], task))):
        key = (_question(pair.row), pair.chosen, pair.rejected)
        if pair.chosen != pair.rejected and (key not in best or best[key].weight < pair.weight):
            best[key] = pair
    return list(best.values())


def _corrected(rows: Iterable[Row], task: str) -> Iterator[Pair]:
    yield from (
        Pair(row, row.labels[task], row.meta[REJECTED], row.weight) for row in rows if row.meta.get(REJECTED)
    )


def _met(thumbs: Iterable[Thumb]) -> Iterator[Pair]:
    """Every answer that people like beside every one to the same question that they don't."""
    liked, not_liked = defaultdict[str, list[Thumb]](list), defaultdict[str, list[Thumb]](list)
    for thumb in thumbs:
        (liked if thumb.up else not_liked)[_question(thumb.row)].append(thumb)
    for question, ups in liked.items():
        for up in ups:
            for down in not_liked[question]:
                yield Pair(up.row, up.answer, down.answer, min(up.weight, down.weight))


def thumbs(rows: Sequence[Row], task: str) -> list[Thumb]:
    """One thumb for each answer to a question: the mean of all; a correction is one up and one down.

    An answer that is liked as much as disliked is left out.
    """
    said = defaultdict[tuple[str, str], list[float]](list)
    first: dict[tuple[str, str], Row] = {}
    for row, answer, value in _said(rows, task):
        said[_question(row), answer].append(value)
        first.setdefault((_question(row), answer), row)
    means = {key: sum(values) / len(values) for key, values in said.items()}
    return [Thumb(first[key], key[1], mean > 0, abs(mean)) for key, mean in means.items() if mean]


def _said(rows: Iterable[Row], task: str) -> Iterator[tuple[Row, str, float]]:
    """Answers, each with its weight: above 0 when it was liked, else below."""
    for row in rows:
        if row.meta.get(REJECTED):
            yield row, row.labels[task], row.weight
            yield row, row.meta[REJECTED], -row.weight
        else:
            weight = row.weight * float(row.meta.get(COUNTS, "1"))
            yield row, row.labels[task], weight if row.meta[THUMB] == UP else -weight


def _question(row: Row) -> str:
    return row.meta.get("chat", row.text)
