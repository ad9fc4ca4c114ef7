"""A prompt for a provider's model: instructions and retrieved demonstrations, chosen on validation."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.prompt import Ask, Encoder, Prompted, keep
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.vectors import classes
from openflywheel.base.nouns import Model, Paid
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._prompt import telling
from openflywheel.customize._prompt.asking import Asking
from openflywheel.customize._prompt.choosing import Tried, Trying
from openflywheel.customize._prompt.cost import Priced, estimated, price
from openflywheel.customize._prompt.paying import Paying
from openflywheel.customize._prompt.questions import teaching

KINDS = ("label", "text")
DEFAULT = {
    "label": "Sort the question into one of the labels. Examples show how people sorted such questions.",
    "text": "Answer the question. Examples show how people answered such ones: keep to their facts and tone.",
}


def prompt(
    lesson: Lesson,
    *,
    model: str,
    instructions: tuple[str, ...] | str = (),
    demonstrations: int = 8,
    optimise: Literal["", "gepa"] = "",
    calls: int = 300,
    encoder: Encoder,
    ask: Ask,
    providers: Mapping[str, Priced],
    artefacts: Path,
    workspace: Path,
    folder: Path,
    seed: int,
    progress: Callable[[dict[str, float]], object],
) -> Iterator[Model | Paid]:
    """Choose what a provider's model is told: instructions, how many demonstrations, and their order.

    model: who answers, "provider/model", with a provider of serve.providers. instructions: candidates, or a
    file of them with lines of "---" between; without any, a plain sentence. demonstrations: the most that are
    shown, those nearest to the question (dynamic in-context learning: Liu et al. 2021, arXiv:2101.06804).
    optimise: "gepa" spends half of the calls on writing one more candidate. calls: the most prompts asked.

    Candidates answer the same validation rows (without these, rows of the training set, which are never shown
    themselves or others of their person). A dearer one wins only by more than one standard error. The figures
    are those of rows on which nothing was chosen: "accuracy" (for texts, the mean F1 of words) with
    "accuracy_low" and "accuracy_high" (95 %), "no_answer", "fresh" (rows), "calls", "tokens" (estimated, for
    all calls), "dollars", and each candidate's "candidate_1", "candidate_1_low", "candidate_1_high" ... on
    the others. Paid, also by a run that fails, is what its tokens cost at the provider's `prices`.
    Answers are remembered until the model is in the store, so a run that was broken off pays for no prompt
    twice. Raises SettingsError, and AskFailed when the model does not answer.
    """
    start, task = time.process_time(), lesson.dataset.task
    given = _checked(instructions, demonstrations, calls, folder, lesson.kind)
    purpose = content_id(lesson.dataset.id, model, *given, str((demonstrations, optimise, calls, seed)))
    place = lesson.place(workspace, "prompt") / purpose
    paying = Paying(partial(ask, model=model), place / "answers.jsonl", calls, progress)
    labels = classes([row.labels[task] for row in lesson.rows])[0] if lesson.kind == "label" else ()
    trying = Trying(lesson.kind, labels, paying)
    taught = teaching(lesson.rows, task, encoder)
    try:
        tried, fresh = _chosen(Asking(lesson, taught, demonstrations, seed), trying, given, optimise, calls)
    except Exception:  # what was answered until then has its price
        yield _paid(paying, model, providers)
        raise
    paid = _paid(paying, model, providers)
    report = {
        **telling.report(tried, fresh), "calls": float(paying.calls), "dollars": paid.dollars,
        "tokens": float(paying.sent + paying.received),
    }  # fmt: skip
    made = Prompted(
        trying.template(fresh.way), taught.pool, fresh.way.k, model, telling.sureness(fresh), ask, encoder
    )
    method = f"prompt.{optimise}" if optimise else "prompt"
    kept = keep(
        made, artefacts, method=method, task=task, taught_by=[lesson.dataset.id], report=report,
        candidates=[telling.said(each) for each in tried],
    )  # fmt: skip
    yield paid
    yield lesson.model(method, kept, base=model, report=report, start=start)


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `prompt` will pay with its settings, where the model's price is known. Raises SettingsError."""
    said = settings(prompt, given)
    k, calls = said["demonstrations"], said["calls"]
    texts = _checked(said["instructions"], k, calls, said["folder"], lesson.kind)
    optimise, providers = bool(said["optimise"]), said["providers"]
    return estimated(lesson, said["model"], texts, k, calls, optimise, providers)


def _chosen(
    asking: Asking, trying: Trying, given: tuple[str, ...], optimise: str, calls: int
) -> tuple[list[Tried], Tried]:
    """The candidates, the chosen one last, and the chosen one on fresh questions."""
    if optimise:
        given = (*given, asking.better(trying, given[0], calls // 2))
    return asking.choose(trying, given, calls - calls // 2 if optimise else calls)


def _paid(paying: Paying, model: str, providers: Mapping[str, Priced]) -> Paid:
    dollars = price(model, providers, paying.sent, paying.received)
    return Paid(dollars, model.partition("/")[0], paying.run)


def _checked(
    instructions: tuple[str, ...] | str, demonstrations: int, calls: int, folder: Path, kind: str
) -> tuple[str, ...]:
    """The instructions. Raises SettingsError for settings that can't be."""
    for name, value, least in (("demonstrations", demonstrations, 0), ("calls", calls, 1)):
        if value < least:
            raise SettingsError(f"customize.prompt: {name} = {value}; the least is {least}")
    return _instructions(instructions, folder, kind)


def _instructions(given: tuple[str, ...] | str, folder: Path, kind: str) -> tuple[str, ...]:
    if isinstance(given, str) and given:
        file = folder / given
        if not file.is_file():
            raise SettingsError(
                f"customize.prompt: there is no file {file}; give one, or a list of instructions"
            )
        given = tuple(file.read_text(encoding="utf-8").split("\n---\n"))
    return tuple(dict.fromkeys(text.strip() for text in given if text.strip())) or (DEFAULT[kind],)
