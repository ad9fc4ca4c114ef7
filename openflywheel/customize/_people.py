"""Whose a row is: figures are those of people who taught nothing, so that a person's rows stay together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Row

Places = NDArray[np.intp]

LEAST_JUDGES = 40  # rows; with fewer, either half tells an accuracy within 22 points at best


def person(row: Row) -> str:
    """Its subject; a row that nobody is known to have written is a person of its own, by its text."""
    return row.subject or _plain(row)


def judging(rows: Sequence[Row], share: float, salt: str) -> list[bool]:
    """Whether each row is of the share of people who judge, drawn by name: the same ones in every turn.

    Where few people make that none of the rows, or more than twice the share, texts are drawn instead.
    """
    by_person = [(person(row), row.subject or row.text) for row in rows]
    drawn = _drawn(by_person, share, salt)
    if 0 < sum(drawn) <= 2 * share * len(rows):
        return drawn
    return _drawn([(_plain(row), row.text) for row in rows], share, salt)


def numbered(people: Sequence[str]) -> Places:
    """A number for each, 0 for whom comes first, shape (len(people),)."""
    first = dict[str, int]()
    return np.array([first.setdefault(one, len(first)) for one in people], np.intp)


def apart(people: Sequence[str]) -> Places:
    """The same, but where all rows are one person's each is on its own: there is nobody else to ask."""
    found = numbered(people)
    return found if len(found) and found.max() > 0 else np.arange(len(found))


def parts_of(people: Places, count: int) -> list[Places]:
    """The rows in at most `count` parts by lot (seed 0), those of a person in one part."""
    drawn = np.random.default_rng(0).permutation(int(people.max()) + 1)
    part, count = np.empty(len(drawn), np.intp), min(count, len(drawn))
    for number, some in enumerate(np.array_split(drawn, count)):
        part[some] = number
    return [np.flatnonzero(part[people] == number) for number in range(count)]


def halves(people: Sequence[str]) -> tuple[Places, Places]:
    """The rows that may end a run, and those that tell how good it is; nobody has rows in both.

    The former are none where all rows are one person's, or fewer than `LEAST_JUDGES`: a run that rows ended
    looks better on them than on others.
    """
    who = numbered(people)
    if len(who) < LEAST_JUDGES or not who.max():
        return np.zeros(0, np.intp), np.arange(len(who))
    ends, tells = sorted(parts_of(who, 2), key=len)
    return ends, tells


def _drawn(said: Sequence[tuple[str, str]], share: float, salt: str) -> list[bool]:
    """Of pairs of what is drawn as one and how it is written: by the first way of writing in the alphabet."""
    written = dict[str, str]()
    for one, name in said:
        written[one] = min(name, written.get(one, name))
    return [share_of(written[one], salt) < share for one, _ in said]


def _plain(row: Row) -> str:
    """The text, as texts are told apart."""
    return " ".join(row.text.casefold().split())
