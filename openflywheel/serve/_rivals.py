"""Of several candidates that passed for one task, the best takes over."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from msgspec.structs import replace

from openflywheel.base.nouns import Model, Verdict

FIGURES = {"accuracy": 1, "ndcg@10": 1, "mae": -1}  # of a trainer's report, on rows that taught nothing: sign


def best_of_each(decisions: Iterable[Verdict], models: Mapping[str, Model]) -> Iterator[Verdict]:
    """The decisions, with "yes" for one candidate a task: the others that had passed are inconclusive.

    The best is the one with the highest score against the champion; where nothing serves yet, the one with
    the best figure of those that all their trainers report; else the one that was taught first, which is the
    order of the trainers in flywheel.yaml. The decisions of a task keep their order. `models` by id.
    """
    for _, each in groupby(sorted(decisions, key=lambda one: one.task), key=lambda one: one.task):
        among = list(each)
        passed = [one for one in among if one.passed == "yes"]
        best, figure = _best(passed, models) if len(passed) > 1 else (None, "")
        for one in among:
            yield (
                one
                if best is None or one is best or one not in passed
                else _second(one, best, figure, models)
            )


def _best(passed: list[Verdict], models: Mapping[str, Model]) -> tuple[Verdict, str]:
    """The best, and the name of the figure that says so."""
    if passed[0].against and all(one.score is not None for one in passed):
        return max(passed, key=lambda one: one.score or 0.0), "score"
    for name, sign in FIGURES.items():
        if all(one.about in models and name in models[one.about].report for one in passed):
            return max(passed, key=lambda one: sign * models[one.about].report[name]), name
    return passed[0], ""


def _second(one: Verdict, best: Verdict, figure: str, models: Mapping[str, Model]) -> Verdict:
    name = models[best.about].name if best.about in models else best.about
    if not figure:
        why = f"{name} stands before it in flywheel.yaml, and they report no figure in common"
    else:
        better, worse = (
            found.score if figure == "score" else models[found.about].report[figure] for found in (best, one)
        )
        why = f"{name} passed too, and is better: {figure} {better:.3g} against {worse:.3g}"
    return replace(one, passed="inconclusive", reason=why)
