"""A prompt for a provider's model: instructions and retrieved demonstrations, chosen on validation."""

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.prompt import Ask, Encoder, Prompted, keep
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.vectors import classes
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._prompt import telling
from openflywheel.customize._prompt.asking import Asking
from openflywheel.customize._prompt.choosing import Trying
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
    artefacts: Path,
    workspace: Path,
    folder: Path,
    seed: int,
    progress: Callable[[dict[str, float]], object],
) -> Model:
    """Choose what a provider's model is told: instructions, how many demonstrations, and their order.

    model: who answers, "provider/model", with a provider of serve.providers. instructions: candidates, or a
    file of them with lines of "---" between; without any, a plain sentence. demonstrations: the most that are
    shown, those nearest to the question (dynamic in-context learning: Liu et al. 2021, arXiv:2101.06804).
    optimise: "gepa" spends half of the calls on writing one more candidate. calls: the most prompts asked.

    Candidates answer the same validation rows (without these, rows of the training set, which are never shown
    themselves or others of their person). A dearer one wins only by more than one standard error. The figures
    are those of rows on which nothing was chosen: "accuracy" (for texts, the mean F1 of words) with
    "accuracy_low" and "accuracy_high" (95 %), "no_answer", "fresh" (rows), "calls", "tokens" (estimated, for
    all calls), and each candidate's "candidate_1", "candidate_1_low", "candidate_1_high" ... on the others.
    Answers are remembered until it is done, so a run that was broken off pays for no prompt twice. Raises
    SettingsError, and AskFailed when the model does not answer.
    """
    start, task = time.process_time(), lesson.dataset.task
    given = _instructions(instructions, folder, lesson.kind)
    purpose = content_id(lesson.dataset.id, model, *given, str((demonstrations, optimise, calls, seed)))
    place = workspace / f"prompt-{purpose}"
    paying = Paying(partial(ask, model=model), place / "answers.jsonl", calls, progress)
    labels = classes([row.labels[task] for row in lesson.rows])[0] if lesson.kind == "label" else ()
    trying = Trying(lesson.kind, labels, paying)
    taught = teaching(lesson.rows, task, encoder)
    asking = Asking(lesson, taught, demonstrations, seed)
    if optimise:
        given = (*given, asking.better(trying, given[0], calls // 2))
    tried, fresh = asking.choose(trying, given, calls - calls // 2 if optimise else calls)
    report = {**telling.report(tried, fresh), "calls": float(paying.calls), "tokens": float(paying.tokens)}
    made = Prompted(
        trying.template(fresh.way), taught.pool, fresh.way.k, model, telling.sureness(fresh), ask, encoder
    )
    method = f"prompt.{optimise}" if optimise else "prompt"
    kept = keep(
        made, artefacts, method=method, task=task, taught_by=[lesson.dataset.id], report=report,
        candidates=[telling.said(each) for each in tried],
    )  # fmt: skip
    shutil.rmtree(place)
    return lesson.model(method, kept, base=model, report=report, start=start)


def _instructions(given: tuple[str, ...] | str, folder: Path, kind: str) -> tuple[str, ...]:
    if isinstance(given, str) and given:
        file = folder / given
        if not file.is_file():
            raise SettingsError(
                f"customize.prompt: there is no file {file}; give one, or a list of instructions"
            )
        given = tuple(file.read_text(encoding="utf-8").split("\n---\n"))
    return tuple(dict.fromkeys(text.strip() for text in given if text.strip())) or (DEFAULT[kind],)
