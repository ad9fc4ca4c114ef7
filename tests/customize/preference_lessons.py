"""A small shop's corrections and thumbs, for tests of preference tuning."""

import lessons

from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson

TASK = lessons.TASK
GIVEN = {
    "where is my parcel?": "ask for a link.",
    "cancel my order, please.": "it is on its way.",
    "how do i reset my password?": "your order was cancelled.",
}  # what the model answers, and should not


def corrections(people: range) -> list[Row]:
    """Everybody corrects everything, and says it in a way of their own."""
    return [
        Row(
            text=f"{text} {person}",
            source="test",
            labels={TASK: answer},
            subject=f"person-{person}",
            meta={"rejected": GIVEN[text]},
        )
        for person in people
        for text, answer in lessons.ANSWERS.items()
    ]


def thumbs(people: range) -> list[Row]:
    """Everybody likes what is right, or dislikes what is wrong."""
    return [
        Row(
            text=f"{text} {person}",
            source="test",
            labels={TASK: answer if person % 2 else GIVEN[text]},
            subject=f"person-{person}",
            role="preference",
            meta={"thumb": "up" if person % 2 else "down", "counts": "0.5"},
        )
        for person in people
        for text, answer in lessons.ANSWERS.items()
    ]


def lesson(rows: list[Row] = (), preference: list[Row] = (), validation: list[Row] = ()) -> Lesson:
    """A lesson of answers."""
    dataset = Dataset(name=TASK, task=TASK, role="train", rows=tuple(row.id for row in rows), recipe="")
    return Lesson(dataset, rows, "text", validation, preference)
