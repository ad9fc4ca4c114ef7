"""Trainers of TRL whose losses heed weights: DPO and ORPO on pairs, KTO on thumbs.

TRL's own losses know no weight of an example. Each loss here is the published one, times the weight: that is
exact, while drawing rows by their weights would only be so on average, and would read some of them twice.
"""

from typing import Any

import torch
from torch.nn.functional import logsigmoid
from trl import DPOTrainer, KTOTrainer

from openflywheel.customize._preference.judging import judged

IGNORED = -100  # a label that no loss is counted for
BATCH = ("input_ids", "attention_mask", "completion_mask")


class Heeding:
    """What the trainers share. Each has `rewards(model, inputs)`, which gives rewards (n, 2) and losses (n).

    The rewards are those of a better and a worse answer; of a single thumb one of them is NaN.
    """

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """The artefact gets a card of its own."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        """Prompts and answers are tokens already, written by the Template that asks the model later on."""
        return dataset

    def compute_loss(self: Any, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        """The mean of weight x loss; the share of this batch that is right goes to the log."""
        weights = inputs.pop("weights")
        rewards, losses = self.rewards(model, inputs)
        said = judged(self._gathered(rewards.detach()).numpy())
        if "reward_accuracy" in said:
            self._metrics["train"]["reward_accuracy"].append(said["reward_accuracy"])
        return (weights * losses).mean()

    def evaluate(self: Any, eval_dataset: Any = None, **_: Any) -> Any:
        """The mean of weight x loss, and how well rewards tell what people like, over all examples."""
        self.model.eval()
        found = [self._judged(batch) for batch in self.get_eval_dataloader(eval_dataset)]
        rewards, losses = (torch.cat(parts) for parts in zip(*found, strict=True))
        said = {"loss": float(losses.mean()), **judged(rewards.numpy())}
        metrics = {f"eval_{name}": value for name, value in said.items()}
        self.log(dict(metrics))
        self.model.train()
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _judged(self: Any, batch: Any) -> tuple[Any, Any]:
        inputs = self._prepare_inputs(batch)
        weights = inputs.pop("weights")
        with torch.no_grad(), self.compute_loss_context_manager():
            rewards, losses = self.rewards(self.model, inputs)
        return self._gathered(rewards), self._gathered(weights * losses)

    def _gathered(self: Any, numbers: Any) -> Any:
        """Of all processes."""
        return self.accelerator.gather_for_metrics(numbers.double()).cpu()


class Pairwise(Heeding, DPOTrainer):  # type: ignore[misc]  # TRL is not followed
    """DPO (Rafailov et al. 2023, arXiv 2305.18290, equation 7)."""

    def rewards(self, model: Any, inputs: Any) -> tuple[Any, Any]:
        """Beta x the log ratio to the reference; -log sigmoid of the margin."""
        reference = torch.stack(self.compute_ref_log_probs(model, inputs), 1)
        ratios = log_probs(model, *(inputs[name] for name in BATCH)).view(2, -1).T - reference
        rewards = self.beta * ratios
        return rewards, -logsigmoid(rewards[:, 0] - rewards[:, 1])


class WithoutReference(Pairwise):
    """ORPO (Hong et al. 2024, arXiv 2403.07691, equation 6)."""

    def rewards(self, model: Any, inputs: Any) -> tuple[Any, Any]:
        """Log-odds by the geometric mean of an answer's tokens; -log p a token of the better one, and beta x
        -log sigmoid of their difference.
        """
        lengths = inputs["completion_mask"].sum(1).view(2, -1).T
        means = log_probs(model, *(inputs[name] for name in BATCH)).view(2, -1).T / lengths
        odds = means - torch.log1p(-means.exp().clamp(max=1 - 1e-6))
        return odds, -means[:, 0] - self.beta * logsigmoid(odds[:, 0] - odds[:, 1])


class Unpaired(Heeding, KTOTrainer):  # type: ignore[misc]  # TRL is not followed
    """KTO (Ethayarajh et al. 2024, arXiv 2402.01306, equation 7)."""

    def rewards(self, model: Any, inputs: Any) -> tuple[Any, Any]:
        """Beta x the log ratio; 1 - sigmoid of how far it is on the right side of the batch's KL divergence.

        The divergence is estimated by answers to other prompts of the same batch; no gradient goes there.
        """
        reference, aside_reference = self.compute_ref_log_probs(model, inputs)
        with torch.no_grad():
            aside = log_probs(model, *(inputs[f"KL_{name}"] for name in BATCH))
        divergence = self._gathered(aside - aside_reference).mean().clamp(min=0)
        ratios = log_probs(model, *(inputs[name] for name in BATCH)) - reference
        up = inputs["label"].bool()
        over = self.beta * (ratios - divergence.to(ratios))
        nothing = torch.full_like(ratios, torch.nan)
        rewards = self.beta * torch.stack([ratios.where(up, nothing), nothing.where(up, ratios)], 1)
        return rewards, torch.sigmoid(torch.where(up, -over, over))


def log_probs(model: Any, ids: Any, attention: Any, completion: Any) -> Any:
    """Of each answer, given its prompt: the sum over its tokens."""
    labels = ids.masked_fill(completion == 0, IGNORED)
    outputs = model(
        input_ids=ids, attention_mask=attention, labels=labels, use_cache=False, fused_lm_head=True
    )
    return outputs.log_probs.sum(1)
