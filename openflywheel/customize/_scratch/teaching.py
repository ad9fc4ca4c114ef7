"""From a lesson to a small language model on disk."""

from pathlib import Path

import torch

from openflywheel.base.instruments.template import Template
from openflywheel.customize import Lesson
from openflywheel.customize._scratch.keeping import kept, told
from openflywheel.customize._scratch.lessons import parted, tokenizer, tokens
from openflywheel.customize._scratch.shape import Shape, shaped
from openflywheel.customize._scratch.training import Course, Run, one_thread
from openflywheel.customize._tuning.telling import quiet
from openflywheel.customize._tuning.tuning import Progress


def taught(
    lesson: Lesson, shape: Shape, course: Course, artefacts: Path, progress: Progress
) -> tuple[Path, dict[str, float]]:
    """Where the model is kept, and its report."""
    with torch.random.fork_rng(), quiet(), one_thread():
        torch.manual_seed(course.seed)
        task, parts = lesson.dataset.task, parted(lesson)
        words = tokenizer(parts, task, shape.vocabulary)
        model, template = shaped(words, shape), Template(words)
        teaching = tokens(parts.teaching, task, parts, template, shape.most_tokens)
        judging = tokens(parts.judging, task, parts, template, shape.most_tokens)
        ending = tokens(parts.ending, task, parts, template, shape.most_tokens) if parts.ending else ()
        trained = Run(model, course, len(words.get_added_vocab()), progress).train(teaching, judging, ending)
        known, report = told(model, words, parts, task, trained)
        said = {"task": task, "kind": lesson.kind, "taught_by": [lesson.dataset.id], "report": report}
        return kept(artefacts, model, words, {**said, **known}), report
