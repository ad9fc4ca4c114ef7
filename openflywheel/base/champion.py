"""Which model serves: the newest promotion (or rollback) of each task says so, and nothing else does."""

from collections.abc import Iterable

from openflywheel.base.nouns import Verdict

PROMOTION, ROLLBACK = "promotion", "rollback"


def champions(verdicts: Iterable[Verdict]) -> dict[str, str]:
    """task -> id of the model that serves it; `verdicts` come oldest first."""
    return {v.task: v.about for v in verdicts if v.check in (PROMOTION, ROLLBACK) and v.passed == "yes"}
