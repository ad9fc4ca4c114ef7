"""What is told and kept of a model that was trained: calibrated labels, figures, the whole checkpoint."""

import tempfile
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from openflywheel.base.forms.generator import CHECKPOINT, FORM, LabellingGenerator
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.customize._scratch.lessons import Parts
from openflywheel.customize._scratch.training import Trained
from openflywheel.customize._scratch.vocabulary import written

Said = dict[str, Any]
LEAST_WEIGHT = 1e-3  # of a row


def told(model: Any, words: Any, parts: Parts, task: str, trained: Trained) -> tuple[Said, dict[str, float]]:
    """What its reader must know of the labels, for the manifest, and the report."""
    figures = {
        "loss": trained.loss,
        "rows": float(len(parts.teaching)),
        "judged": float(len(parts.judging)),
        "tokens": float(trained.tokens),
        "steps": float(trained.steps),
        "parameters": float(model.num_parameters()),
    }
    if not parts.labels:
        return {}, {**figures, "perplexity": exp(trained.loss)}
    known, labelled = _labelled(model.eval(), words, parts, task)
    return known, {**figures, **labelled}


def _labelled(model: Any, words: Any, parts: Parts, task: str) -> tuple[Said, dict[str, float]]:
    """The label map with its calibration, and how well rows that judge are labelled, as they will be served.

    They count by their weight. A label that nobody teaches counts as wrong, and fits no temperature.
    """
    verbalizer = {label: written(label) for label in parts.labels}
    generator = LabellingGenerator(model, words, parts.labels, verbalizer=verbalizer)
    scores = generator.log_probabilities([row.text for row in parts.judging])
    place = {label: i for i, label in enumerate(parts.labels)}
    right = np.array([place.get(row.labels[task], -1) for row in parts.judging], np.intp)
    weight = np.maximum([row.weight for row in parts.judging], LEAST_WEIGHT)
    sharpness, loss = fit_sharpness(scores[right >= 0], right[right >= 0], weight=weight[right >= 0])
    figures = {
        "accuracy": float(np.average(scores.argmax(axis=1) == right, weights=weight)),
        "ece": calibration_error(scores, right, sharpness, weight=weight),
        "log_loss": loss,
        "labels": float(len(parts.labels)),
    }
    return {"labels": parts.labels, "verbalizer": verbalizer, "sharpness": sharpness}, figures


def kept(artefacts: Path, model: Any, words: Any, said: Said) -> Path:
    """The artefact, with the whole checkpoint in it."""
    with tempfile.TemporaryDirectory() as name:
        model.save_pretrained(name)
        words.save_pretrained(name)
        files = {f"{CHECKPOINT}/{path.name}": path for path in Path(name).iterdir()}
        return artefact.keep(artefacts, {"form": FORM, "method": "scratch", **said}, files=files)
