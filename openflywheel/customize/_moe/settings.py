"""Of what a mixture is made, and what comes of it."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.customize import Lesson
from openflywheel.customize._moe.mix import Mix
from openflywheel.customize._tuning.answering import Taught, planned
from openflywheel.customize._tuning.training import Here, Run
from openflywheel.customize._tuning.tuning import Tuning


class Job(Struct, frozen=True):
    """Which mixture is to be made of what, and what runs its plans."""

    lesson: Lesson
    base: str
    mix: Mix
    tuning: Tuning
    folder: Path
    workspace: Path
    run: Run = Here()

    def planned(self, lesson: Lesson, times: int = 1) -> Taught:
        """The run of lora for all of its lesson or a part, with `times` as many steps."""
        tuning = replace(self.tuning, steps=self.tuning.steps * times)
        return planned(lesson, self.base, tuning, self.folder, self.workspace)


class Made(Struct, frozen=True):
    """Where a mixture is kept, what it was built on, and its report."""

    place: Path
    base: str
    report: dict[str, float]
