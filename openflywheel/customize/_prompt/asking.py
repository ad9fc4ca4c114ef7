"""Which rows are asked about for what: to choose, to tell the final figure, to write instructions."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.customize import Lesson
from openflywheel.customize._prompt.choosing import Tried, Trying, Way, choose, number
from openflywheel.customize._prompt.questions import Question, Teaching

LEAST = 10  # questions, for each candidate and for the final figure


def shares(rows: int, candidates: int, calls: int) -> tuple[int, int]:
    """How many questions each candidate is asked, and how many fresh ones the chosen one."""
    each = min(rows // 2, calls // (candidates + 1)) if candidates > 1 else 0
    return each, min(rows - each, calls - candidates * each)


class Asking(Struct, frozen=True):
    """The questions of a lesson, with at most `k` demonstrations each."""

    lesson: Lesson
    taught: Teaching
    k: int
    seed: int

    @property
    def questions(self) -> list[Question]:
        """Validation rows, else those of the training set, in a seeded order."""
        rows = self.lesson.validation or self.lesson.rows
        order = np.random.default_rng(self.seed).permutation(len(rows)).tolist()
        return self.taught.questions([rows[place] for place in order], self.lesson.dataset.task, self.k)

    def parts(self, candidates: int, calls: int) -> tuple[list[Question], list[Question]]:
        """Questions to choose on, and fresh ones. Raises SettingsError when there are too few."""
        known = self.questions
        each, last = shares(len(known), candidates, calls)
        fresh = known[each:][:last]
        if last < LEAST or (candidates > 1 and each < LEAST):
            raise SettingsError(
                f"customize.prompt: calls = {calls} and {len(known)} rows to ask about; {candidates} "
                f"candidates need {LEAST * (candidates + 1)} calls and {2 * LEAST} rows: raise calls, give "
                "fewer instructions, or collect more"
            )
        return known[:each], fresh

    def choose(self, trying: Trying, given: Sequence[str], calls: int) -> tuple[list[Tried], Tried]:
        """The candidates, the chosen one last, and the chosen one on fresh questions."""
        candidates = number(len(given), self.k)
        choosing, fresh = self.parts(candidates, calls)
        tried = choose(trying, given, self.k, choosing) if candidates > 1 else []
        way = tried[-1].way if tried else Way(given[0], self.k)
        return tried, trying.tried(way, fresh)

    def better(self, trying: Trying, before: str, calls: int) -> str:
        """Instructions that a model wrote, on training rows on which nothing is chosen."""
        try:  # dspy comes with an extra, and takes 2 seconds to import
            from openflywheel.customize._prompt.gepa import written  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"customize.prompt: optimise needs {error.name!r}: pip install 'openflywheel[prompt]'"
            ) from error
        judging = set() if self.lesson.validation else {q.text for q in self.questions[: 2 * calls]}
        rows = [row for row in self.lesson.rows if row.text not in judging][: 2 * calls]
        if len(rows) < 2 * LEAST:
            raise SettingsError(
                f"customize.prompt: optimise needs {2 * LEAST} rows beside those that judge, there are "
                f"{len(rows)}: lower calls, add curate.split for validation rows, or collect more"
            )
        found = self.taught.questions(rows, self.lesson.dataset.task, self.k)
        return written(trying, before, self.k, found, calls, self.seed)
