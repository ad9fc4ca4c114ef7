"""What a source may still spend."""

import logging

from openflywheel.base.nouns import Drop
from openflywheel.base.settings import Budget

TINY = 1e-9  # dollars: 0.3 is three times 0.1, whatever binary fractions say

log = logging.getLogger("openflywheel")


class Purse:
    """Dollars that are left of `wheel.budget.dollars`. It is asked before anything is bought.

    `owed` is what open orders will take (orders.owed): the budget learns of it only when they are taken.
    """

    def __init__(self, budget: Budget, owed: float) -> None:
        self.left = max(0.0, budget.dollars - owed)

    def refuse(self, dollars: float, what: str) -> Drop | None:
        """The reason not to buy; None, and the dollars are taken out, where there is enough."""
        if dollars > self.left + TINY:
            log.warning(
                "collect: %s would cost $%.4f, and $%.4f of wheel.budget.dollars is left: raise it there",
                what,
                dollars,
                self.left,
            )
            return Drop("over budget.dollars of this turn")
        self.left = max(0.0, self.left - dollars)
        return None
