"""From rows to a tuned encoder with a head, both judged by rows that tuned nothing."""

from collections.abc import Callable

import torch
from msgspec import Struct
from torch import Tensor

from openflywheel.base.forms.encoder import encoder_of
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.minilm import MiniLM, graph_of
from openflywheel.customize._encoder.base import Base
from openflywheel.customize._encoder.bert import Bert, fastest
from openflywheel.customize._encoder.examples import Examples, apart
from openflywheel.customize._encoder.judging import judged, on_top, parted
from openflywheel.customize._encoder.linear import Linear, LowRank, Whole
from openflywheel.customize._encoder.tuning import Plan, Told, tune

Progress = Callable[[dict[str, float]], object]

TELL = 10  # steps


class Shape(Struct, frozen=True):
    """What learns in a linear layer: an addition of `rank`, scaled by alpha / rank; at rank 0 all of it."""

    rank: int
    alpha: float

    def bert(self, base: Base, seed: int) -> Bert:
        """An encoder that has learned nothing yet."""
        dtype, random = fastest(), torch.Generator().manual_seed(seed)

        def make(weight: Tensor, bias: Tensor) -> Linear:
            if not self.rank:
                return Whole(weight, bias, dtype)
            return LowRank(weight, bias, self.rank, self.alpha, dtype, random)

        return Bert(base.weights, make, dtype)


class Tuned(Struct, frozen=True):
    """A tuned encoder: as it learned, as the content of an ONNX file, and as it will serve."""

    bert: Bert
    graph: bytes
    encoder: MiniLM


class Taught(Struct, frozen=True):
    """A tuned encoder, the head on it, and figures on rows that tuned nothing."""

    tuned: Tuned
    head: Head
    method: str
    report: dict[str, float]


class Teacher(Struct, frozen=True):
    """How encoders are tuned: the weights to begin with, what learns of them, and how."""

    base: Base
    shape: Shape
    plan: Plan

    def teach(self, examples: Examples, judge: Examples | None, progress: Progress) -> Taught:
        """Tune on the examples. The epoch is chosen on one half of `judge`, the rest on the other half; or
        else the rest in a rehearsal, and all epochs are gone through.

        Raises SettingsError when there is no `judge` and no label has two rows.
        """
        if judge is not None:
            ends, tells = parted(judge)
            tuned = self.tuned(examples, telling(progress, self._steps(examples)), ends)
            found = judged(tuned.encoder, examples, tells)
        else:
            rest, judge = apart(examples, self.plan.seed)
            told = telling(progress, self._steps(rest) + self._steps(examples))
            found = judged(self.tuned(rest, told).encoder, rest, judge)
            tuned = self.tuned(examples, told)
        head = on_top(tuned.encoder, examples, found)
        sizes = {"rows": len(examples.ids), "labels": len(examples.labels), "parameters": tuned.bert.size}
        report = {**found.report, **{name: float(size) for name, size in sizes.items()}}
        return Taught(tuned, head, found.method, report)

    def tuned(self, examples: Examples, told: Told, judge: Examples | None = None) -> Tuned:
        """One run."""
        bert = self.shape.bert(self.base, self.plan.seed)
        tune(bert, examples, self.plan, told, judge)
        graph = graph_of(bert.merged, self.base.tokenizer)
        return Tuned(bert, graph, encoder_of(graph))

    def _steps(self, examples: Examples) -> int:
        return self.plan.steps(len(examples.ids))


def telling(progress: Progress, steps: int) -> Told:
    """Takes the loss of each of so many steps, and tells `progress` of every tenth and the last."""
    losses: list[float] = []

    def told(loss: float) -> None:
        losses.append(loss)
        if len(losses) % TELL == 0 or len(losses) == steps:
            recent = losses[-TELL:]
            progress({"step": len(losses), "steps": steps, "loss": sum(recent) / len(recent)})

    return told
