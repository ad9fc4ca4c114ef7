"""What a lesson holds for a search: the items, and the questions with the items that were right."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.items import ITEM
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson

LEAST = 20  # questions; with fewer nothing can be chosen
APART = 5  # without validation rows, one of so many questions chooses and doesn't teach


class Question(Struct, frozen=True):
    """A text and the places of the items that were right for it, each with its weight."""

    text: str
    right: Mapping[int, float]


class Pairs(Struct, frozen=True):
    """Items by id with their texts; the questions that teach, and those that choose: `apart` when they were
    set apart from those that teach, so that nothing forbids to learn from them in the end.

    `unknown` counts rows whose right item is not among the items.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    taught: Sequence[Question]
    choosing: Sequence[Question]
    apart: bool
    unknown: int


def pairs(lesson: Lesson) -> Pairs:
    """Raises SettingsError when there are fewer than two items, or too few questions about them."""
    task = lesson.dataset.task
    items = {row.meta[ITEM]: row.text for row in lesson.items}
    if len(items) < 2:
        raise SettingsError(
            f"task {task!r} has {len(items)} items to find: each wants a row without a label, whose text is "
            f"the item's and whose meta says {ITEM!r}: its id"
        )
    taught, unknown = questions(lesson.rows, task, list(items))
    choosing, _ = questions(lesson.validation, task, list(items))
    if apart := len(choosing) < LEAST:
        taught, choosing = _apart(taught)
    if len(taught) < LEAST:
        raise SettingsError(
            f"task {task!r} has {len(taught) + len(choosing)} questions whose right item is known; "
            f"a retriever needs {LEAST * APART // (APART - 1)}"
        )
    return Pairs(tuple(items), tuple(items.values()), taught, choosing, apart, unknown)


def questions(rows: Iterable[Row], task: str, ids: Sequence[str]) -> tuple[list[Question], int]:
    """The rows' questions, same texts together, and how many name an item that isn't among `ids`."""
    places = {item: place for place, item in enumerate(ids)}
    right: defaultdict[str, dict[int, float]] = defaultdict(dict)
    unknown = 0
    for row in rows:
        if row.labels.get(task) in places:
            found = right[row.text.strip()]
            place = places[row.labels[task]]
            found[place] = found.get(place, 0.0) + row.weight
        else:
            unknown += bool(row.labels.get(task))
    return [Question(text, found) for text, found in right.items() if text and sum(found.values())], unknown


def _apart(every: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Those that teach and those that choose; questions with the same first item stay together, so that what
    is chosen also finds items that nobody asked for yet.
    """
    chosen = [crc32(str(min(question.right)).encode()) % APART == 0 for question in every]
    parts = ([q for q, c in zip(every, chosen, strict=True) if c is part] for part in (False, True))
    taught, choosing = parts
    return taught, choosing
