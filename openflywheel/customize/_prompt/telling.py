"""What is told of candidates: figures with intervals, and how sure an answer is."""

from collections.abc import Sequence

from openflywheel.base.forms.prompt import Sureness
from openflywheel.customize._prompt.choosing import Tried


def report(tried: Sequence[Tried], fresh: Tried) -> dict[str, float]:
    """The figures of the chosen one on fresh questions, and of all candidates."""
    low, high = fresh.interval
    silent = sum(not answer for answer, _ in fresh.answers) / len(fresh.answers)
    figures = {
        "accuracy": float(fresh.scores.mean()), "accuracy_low": low, "accuracy_high": high,
        "no_answer": silent, "fresh": float(len(fresh.scores)),
    }  # fmt: skip
    for place, each in enumerate(tried, start=1):
        low, high = each.interval
        figures |= {f"candidate_{place}": float(each.scores.mean())}
        figures |= {f"candidate_{place}_low": low, f"candidate_{place}_high": high}
    return figures


def said(tried: Tried) -> dict[str, object]:
    """A candidate for the manifest."""
    way = tried.way
    return {
        "instructions": way.instructions, "demonstrations": way.k, "nearest_last": way.nearest_last,
        "accuracy": float(tried.scores.mean()), "questions": len(tried.scores), "prompt_tokens": tried.cost,
    }  # fmt: skip


def sureness(fresh: Tried) -> Sureness:
    """The chance to be right where the likest demonstration agrees, and where not.

    Of the rows with an answer; each of the two is drawn towards all of them by as much as two rows weigh.
    """
    answers = [
        (agreed, right) for (a, agreed), right in zip(fresh.answers, fresh.scores.tolist(), strict=True) if a
    ]
    overall = (sum(right for _, right in answers) + 1) / (len(answers) + 2)

    def share(group: bool) -> float:
        scores = [right for agreed, right in answers if agreed == group]
        drawn: float = (sum(scores) + 2 * overall) / (len(scores) + 2)
        return drawn

    return Sureness(share(True), share(False))
