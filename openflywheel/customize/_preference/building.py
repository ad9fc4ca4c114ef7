"""The trainer of a plan: its data, the adapter that learns, its settings."""

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from trl import DPOConfig, KTOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from openflywheel.customize._preference.learning import Pairwise, Unpaired, WithoutReference
from openflywheel.customize._preference.tokens import Choice
from openflywheel.customize._tuning.checkpoint import Opened
from openflywheel.customize._tuning.running import Plan, low_rank

START = "start"  # of a plan's arguments the one that is ours: the folder of an adapter that goes on learning


def dpo(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """Learns from pairs beside a reference: the model as it was at the start."""
    return Pairwise(
        **_learner(plan, base, arguments), **_pairs(plan, base), args=_config(DPOConfig, arguments)
    )


def orpo(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """Learns from pairs without a reference."""
    given = _learner(plan, base, arguments)
    return WithoutReference(**given, **_pairs(plan, base), args=_config(DPOConfig, arguments))


def kto(plan: Plan, base: Opened, arguments: dict[str, Any]) -> Any:
    """Learns from thumbs beside a reference: the model as it was at the start."""
    trainer = Unpaired(
        **_learner(plan, base, arguments), **_thumbs(plan, base), args=_config(KTOConfig, arguments)
    )
    # TRL wants every epoch in the same order, for it pairs answers with other prompts beforehand. Rolled does
    # so within each batch, so the order may change.
    trainer.args.train_sampling_strategy = "random"
    return trainer


def _learner(plan: Plan, base: Opened, arguments: dict[str, Any]) -> dict[str, Any]:
    """A fresh adapter, or one that goes on learning: of that TRL keeps a copy as the reference."""
    if START not in arguments:
        return {"model": base.model, "peft_config": low_rank(plan.tuning), "processing_class": base.tokenizer}
    model = PeftModel.from_pretrained(base.model, arguments[START], is_trainable=True)
    model.peft_config["default"].base_model_name_or_path = plan.base.place  # where peft looks when it saves
    return {"model": model, "processing_class": base.tokenizer}


def _config(kind: Any, arguments: dict[str, Any]) -> Any:
    theirs = {name: value for name, value in arguments.items() if name != START}
    return kind(**theirs, max_length=None, remove_unused_columns=False)


def _pairs(plan: Plan, base: Opened) -> dict[str, Any]:
    def table(choices: Sequence[Choice]) -> Any:
        return Dataset.from_dict({
            "prompt_ids": [choice.prompt for choice in choices],
            "chosen_ids": [choice.better for choice in choices],
            "rejected_ids": [choice.worse for choice in choices],
            "weights": [choice.weight for choice in choices],
        })  # fmt: skip

    return _data(plan, table, Paired(base.tokenizer.pad_token_id))


def _thumbs(plan: Plan, base: Opened) -> dict[str, Any]:
    def table(choices: Sequence[Choice]) -> Any:
        return Dataset.from_dict({
            "prompt_ids": [choice.prompt for choice in choices],
            "completion_ids": [choice.better or choice.worse for choice in choices],
            "label": [bool(choice.better) for choice in choices],
            "weights": [choice.weight for choice in choices],
        })  # fmt: skip

    return _data(plan, table, Rolled(base.tokenizer.pad_token_id))


def _data(plan: Plan, table: Any, collator: Any) -> dict[str, Any]:
    judging = table(plan.validation) if plan.validation else None
    return {"train_dataset": table(plan.rows), "eval_dataset": judging, "data_collator": collator}


class Paired(DataCollatorForPreference):  # type: ignore[misc]  # TRL is not followed
    """TRL's batches of pairs, with their weights."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        weights = torch.tensor([example["weights"] for example in examples])
        return {**super().torch_call(examples), "weights": weights}


class Rolled(DataCollatorForUnpairedPreference):  # type: ignore[misc]  # TRL is not followed
    """TRL's batches of thumbs, with their weights, and beside each prompt the answer to the one before it."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        answers = [example["completion_ids"] for example in examples]
        rolled = [
            {**example, "KL_completion_ids": answer}
            for example, answer in zip(examples, answers[-1:] + answers[:-1], strict=True)
        ]
        weights = torch.tensor([example["weights"] for example in examples])
        return {**super().torch_call(rolled), "weights": weights}


BUILDS = {"dpo": dpo, "kto": kto, "orpo": orpo}
