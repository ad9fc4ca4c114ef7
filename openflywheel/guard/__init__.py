"""Model -> Verdict: is it allowed? The same guards stand at the gateway and in curation.

A guard is one file here; it returns the text as it may go on, and its opinion:

    def pii(text, *, mode="redact") -> tuple[str, Verdict]
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from openflywheel.base.door import name_of
from openflywheel.base.nouns import Arrow, Dataset, Model, Row, Verdict
from openflywheel.base.room import Given

ARROW = Arrow(takes=Model, gives=Verdict, given=(Dataset, Row))
Guard = Callable[[str], tuple[str, Verdict]]


def apply(guards: Sequence[Guard], text: str) -> tuple[str, tuple[Verdict, ...]]:
    """Pass a text through all the guards: what may go on, and the opinions of those that found something."""
    found = []
    for guard in guards:
        text, verdict = guard(text)
        if verdict.n:
            found.append(verdict)
    return text, tuple(found)


def run(took: Sequence[Model], given: Given, plugins: Sequence[Guard]) -> Iterator[Verdict]:
    """A model is allowed when nothing that a guard forbids stands in what taught it."""
    for model in took:
        rows = [r for d in given.get(Dataset, model.taught_by).values() for r in given.rows(d)]
        for guard in plugins:
            yield _verdict(model, guard, rows)


def _verdict(model: Model, guard: Guard, rows: Sequence[Row]) -> Verdict:
    opinions = [guard(row.text)[1] for row in rows]
    bad = Counter(o.reason for o in opinions if o.n)
    check = f"guard.{name_of(guard)}"
    reason = f"{sum(bad.values())} of {len(rows)} rows: {'; '.join(bad)}" if bad else ""
    return Verdict(
        check=check,
        about=model.id,
        task=model.task,
        passed="no" if bad else "yes",
        n=len(rows),
        reason=reason,
    )
