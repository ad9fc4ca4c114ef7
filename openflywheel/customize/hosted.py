"""Fine-tuning at a provider that speaks OpenAI's API: files, jobs, and a model that stays there.

A job may take hours: a turn waits for it for some minutes, and the next one goes on with it. A job is known
by what it was asked for, so no restart pays for it twice (see _hosted/run.py and job.py).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from openflywheel.base.instruments.account import Provider
from openflywheel.base.nouns import Fault
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._hosted.going import Given, Going, from_now
from openflywheel.customize._hosted.run import Book
from openflywheel.customize._hosted.wish import Plan, Wish, planned
from openflywheel.customize._waiting import Waiting

KINDS = ("label", "text")


def hosted(
    lesson: Lesson,
    *,
    provider: str,
    base: str,
    price: float,
    method: Literal["supervised", "dpo"] = "supervised",
    epochs: int = 3,
    system: str = "",
    suffix: str = "",
    most_tokens: int = 65_536,
    most_dollars: float = 10.0,
    checked: int = 100,
    wait: float = 180.0,
    providers: Mapping[str, Provider],
    artefacts: Path,
    workspace: Path,
    seed: int,
    progress: Callable[[dict[str, float]], object],
) -> Iterator[Given]:
    """Let a provider tune one of its models on the rows, and give the tuned model.

    provider, base: a name in serve.providers, and the name of its model.
    price: dollars for a million trained tokens, as the provider's price list says.
    method: supervised, or dpo on pairs of answers (the rows' meta "rejected").
    system: an instruction before every chat, in training and afterwards; for labels there is one already.
    suffix: ends the tuned model's name; another one makes another job.
    most_tokens: of an example; longer ones are left out.
    most_dollars: a job that would take more, by estimate, is not begun.
    checked: validation rows that a tuned label model is asked, to calibrate its confidence.
    wait: seconds in one turn.

    A row's weight counts only if it is 0: such a row is left out. While a job of the task is at work no
    other is begun: it is finished first, whatever came since. Gives Waiting while it is, and a Fault when it
    failed, was refused or would take too much. A model that was given is given again when the same rows are
    shown again, for a passage that was killed has lost it; what it took is Paid once.

    Raises SettingsError for a provider that there is not, and for rows that it would refuse.
    """
    task, book = lesson.dataset.task, Book(workspace)
    plan = planned(lesson, Wish(provider, base, method, epochs, system, suffix, most_tokens), price, seed)
    held = sorted(lesson.validation, key=lambda row: row.id)[:checked]  # ids are hashes: no order
    going = Going(book, providers, artefacts, held, from_now(wait), progress)
    at_work = book.open(task)
    for earlier in at_work:
        yield from going.on(earlier)
    run = book.find(plan.run)
    if book.open(task) or run.id in [earlier.id for earlier in at_work]:
        return
    if not run.at and run.dollars > most_dollars:
        yield from _too_much(plan, most_dollars)
    else:
        yield from going.on(run, plan.training.content, plan.validation.content)


def _too_much(plan: Plan, most_dollars: float) -> Iterator[Given]:
    yield Fault(
        f"hosted: {plan.run.task} would take ${plan.run.dollars:,.2f} for {plan.run.tokens:,} tokens, and "
        f"most_dollars is {most_dollars:,.2f}: raise it, or curate fewer rows"
    )
    yield Waiting("not begun: over most_dollars")


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `hosted` will cost with its settings; nobody is asked. Raises like `hosted`."""
    said = settings(hosted, given)
    wish = Wish(**{name: said[name] for name in Wish.__struct_fields__})
    return planned(lesson, wish, said["price"], said.get("seed", 0)).estimate
