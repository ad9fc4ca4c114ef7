"""Model -> Verdict: is it allowed? The same guards stand at the gateway and in curation.

A guard is one file here; it returns the text as it may go on, and its opinion:

    def pii(text, *, mode="redact") -> tuple[str, Verdict]

Its file may also say where it need not look (`HINTS`, see _spans.Hints), for bulk work, and have a function
`pseudonyms`, which puts names that can be resolved again in the place of what it finds.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from openflywheel.base.door import beside, function_of, name_of
from openflywheel.base.nouns import Arrow, Dataset, Model, Row, Verdict
from openflywheel.base.room import Given
from openflywheel.guard._spans import Hints

ARROW = Arrow(takes=Model, gives=Verdict, given=(Dataset, Row))
Guard = Callable[[str], tuple[str, Verdict]]
Name = Callable[[str, str], str]  # kind and value -> what stands in its place


class Detect:
    """The guards as other rooms are handed them: text -> (the text as it may go on, what they say about it).

    `hints` is None where one of the guards gives none: then every text must be looked at.
    """

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._guards = guards
        said = [getattr(sys.modules[function_of(g).__module__], "HINTS", None) for g in guards]
        known = [h for h in said if h is not None]
        joined = Hints(tuple(p for h in known for p in h.lines), tuple(p for h in known for p in h.texts))
        self.hints = joined if len(known) == len(guards) else None
        self._pseudonyms = [beside(g, "pseudonyms") for g in guards]

    def __call__(self, text: str) -> tuple[str, tuple[Verdict, ...]]:
        return apply(self._guards, text)

    def pseudonymous(self, text: str, name: Name) -> tuple[str, tuple[Verdict, ...]]:
        """The same, with `name(kind, value)` in the place of each value whose guard allows that."""
        naming = (
            partial(p, name=name) if p else g for g, p in zip(self._guards, self._pseudonyms, strict=True)
        )
        return apply(list(naming), text)


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
