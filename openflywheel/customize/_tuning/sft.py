"""Supervised fine-tuning by TRL: only the answers' tokens count, each by its row's weight."""

from typing import Any

import torch
from datasets import Dataset, concatenate_datasets
from trl import SFTConfig, SFTTrainer, pack_dataset
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling
from trl.trainer.utils import pad

from openflywheel.customize._tuning.chats import Example
from openflywheel.customize._tuning.checkpoint import Opened
from openflywheel.customize._tuning.running import Plan, low_rank

IGNORED = -100  # a label that no loss is counted for


def build(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """The trainer of a plan whose rows are `Example`s: LoRA on all linear layers."""
    return trainer(plan, base, arguments, low_rank(plan.tuning))


def trainer(plan: Plan, base: Opened, arguments: dict[str, Any], adapter: Any) -> Any:
    """The same for an adapter of peft, or for those parameters of the model that learn by themselves."""
    settings = SFTConfig(
        **arguments,
        max_length=plan.tuning.most_tokens,
        packing=plan.tuning.packing,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
    )
    made = Weighted(
        model=base.model,
        args=settings,
        train_dataset=dataset(plan.rows, plan.tuning),
        eval_dataset=_even(dataset(plan.validation, plan.tuning), settings) if plan.validation else None,
        processing_class=base.tokenizer,
        peft_config=adapter,
    )
    plain = made.data_collator
    made.data_collator = Weighing(pad_token_id=plain.pad_token_id, padding_free=plain.padding_free)
    return made


def dataset(examples: tuple[Example, ...], tuning: Any) -> Any:
    """Tokens, which of them count, and how much; with `packing` several examples in a row, by best fit."""
    columns = {
        "input_ids": [e.tokens for e in examples],
        "labels": [[IGNORED] * e.start + e.answer for e in examples],
        "weights": [[w] * len(e.tokens) for e, w in zip(examples, _scaled(examples), strict=True)],
    }
    made = Dataset.from_dict(columns)
    return pack_dataset(made, tuning.most_tokens) if tuning.packing else made


def _even(judged: Any, settings: Any) -> Any:
    """The same for several processes, which judge as many rows each: further ones in which nothing counts.

    Else some rows would be judged twice.
    """
    lacking = -len(judged) % (settings.per_device_eval_batch_size * settings.world_size)
    if settings.world_size == 1 or not lacking:
        return judged
    last = judged[-1]
    empty = {**last, "labels": [IGNORED] * len(last["labels"])}
    return concatenate_datasets([judged, Dataset.from_list([empty] * lacking, features=judged.features)])


def _scaled(examples: tuple[Example, ...]) -> list[float]:
    """The weights, so that a token of an answer weighs 1 on average: then a rate is good for any weights."""
    counted = sum(len(e.answer) for e in examples)
    total = sum(len(e.answer) * e.weight for e in examples)
    return [e.weight * counted / total for e in examples]


class Weighing(DataCollatorForLanguageModeling):  # type: ignore[misc]  # TRL is not followed
    """TRL's batches, with the weight of each token."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = super().torch_call(examples)
        weights = [torch.tensor(example["weights"]) for example in examples]
        flat = self.padding_free
        batch["weights"] = torch.cat(weights)[None] if flat else pad(weights, padding_value=0.0)
        return batch


class Weighted(SFTTrainer):  # type: ignore[misc]  # TRL is not followed
    """TRL's trainer with weighted tokens; validation is the plain mean loss of a token, exactly."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """The artefact gets a card of its own."""

    def compute_loss(self, model: Any, inputs: Any, *_: Any, num_items_in_batch: Any = None) -> Any:
        """Sum of weight x -log p over the answers' tokens, by how many there are.

        A mixture of experts adds what its routers' imbalance costs, as TRL's own loss does.
        """
        weights = inputs.pop("weights")[:, 1:]
        outputs = model(**inputs, use_cache=False, fused_lm_head=True)
        counted = outputs.label_mask.sum() if num_items_in_batch is None else num_items_in_batch
        loss = -(outputs.log_probs * weights).sum() / counted
        if num_items_in_batch is not None:  # of all processes, whose gradients are averaged
            loss = loss * self.accelerator.num_processes
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss / self.args.gradient_accumulation_steps
        return loss

    def evaluate(self, eval_dataset: Any = None, **_: Any) -> Any:
        """The mean -log p of a token of an answer, in nats, every token counted the same."""
        metrics = {"eval_loss": self._mean(self.get_eval_dataloader(eval_dataset))}
        self.log(dict(metrics))
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _mean(self, batches: Any) -> float:
        total = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        self.model.eval()
        with torch.no_grad():
            for batch in batches:
                inputs = self._prepare_inputs({k: v for k, v in batch.items() if k != "weights"})
                with self.compute_loss_context_manager():
                    outputs = self.model(**inputs, use_cache=False, fused_lm_head=True)
                total += torch.stack([-outputs.log_probs.double().sum(), outputs.label_mask.sum()])
        self.model.train()
        summed = self.accelerator.reduce(total)
        return float(summed[0] / summed[1])
