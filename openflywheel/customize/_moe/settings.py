"""What a mixture is to be, checked; and what comes of it."""

from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.customize import Lesson
from openflywheel.customize._tuning.answering import Taught, planned
from openflywheel.customize._tuning.running import Tuning

By = Literal["upcycle", "adapters"]


class Mix(Struct, frozen=True):
    """`size` experts of which `active` work on a token, and what their imbalance costs; `compare` with what
    is no mixture. Of adapters, `size` is how many clusters stand in for domains.

    Raises SettingsError for numbers that make no mixture.
    """

    by: By = "upcycle"
    size: int = 4
    active: int = 2
    balance: float = 0.02
    compare: bool = False

    def __post_init__(self) -> None:
        if self.size < 2:
            raise SettingsError(f"customize.moe: size = {self.size}; a mixture has 2 experts or more")
        if not 1 <= self.active <= self.size:
            raise SettingsError(
                f"customize.moe: active = {self.active}; give 1 to size = {self.size}, the experts that"
                " work on a token"
            )
        if self.balance < 0:
            raise SettingsError(f"customize.moe: balance = {self.balance:g}; give 0 or more (usual: 0.02)")


class Job(Struct, frozen=True):
    """Which mixture is to be made of what."""

    lesson: Lesson
    base: str
    mix: Mix
    tuning: Tuning
    folder: Path
    workspace: Path

    def planned(self, lesson: Lesson, times: int = 1) -> Taught:
        """The run of lora for all of its lesson or a part, with `times` as many steps."""
        tuning = replace(self.tuning, steps=self.tuning.steps * times)
        return planned(lesson, self.base, tuning, self.folder, self.workspace)


class Made(Struct, frozen=True):
    """Where a mixture is kept, what it was built on, and its report."""

    place: Path
    base: str
    report: dict[str, float]
