"""What is wished of a provider: from a lesson and the settings to files and a run that has a name."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Row
from openflywheel.base.thumbs import REJECTED
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate
from openflywheel.customize._hosted.formats import Format
from openflywheel.customize._hosted.lines import File, check, file
from openflywheel.customize._hosted.run import Run

INSTRUCTION = (
    "Classify the message. Answer with its label alone."  # for labels, unless the settings say another
)
NO_FILE = File(b"", 0, 0, {})


class Wish(Struct, frozen=True):
    """The settings that make a job another one (see `hosted`)."""

    provider: str
    base: str
    method: Literal["supervised", "dpo"]
    epochs: int
    system: str
    suffix: str
    most_tokens: int


class Plan(Struct, frozen=True):
    """A run, its files, and why rows were left out: reason -> rows."""

    run: Run
    training: File
    validation: File

    @property
    def estimate(self) -> Estimate:
        """What it will cost; no tokenizer is asked: a token is counted as four bytes."""
        return Estimate(tokens=self.run.tokens, dollars=self.run.dollars, note=f"{self.run.rows:,} examples")


def planned(lesson: Lesson, wish: Wish, price: float, seed: int) -> Plan:
    """The plan of a lesson; the same data and wish make a run of the same name, whatever price and seed.

    Raises SettingsError for rows that the provider would refuse.
    """
    task, form = lesson.dataset.task, _form(wish)
    system = wish.system or (INSTRUCTION if lesson.kind == "label" else "")
    training, validation = (
        file(rows, task, form, system=system, most_tokens=wish.most_tokens) if rows else NO_FILE
        for rows in (_rows(lesson, form), lesson.validation)
    )
    check(training.rows, len(training.content), training.dropped, form, task)
    name = content_id(training.content, validation.content, msgspec.json.encode(wish, order="deterministic"))
    run = Run(
        id=name, task=task, kind=lesson.kind, dataset=lesson.dataset.id, provider=wish.provider,
        base=wish.base, method=wish.method, epochs=wish.epochs, suffix=wish.suffix, system=system,
        labels=_labels(lesson), rows=training.rows, tokens=training.tokens * wish.epochs, price=price,
        seed=seed,
    )  # fmt: skip
    return Plan(run, training, validation)


def _form(wish: Wish) -> Format:
    return "openai-dpo" if wish.method == "dpo" else "openai"


def _rows(lesson: Lesson, form: Format) -> Sequence[Row]:
    """Pairs are told by the rows of both sets, examples by those of the training set."""
    if form == "openai":
        return lesson.rows
    return [row for row in (*lesson.rows, *lesson.preference) if row.meta.get(REJECTED)]


def _labels(lesson: Lesson) -> tuple[str, ...]:
    if lesson.kind != "label":
        return ()
    return tuple(sorted({row.labels[lesson.dataset.task] for row in lesson.rows}))
