"""Which model serves: the newest promotion (or rollback) of each task says so, and nothing else does."""

from collections.abc import Iterable

from openflywheel.base.nouns import Verdict

PROMOTION, ROLLBACK = "promotion", "rollback"
CASCADE = "cascade"  # says from which confidence on a champion answers, and makes none


def crowned(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """task -> the verdict that made its champion; `verdicts` come oldest first."""
    return {v.task: v for v in verdicts if v.check in (PROMOTION, ROLLBACK) and v.passed == "yes"}


def champions(verdicts: Iterable[Verdict]) -> dict[str, str]:
    """task -> id of the model that serves it."""
    return {task: verdict.about for task, verdict in crowned(verdicts).items()}
