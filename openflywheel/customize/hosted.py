"""Fine-tuning at a provider that speaks OpenAI's API: files, jobs, and a model that stays there.

A job may take hours: a turn waits for it for some minutes, and the next one goes on with it. A job is known
by what it was asked for, so no restart pays for it twice (see _hosted/run.py and job.py).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from openflywheel.base.instruments.account import Provider
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._hosted.going import Given, Going, from_now
from openflywheel.customize._hosted.run import Book
from openflywheel.customize._hosted.wish import Wish, planned
from openflywheel.customize._waiting import Waiting

KINDS = ("label", "text")
NEXT = "the job before is over, and the newest rows come next"


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
    checked: validation rows that a tuned label model is asked, to calibrate its confidence.
    wait: seconds in one turn.

    A row's weight counts only if it is 0: such a row is left out. While a job of the task is at work no
    other is begun: it is finished first, and what came since is begun in the next turn, if that is within
    the budget. Gives Waiting until then, and a Fault when a job failed or was refused. A model that was
    given is given again when the same rows are shown again, for a passage that was killed has lost it; what
    it took is Paid under the name of its run, and so booked once.

    Raises SettingsError for a provider that there is not, and for rows that it would refuse.
    """
    task, book = lesson.dataset.task, Book(workspace)
    plan = planned(lesson, Wish(provider, base, method, epochs, system, suffix, most_tokens), price, seed)
    held = sorted(lesson.validation, key=lambda row: row.id)[:checked]  # ids are hashes: no order
    going = Going(book, providers, artefacts, held, from_now(wait), progress)
    at_work = book.open(task)
    for earlier in at_work:
        yield from going.on(earlier)
    if not at_work:
        yield from going.on(book.find(plan.run), plan.training.content, plan.validation.content)
    elif plan.run.id not in [run.id for run in at_work] and not book.open(task):
        yield Waiting(NEXT)


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `hosted` will begin to pay with its settings; nobody is asked. Raises like `hosted`.

    That is nothing while a job of the task is at work, or if this very job was asked for before.
    """
    said = settings(hosted, given)
    wish = Wish(**{name: said[name] for name in Wish.__struct_fields__})
    plan, book = planned(lesson, wish, said["price"], said["seed"]), Book(said["workspace"])
    begun = book.open(plan.run.task) or book.find(plan.run).at
    return replace(plan.estimate, dollars=0.0) if begun else plan.estimate
