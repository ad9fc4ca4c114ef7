"""Rows by who labelled them; the teacher's stay only where nobody spoke against them."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.nouns import EXCHANGE, Exchange, Row, Signal

PEOPLE = ("seed", "user", "expert")
TEACHER = "model"
PERSON = "person"  # the variant of an exchange that nobody but a person answered

Exchanges = Callable[[Sequence[str]], Mapping[str, Exchange]]
Heard = Callable[[Sequence[str]], Mapping[str, Sequence[Signal]]]


class Sorted(Struct, frozen=True):
    """A training set by who labelled it.

    people: rows of people. teacher: rows of the teacher that nobody contradicts. said: for some of the
    people's rows, by id, what the teacher said to the same. rejected: teacher's rows that feedback speaks
    against. overruled: those whose text has a label of people's.
    """

    people: list[Row]
    teacher: list[Row]
    said: dict[str, str]
    rejected: int
    overruled: int


def sort(rows: Sequence[Row], task: str, *, exchanges: Exchanges, heard: Heard, teacher: str = "") -> Sorted:
    """Sort rows; with `teacher`, rows of exchanges that another variant answered are no teacher's."""
    people = [row for row in rows if row.labelled_by in PEOPLE]
    ids = [id for row in rows for id in _asked(row)]
    told, signals = exchanges(ids), heard(ids)
    own = [row for row in rows if row.labelled_by == TEACHER and _of(row, told, teacher)]
    kept = [row for row in own if not _against(row, task, signals)]
    texts = {same(row) for row in people}
    alone = [row for row in kept if same(row) not in texts]
    by_text = {same(row): row.labels[task] for row in own}
    said = {row.id: found for row in people if (found := _said(row, by_text, told, teacher))}
    return Sorted(people, alone, said, len(own) - len(kept), len(kept) - len(alone))


def same(row: Row) -> str:
    """The text, as texts are told apart."""
    return " ".join(row.text.casefold().split())


def _asked(row: Row) -> tuple[str, ...]:
    """The exchange that a row of traffic is about."""
    return (row.uri.removeprefix(EXCHANGE),) if row.uri.startswith(EXCHANGE) else ()


def _of(row: Row, told: Mapping[str, Exchange], teacher: str) -> bool:
    """Whether it is the teacher's: a student that learns from its own traffic learns nothing."""
    variants = {told[id].variant for id in _asked(row) if id in told}
    return not teacher or teacher in variants or row.meta.get("variant") == teacher


def _against(row: Row, task: str, signals: Mapping[str, Sequence[Signal]]) -> bool:
    """Whether anybody was displeased, or said that something else is right."""
    said = [signal for id in _asked(row) for signal in signals.get(id, ())]
    corrected = any(s.correction and s.correction != row.labels[task] for s in said)
    return corrected or any(s.value < 0 for s in said) or row.meta.get("thumb") == "down"


def _said(row: Row, by_text: Mapping[str, str], told: Mapping[str, Exchange], teacher: str) -> str:
    """What the teacher answered to a text that a person labelled; "" when that is not known."""
    answers = [
        exchange.output
        for id in _asked(row)
        if (exchange := told.get(id)) and exchange.output and exchange.variant != PERSON
        if not teacher or exchange.variant == teacher
    ]
    return row.meta.get("teacher") or (answers[0] if answers else by_text.get(same(row), ""))
