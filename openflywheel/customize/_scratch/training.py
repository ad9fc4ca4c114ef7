"""The training loop: AdamW, a cosine with warmup, and the weights that were best on rows that end it."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from msgspec import Struct
from torch.nn.functional import cross_entropy, dropout

from openflywheel.base.errors import SettingsError
from openflywheel.customize._scratch.batches import Batch, batch, epoch
from openflywheel.customize._scratch.vocabulary import LABELS
from openflywheel.customize._tuning.chats import Example
from openflywheel.customize._tuning.tuning import Progress

WARMUP, LAST = 0.06, 0.01  # share of the run in which the rate rises; the rate at its end, as a share
THINNED, SMOOTHING = 0.15, 0.1  # where answers are labels: of the prompts' words, of the targets
HEARD = 0.25  # of the prompts' tokens teach at each step: reading them all costs a third of the time
BETAS, DECAY, CLIP = (0.9, 0.98), 0.05, 1.0
ROUNDS, PATIENCE = (
    10,
    3,
)  # looks at the rows that end a run; so many in a row without a better one end the run
TOLD = 50  # times a run that progress is told


class Course(Struct, frozen=True):
    """How to train. `seconds` of CPU time: when they are spent, the rate has fallen and the run ends.

    `language` is the weight of the loss on the prompts' own tokens beside that on the answers. `held` says
    that answers are labels, to be learned as a choice among these, with words missing and smoothed targets.
    """

    epochs: int
    rate: float
    batch: int
    seconds: float
    dropout: float
    language: float
    seed: int
    held: bool


class Trained(Struct, frozen=True):
    """What a run came to: mean -log p of a token of judging rows' answers, in nats, and how long it took."""

    loss: float
    steps: int
    tokens: int


