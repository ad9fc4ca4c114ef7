"""The head on a tuned encoder, chosen and calibrated on rows that tuned nothing."""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.calibration import calibration_error, fit_sharpness
from openflywheel.base.instruments.minilm import MiniLM
from openflywheel.base.instruments.vectors import Matrix
from openflywheel.customize._encoder.examples import Examples
from openflywheel.customize._fitting import Fit, Fitted, centroid, logistic
from openflywheel.customize._head.labels import choose
from openflywheel.customize._people import halves

# Tuning draws each class together around its mean, so here the centroid comes first, and the kernel ridge not
# at all: CLINC150, 1,000 rows, of other texts .903 by the centroid, .893 by the ridge; .863, .865 before.
WAYS: dict[str, Fit] = {"centroid": centroid, "logistic": logistic}


class Judged(Struct, frozen=True):
    """The name of a way of fitting, its temperature, and its figures on rows that tuned nothing."""

    method: str
    sharpness: float
    report: dict[str, float]


def parted(judge: Examples) -> tuple[Examples | None, Examples]:
    """Rows that choose the epoch, and rows of other people that judge what was chosen (`_people.halves`).

    None chooses where there are too few rows, or no label was taught to those that would judge.
    """
    ends, tells = (judge.part(rows) for rows in halves(judge.people))
    return (ends, tells) if ends.texts and (tells.right >= 0).any() else (None, judge)


def judged(encoder: MiniLM, taught: Examples, judge: Examples) -> Judged:
    """The way of fitting the rows in `taught` that labels those in `judge` best (`choose`).

    A label that was not taught can't be answered: its rows in `judge` count as wrong, and say nothing of the
    temperature. Rows of `judge` count by their weight.
    """
    seen, vectors = encoder.encode(taught.texts), encoder.encode(judge.texts)
    fits = (fit(method, seen, taught) for method in WAYS)
    tried = [
        replace(found, held_out=head(found, taught, encoder).scores(vectors))
        for found in fits
        if found is not None
    ]
    chosen, known = choose(tried, judge.right, judge.weight), judge.right >= 0
    sharpness, log_loss = fit_sharpness(
        chosen.held_out[known], judge.right[known], weight=judge.weight[known]
    )
    hit = chosen.held_out.argmax(axis=1) == judge.right
    report = {
        "accuracy": float(np.average(hit, weights=judge.weight)),
        "ece": calibration_error(chosen.held_out, judge.right, sharpness, weight=judge.weight),
        "log_loss": log_loss,
        "judged": float(len(judge.right)),
    }
    return Judged(chosen.method, sharpness, report)


def fit(method: str, vectors: Matrix, taught: Examples) -> Fitted | None:
    """One way on their vectors; None where it needs more rows."""
    return WAYS[method](vectors, taught.right, len(taught.labels), taught.weight, None)


def head(fitted: Fitted, taught: Examples, encoder: MiniLM, sharpness: float = 1.0) -> Head:
    """What was fitted, as a head on that encoder."""
    return Head(
        taught.labels, fitted.weights, fitted.bias, encoder.name, sharpness, fitted.support, fitted.gamma
    )


def on_top(encoder: MiniLM, taught: Examples, found: Judged) -> Head:
    """The head as it was judged best, fitted on all that is taught."""
    fitted = fit(found.method, encoder.encode(taught.texts), taught)
    if fitted is None:  # more rows than in the rehearsal never are too few
        raise AssertionError(found.method)
    return head(fitted, taught, encoder, found.sharpness)
