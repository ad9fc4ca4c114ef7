"""What a lesson holds for recommendations: items, and who chose which, in order of time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.items import ITEM
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson


class Choice(Struct, frozen=True):
    """One item that somebody chose, by its place; the person's key is empty where nobody knows it."""

    person: str
    item: int
    weight: float


class Choices(Struct, frozen=True):
    """Items with their texts, empty where no row has it; choices from the oldest on."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    chosen: Sequence[Choice]


def choices(lesson: Lesson) -> Choices:
    """Raises SettingsError when nobody chose anything, or there is nothing to choose between."""
    task = lesson.dataset.task
    texts = {row.meta[ITEM]: row.text for row in lesson.items}
    rows = _choosing(lesson.rows, task)
    ids = tuple(dict.fromkeys([*texts, *(row.labels[task] for row in rows)]))
    if not rows or len(ids) < 2:
        raise SettingsError(
            f"task {task!r} has {len(rows)} choices between {len(ids)} items; a recommender needs rows with "
            f"the chosen item's id as their label, the person as their subject, and at least two items"
        )
    places = {item: place for place, item in enumerate(ids)}
    chosen = [Choice(row.subject, places[row.labels[task]], row.weight) for row in rows]
    return Choices(ids, tuple(texts.get(item, "") for item in ids), chosen)


def _choosing(rows: Iterable[Row], task: str) -> list[Row]:
    return sorted((row for row in rows if row.labels.get(task) and row.weight > 0), key=lambda row: row.at)


def by_person(chosen: Iterable[Choice]) -> Mapping[str, list[Choice]]:
    """Each known person's choices in order, every item at its last place alone."""
    found: defaultdict[str, dict[int, Choice]] = defaultdict(dict)
    for choice in chosen:
        if choice.person:
            found[choice.person].pop(choice.item, None)
            found[choice.person][choice.item] = choice
    return {person: list(items.values()) for person, items in found.items()}


def once(chosen: Iterable[Choice]) -> list[Choice]:
    """What teaches: every item once a person, however often they chose it; of unknown people all."""
    every = list(chosen)
    known = [choice for own in by_person(every).values() for choice in own]
    return [choice for choice in every if not choice.person] + known
