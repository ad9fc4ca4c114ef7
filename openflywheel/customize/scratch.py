"""A small language model from nothing: its own vocabulary, its own weights, nothing to download.

It knows only what the lesson says, so it needs thousands of rows; with them it is small, private and quick.
"""

import time
from pathlib import Path
from typing import Any

import torch

from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._scratch.cost import estimated
from openflywheel.customize._scratch.keeping import kept, told
from openflywheel.customize._scratch.lessons import parted, tokenizer, tokens
from openflywheel.customize._scratch.shape import Shape, shaped
from openflywheel.customize._scratch.training import Course, Progress, Run, one_thread
from openflywheel.customize._tuning.telling import quiet

KINDS = ("label", "text")


def scratch(
    lesson: Lesson,
    *,
    artefacts: Path,
    seed: int,
    progress: Progress,
    width: int = 256,
    layers: int = 2,
    heads: int = 4,
    vocabulary: int = 3_000,
    epochs: int = 8,
    rate: float = 1e-3,
    batch: int = 64,
    dropout: float = 0.2,
    language: float = 0.1,
    most_tokens: int = 256,
    seconds: float = 240.0,
) -> Model:
    """A causal language model of Llama's shape, taught by the lesson alone; labels are held by decoding.

    `width` (a multiple of 2 x `heads`), `layers` and `vocabulary` (tokens, 256 bytes among them) make its
    size, vocabulary x width + layers x 10 x width^2 parameters; `most_tokens` is its context. `language`
    weighs the loss on the questions' own words beside that on the answers. It ends after `epochs`, after
    `seconds` of CPU time, or when held-out rows stop improving; the best weights count.

    The report holds, of rows that did not teach, "loss" (nats a token of the answers), for labels "accuracy",
    "ece" and "log_loss", for texts "perplexity"; and "rows", "tokens", "steps", "parameters". Raises
    SettingsError when there is too little to learn from or heads don't share the width evenly.
    """
    start = time.process_time()
    shape = Shape(width, layers, heads, vocabulary, most_tokens)
    course = Course(epochs, rate, batch, seconds, dropout, language, seed, held=lesson.kind == "label")
    with torch.random.fork_rng(), quiet(), one_thread():
        place, report = _taught(lesson, shape, course, artefacts, progress)
    return lesson.model("scratch", place, base="scratch", report=report, start=start)


def _taught(
    lesson: Lesson, shape: Shape, course: Course, artefacts: Path, progress: Progress
) -> tuple[Path, dict[str, float]]:
    """Where the model is kept, and its report."""
    torch.manual_seed(course.seed)
    task, parts = lesson.dataset.task, parted(lesson)
    words = tokenizer(parts, task, shape.vocabulary)
    model, template = shaped(words, shape), Template(words)
    taught = tokens(parts.teaching, task, parts, template, shape.most_tokens)
    judged = tokens(parts.judging, task, parts, template, shape.most_tokens)
    trained = Run(model, course, len(words.get_added_vocab()), progress).train(taught, judged)
    known, report = told(model, words, parts, task, trained)
    said = {"task": task, "kind": lesson.kind, "taught_by": [lesson.dataset.id], "report": report}
    return kept(artefacts, model, words, {**said, **known}), report


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `scratch` will take with its settings."""
    said = settings(scratch, given)
    return estimated(lesson, said["width"], said["layers"], said["epochs"], said["seconds"])
