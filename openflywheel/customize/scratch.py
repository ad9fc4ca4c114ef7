"""A small language model from nothing: its own vocabulary, its own weights, nothing to download.

It knows only what the lesson says, so it needs thousands of rows; with them it is small, private and quick.
"""

import time
from pathlib import Path
from typing import Any

from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._scratch.cost import estimated
from openflywheel.customize._tuning.tuning import Progress

KINDS = ("label", "text")
REQUIRES = ("torch", "transformers")  # imported where it teaches: 9 CPU-s and 400 MB


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
    `seconds` of CPU time, or when rows that did not teach stop improving; the weights that did best on these
    count. They are one half of validation, or of a tenth of the people; where that is less than 40 rows, the
    run is not ended by any and its last weights count.

    The report holds, of the other half (else of all, "judged"), "loss" (nats a token of the answers), for
    labels "accuracy", "ece" and "log_loss", for texts "perplexity"; and "rows", "tokens", "steps",
    "parameters". Raises SettingsError when there is too little to learn from, heads don't share the width
    evenly, or training diverges (a loss that is no finite number; the error names the rate).
    """
    from openflywheel.customize._scratch.shape import Shape  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._scratch.teaching import taught  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._scratch.training import Course  # noqa: PLC0415  see REQUIRES

    start = time.process_time()
    shape = Shape(width, layers, heads, vocabulary, most_tokens)
    course = Course(epochs, rate, batch, seconds, dropout, language, seed, held=lesson.kind == "label")
    place, report = taught(lesson, shape, course, artefacts, progress)
    return lesson.model("scratch", place, base="scratch", report=report, start=start)


def estimate(lesson: Lesson, **given: Any) -> Estimate:
    """What `scratch` will take with its settings."""
    said = settings(scratch, given)
    return estimated(lesson, said["width"], said["layers"], said["epochs"], said["seconds"])