class Run:
    """One run over a model, which it changes in place.

    The first `special` tokens are no words: they structure chats, and from `LABELS` on they stand for labels.
    """

    def __init__(self, model: Any, course: Course, special: int, progress: Progress) -> None:
        self._model, self._course, self._special, self._progress = model, course, special, progress
        self._optimizer = _optimizer(model, course.rate)
        self._begin, self._steps, self._tokens = time.process_time(), 0, 0
        self._best = self._latest = math.inf
        self._share = 0.0  # of the run, by steps or by CPU-seconds, whichever are over sooner
        self._since, self._weights = 0, dict[str, torch.Tensor]()
        self._weighs = 1.0  # a token of an answer on average, so that a rate is good for any weights

    def train(
        self, examples: Sequence[Example], judging: Sequence[Example], ending: Sequence[Example] = ()
    ) -> Trained:
        """Train until the epochs or the seconds are over, or `ending` stops improving; keep its best weights.

        Without `ending` the last weights are kept. `judging` chooses nothing: its loss is that of new rows.
        Raises SettingsError when a loss, of a step or of either, is no finite number.
        """
        random = np.random.default_rng(self._course.seed)
        answered = sum(len(e.answer) for e in examples)
        self._weighs = sum(len(e.answer) * e.weight for e in examples) / answered
        whole = self._course.epochs * math.ceil(len(examples) / self._course.batch)
        look, thinned = max(1, whole // ROUNDS), THINNED * self._course.held
        handles = _dropping(self._model, self._course.dropout)
        while not self._over:
            for each in epoch(examples, self._course.batch, random, thinned, self._special):
                loss = self._step(each, whole)
                if self._steps % look == 0 or self._share >= 1:
                    self._look(ending, judging)
                if self._steps % max(1, whole // TOLD) == 0 or self._over:
                    self._tell(loss, whole)
                if self._over:
                    break
        for handle in handles:
            handle.remove()
        if self._weights:
            self._model.load_state_dict(self._weights)
        return Trained(self._finite(self.judged(judging), "validation loss"), self._steps, self._tokens)

    @property
    def _over(self) -> bool:
        return self._share >= 1 or self._since >= PATIENCE

    def _step(self, each: Batch, whole: int) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self._course.rate * _schedule(self._share)
        self._model.train()
        loss = self._loss(each.to(self._model.device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._steps, self._tokens = self._steps + 1, self._tokens + each.ids.numel()
        spent = time.process_time() - self._begin
        self._share = min(1.0, max(self._steps / whole, spent / self._course.seconds))
        return self._finite(float(loss.detach()), "loss")

    def _finite(self, loss: float, name: str) -> float:
        if math.isfinite(loss):
            return loss
        rate = self._course.rate
        raise SettingsError(
            f"training diverged: at step {self._steps} the {name} is {loss} with rate = {rate:g};"
            f" take a tenth of it, rate = {rate / 10:g}"
        )

    def _loss(self, each: Batch) -> torch.Tensor:
        """Of the answers, held to the choices, and of the prompts with the weight `language`."""
        hidden = self._model.model(input_ids=each.ids, use_cache=False).last_hidden_state[:, :-1]
        weights = (each.weights / self._weighs)[:, None].expand(each.answers.shape)
        answer = _mean(self._answers(hidden, each, SMOOTHING * self._course.held), weights[each.answers])
        if not self._course.language:
            return answer
        heard = each.prompts & (torch.rand(each.prompts.shape, device=each.ids.device) < HEARD)
        said = cross_entropy(self._model.lm_head(hidden[heard]), each.ids[:, 1:][heard], reduction="none")
        return answer + self._course.language * _mean(said, weights[heard])

    def _answers(self, hidden: torch.Tensor, each: Batch, smoothing: float = 0.0) -> torch.Tensor:
        """-log p of each token of the answers."""
        seen, right, head = hidden[each.answers], each.ids[:, 1:][each.answers], self._model.lm_head.weight
        if self._course.held:
            head, right = head[LABELS : self._special], right - LABELS
        return cross_entropy(seen @ head.T, right, reduction="none", label_smoothing=smoothing)

    def _look(self, ending: Sequence[Example], judging: Sequence[Example]) -> None:
        """Tell how the weights do on rows that did not teach, and remember those that `ending` finds best."""
        self._latest = self._finite(self.judged(ending or judging), "validation loss")
        self._since += bool(ending)
        if ending and self._latest < self._best:
            self._best, self._since = self._latest, 0
            self._weights = {name: t.detach().clone() for name, t in self._model.state_dict().items()}

    def _tell(self, loss: float, whole: int) -> None:
        said = {"step": self._steps, "steps": whole, "loss": loss}
        if self._latest < math.inf:
            said["validation_loss"] = self._latest
        self._progress({name: float(value) for name, value in said.items()})

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def judged(self, examples: Sequence[Example]) -> float:
        """Mean -log p of a token of the answers, in nats."""
        self._model.eval()
        order, found = sorted(examples, key=lambda e: len(e.tokens)), list[torch.Tensor]()
        for i in range(0, len(order), self._course.batch):
            each = batch(order[i : i + self._course.batch]).to(self._model.device)
            hidden = self._model.model(input_ids=each.ids, use_cache=False).last_hidden_state[:, :-1]
            found.append(self._answers(hidden, each))
        return float(torch.cat(found).mean())


def _mean(losses: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """By their number, not by their weights: those of a batch may all be small, and it may have none."""
    return (losses * weights).sum() / max(1, losses.numel())


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block torch works in one thread: with matrices so small, a second one mostly waits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _schedule(share: float) -> float:
    """A linear rise, then a cosine to almost nothing (Loshchilov & Hutter 2017, arXiv 1608.03983)."""
    if share < WARMUP:
        return LAST + (1 - LAST) * share / WARMUP
    return LAST + (1 - LAST) * (1 + math.cos(math.pi * (share - WARMUP) / (1 - WARMUP))) / 2


def _optimizer(model: Any, rate: float) -> torch.optim.AdamW:
    """Weights decay, norms don't (Loshchilov & Hutter 2019, arXiv 1711.05101)."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    norms = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=BETAS, fused=True)


def _dropping(model: Any, share: float) -> list[Any]:
    """Dropout on embeddings and on what each block adds, which these models have not of their own."""

    def drop(module: Any, _: Any, out: torch.Tensor) -> torch.Tensor:
        return dropout(out, share, module.training)

    blocks = [part for layer in model.model.layers for part in (layer.self_attn.o_proj, layer.mlp.down_proj)]
    return [part.register_forward_hook(drop) for part in (model.model.embed_tokens, *blocks)]
