"""From a job that is over to a model: asked on rows that taught nothing, priced, kept."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from openflywheel.base.forms import hosted
from openflywheel.base.forms.hosted import Hosted
from openflywheel.base.instruments.account import Account
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.base.instruments.vectors import softmax
from openflywheel.base.nouns import Model, Row
from openflywheel.customize._hosted.job import Job, figures
from openflywheel.customize._hosted.run import Run


def model(account: Account, run: Run, job: Job, held: Sequence[Row], artefacts: Path) -> Model:
    """The tuned model, kept as an artefact. `held` are rows that taught nothing, to calibrate labels with.

    The report holds what the job told ("loss", "validation_loss", "tokens" trained), "dollars", "rows", and
    for labels "accuracy", "ece" and "log_loss" on the rows that were asked.
    """
    made = Hosted(account, str(job["fine_tuned_model"]), run.system, run.labels)
    report = _report(account, run, job)
    if run.kind == "label":
        made, measured = calibrated(made, held, run.task)
        report |= measured
    base = f"{run.provider}/{run.base}"
    place = hosted.keep(
        made, artefacts, method=run.method, task=run.task, kind=run.kind, base={"name": base},
        taught_by=[run.dataset], job=job["id"], report=report,
    )  # fmt: skip
    return Model(
        name=f"{run.task}-hosted",
        task=run.task,
        base=base,
        method=f"hosted.{run.method}",
        taught_by=(run.dataset,),
        uri=f"{artefacts.name}/{place.name}",
        report=report,
    )


def _report(account: Account, run: Run, job: Job) -> dict[str, float]:
    """Tokens are those that the provider bills; by our estimate where it tells none."""
    told = figures(account, run)
    tokens = float(job.get("trained_tokens") or run.tokens)
    made = {"rows": float(run.rows), "tokens": tokens, "dollars": tokens * run.price / 1e6}
    return made | {name: told[name] for name in ("loss", "validation_loss") if name in told}


def calibrated(made: Hosted, rows: Sequence[Row], task: str) -> tuple[Hosted, dict[str, float]]:
    """The model with its temperature and its share of right answers, and its figures; asked once a row.

    A label that was not taught can't be answered: its rows count as wrong, and say nothing of the temperature
    or the "log_loss". Without rows it is believed to be right every second time (the rule of succession).
    """
    if not rows:
        return made, {}
    places = {label: place for place, label in enumerate(made.labels)}
    right = np.array([places.get(row.labels[task], -1) for row in rows], np.intp)
    known = right >= 0
    said = made.said([row.text for row in rows])
    hits = [answer == row.labels[task] for (answer, _), row in zip(said, rows, strict=True)]
    tells = all(chance is not None for _, chance in said)
    made = msgspec.structs.replace(made, measured=(sum(hits) + 1) / (len(hits) + 2), logprobs=tells)
    scores = made.scored(said)
    sharpness, loss = _temperature(scores[known], right[known], tells)
    error = calibration_error(scores, right, sharpness)
    figures = {"accuracy": float(np.mean(hits)), "ece": error}
    return msgspec.structs.replace(made, sharpness=sharpness), figures | (
        {"log_loss": loss} if known.any() else {}
    )


def _temperature(scores: hosted.Matrix, right: NDArray[np.intp], tells: bool) -> tuple[float, float]:
    """Sharpness and mean log loss; without probabilities there is nothing to sharpen."""
    if tells or not len(right):
        return fit_sharpness(scores, right)
    return 1.0, _log_loss(scores, right)


def _log_loss(scores: hosted.Matrix, right: NDArray[np.intp]) -> float:
    """Mean log loss in nats."""
    probability = softmax(scores)[np.arange(len(right)), right]
    return float(-np.log(np.maximum(probability, 1e-12)).mean())
