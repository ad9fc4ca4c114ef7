"""Drop what your own judgements call poor: a classifier on the encoder, taught by keep / drop examples."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.head import Head
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.calibration import fit_sharpness
from openflywheel.base.instruments.encoder import Encoder
from openflywheel.base.instruments.vectors import Matrix
from openflywheel.curate._batches import Batch, as_table, mark_drops, with_meta
from openflywheel.curate._going import going, spread

LEAST = 20  # examples of each kind
RIDGES = (0.1, 1.0, 10.0)
LABELS = ("drop", "keep")


class Example(Struct, frozen=True):
    """A text that somebody looked at; `keep` is false for one that should go."""

    text: str
    keep: bool


class Judge(Struct, frozen=True):
    """A head, and the least probability of "keep" with which a text passes."""

    head: Head
    least: float

    def chances(self, vectors: Matrix) -> NDArray[np.float32]:
        """The probability of "keep" for each vector."""
        return self.head.probabilities(vectors)[:, 1]


def quality_classifier(
    batch: Batch, *, examples: str, keep: float = 0.95, encoder: Encoder, folder: Path
) -> pa.Table:
    """Write the probability that a text is worth keeping into meta "quality"; drop those below a threshold.

    `examples` is a file of lines {"text": ..., "keep": true or false}, relative to flywheel.yaml, at least 20
    of each kind. The head is ridge regression on the encoder's vectors; each example is also scored by a head
    that did not see it (leave one out), which calibrates the probability and sets the threshold: the share
    `keep` of the good examples passes. Reason "quality_classifier: judged low". It is taught once a process,
    and depends on the file and the encoder alone. A text is judged by what the encoder reads, its beginning.

    Raises SettingsError when the file cannot be used.
    """
    if not 0 < keep <= 1:
        raise SettingsError(f"curate.quality_classifier: keep = {keep}; give a share, more than 0, at most 1")
    judge = _taught(read(folder / examples), keep, encoder)
    table = as_table(batch)
    rows = going(table)
    chances = (
        judge.chances(encoder.encode(table["text"].take(rows).to_pylist())) if len(rows) else np.empty(0)
    )
    shown = pa.array([f"{chance:.2f}" for chance in chances.tolist()], pa.string())
    table = with_meta(table, "quality", spread(shown, rows, table.num_rows))
    low = spread(chances < judge.least, rows, table.num_rows)
    return mark_drops(table, low, "quality_classifier: judged low")


def read(path: Path) -> bytes:
    """The file's bytes. Raises SettingsError."""
    if not path.is_file():
        raise SettingsError(
            f'curate.quality_classifier: there is no {path}; it takes lines of {{"text": ..., "keep": true}}'
        )
    return path.read_bytes()


def parsed(content: bytes) -> list[Example]:
    """The examples of a file. Raises SettingsError for a line that is none, and for too few."""
    decode, found = msgspec.json.Decoder(Example).decode, []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            found += [decode(line)] if line.strip() else []
        except msgspec.DecodeError as error:
            raise SettingsError(f"curate.quality_classifier: examples, line {number}: {error}") from None
    good = sum(example.keep for example in found)
    if min(good, len(found) - good) < LEAST:
        raise SettingsError(
            f"curate.quality_classifier: examples has {good} to keep and {len(found) - good} to drop; "
            f"it needs {LEAST} of each: judge some more"
        )
    return found


_TAUGHT: dict[tuple[str, float, str], Judge] = {}


def _taught(content: bytes, keep: float, encoder: Encoder) -> Judge:
    known = (content_id(content), keep, encoder.name)
    if known not in _TAUGHT:
        _TAUGHT[known] = teach(parsed(content), keep, encoder)
    return _TAUGHT[known]


def teach(examples: list[Example], keep: float, encoder: Encoder) -> Judge:
    """A judge whose threshold lets the share `keep` of the good examples pass, each left out in turn."""
    vectors = encoder.encode([example.text for example in examples])
    right = np.array([example.keep for example in examples], np.intp)
    weights, left_out = min(
        (_fit(vectors, right, ridge) for ridge in RIDGES), key=lambda f: _error(f[1], right)
    )
    sharpness, _ = fit_sharpness(_two(left_out), right)
    head = Head(LABELS, _two(weights[:-1]), _two(weights[-1:])[0], encoder=encoder.name, sharpness=sharpness)
    chances = 1 / (1 + np.exp(-2 * sharpness * left_out[right == 1]))
    return Judge(head, float(np.quantile(chances, 1 - keep)))


def _fit(
    vectors: Matrix, right: NDArray[np.intp], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (the bias last) towards 1 and -1, and the scores of the rows by a fit without each of them.

    The residual of a row left out is its residual / (1 - leverage) (Allen 1974, Technometrics 16).
    """
    x = np.hstack([vectors, np.ones((len(vectors), 1))]).astype(np.float64)
    y = 2.0 * right - 1
    inner = cho_factor(x.T @ x + ridge * np.diag(np.r_[np.ones(x.shape[1] - 1), 1e-6]))
    weights = cho_solve(inner, x.T @ y)
    leverage = np.einsum("ij,ji->i", x, cho_solve(inner, x.T))
    return weights, y - (y - x @ weights) / np.maximum(1 - leverage, 1e-6)


def _error(scores: NDArray[np.float64], right: NDArray[np.intp]) -> float:
    return float(np.mean((scores - (2.0 * right - 1)) ** 2))


def _two(scores: NDArray[np.float64]) -> Matrix:
    """Scores of "keep" as those of "drop" and "keep"."""
    return np.stack([-scores, scores], axis=-1).astype(np.float32)
