"""What a mixture is to be, checked. This module is light: the trainer's file imports it."""

from math import inf
from typing import Literal

from msgspec import Struct

from openflywheel.base.errors import SettingsError

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
        if not 0 <= self.balance < inf:
            raise SettingsError(f"customize.moe: balance = {self.balance:g}; give 0 or more (usual: 0.02)")
