"""What the calls of a run cost, where the prices of the model are known."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Protocol

from openflywheel.base.instruments.prompting import Example, Template, escaped, tokens
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate
from openflywheel.customize._prompt.asking import shares
from openflywheel.customize._prompt.choosing import number

LOOKED_AT = 200  # rows, evenly among all, that tell how long a prompt is


class Priced(Protocol):
    """An endpoint of the table serve.providers; models without a price cost nothing."""

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float: ...


def price(model: str, providers: Mapping[str, Priced], sent: int, received: int) -> float:
    """Dollars for so many tokens of a model, "provider/model"; 0 where its price is not known."""
    name, _, own = model.partition("/")
    return providers[name].cost(own, sent, received) if name in providers else 0.0


def estimated(
    lesson: Lesson,
    model: str,
    given: Sequence[str],
    k: int,
    calls: int,
    optimise: bool,
    providers: Mapping[str, Priced],
) -> Estimate:
    """The cost of a run that has all `k` demonstrations in every prompt, of rows as they come."""
    asked = _calls(lesson, len(given) + optimise, k, calls, optimise)
    each, answer = _sizes(lesson, given, k)
    sent, received = round(asked * each), round(asked * answer)
    dollars = price(model, providers, sent, received)
    known = "" if dollars else f"; the price of {model} is not known: say it in serve.providers (prices)"
    note = f"{asked:,} calls of about {each:,.0f} tokens{known}"
    return Estimate(tokens=sent + received, dollars=dollars, note=note)


def _calls(lesson: Lesson, instructions: int, k: int, calls: int, optimise: bool) -> int:
    """Prompts at most: those that write instructions, those that choose, and fresh ones."""
    writing = calls // 2 if optimise else 0
    candidates = number(instructions, k)
    each, fresh = shares(len(lesson.validation or lesson.rows), candidates, calls - writing)
    return writing + each * (candidates if candidates > 1 else 0) + max(0, fresh)


def _sizes(lesson: Lesson, given: Sequence[str], k: int) -> tuple[float, float]:
    """Mean tokens of a prompt and of an answer."""
    task, rows = lesson.dataset.task, lesson.rows[:: max(1, len(lesson.rows) // LOOKED_AT)]
    labels = sorted({row.labels[task] for row in lesson.rows}) if lesson.kind == "label" else ()
    longest = max(given, key=len)
    frame = tokens(Template(lesson.kind, longest, tuple(labels)).prompt("", ()))
    answer = fmean(tokens(row.labels[task]) for row in rows)
    shown = Template(lesson.kind, "", ())
    one = [Example(row.id, row.text, row.labels[task]) for row in rows]
    example = fmean(tokens(shown.prompt("", [e])) for e in one) - tokens(shown.prompt("", ()))
    return frame + fmean(tokens(escaped(row.text)) for row in rows) + k * example, answer
