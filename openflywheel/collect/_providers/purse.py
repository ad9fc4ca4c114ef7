"""What a source may still spend."""

import logging

from openflywheel.base.nouns import Drop
from openflywheel.base.settings import Budget

log = logging.getLogger("openflywheel")


class Purse:
    """Dollars that are left of `wheel.budget.dollars`. It is asked before anything is bought."""

    def __init__(self, budget: Budget) -> None:
        self.left = budget.dollars

    def refuse(self, dollars: float, what: str) -> Drop | None:
        """The reason not to buy; None, and the dollars are taken out, where there is enough."""
        if dollars > self.left:
            log.warning(
                "collect: %s would cost $%.4f, and $%.4f of wheel.budget.dollars is left: raise it there",
                what,
                dollars,
                self.left,
            )
            return Drop("over budget.dollars of this turn")
        self.left -= dollars
        return None
