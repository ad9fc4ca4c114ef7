from pathlib import Path

import pytest
import torch
from lessons import able

from openflywheel.customize._tuning import checkpoint, running, sft
from openflywheel.customize._tuning.chats import Example
from openflywheel.customize._tuning.telling import quiet

EXAMPLES = (Example([5, 6, 7, 8], 2, 1.0), Example([9, 8, 7, 6, 5, 1], 3, 4.0), Example([7, 7, 1], 2, 1.0))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sft")
    able(folder / "base")
    return checkpoint.found("base", folder)


def trainer(base, rows=EXAMPLES, **settings):
    tuning = running.Tuning(batch=4, most_tokens=16, **settings)
    work = Path(base.place).parent / "work"
    plan = running.Plan(build=sft.build, base=base, tuning=tuning, rows=rows, validation=rows, workspace=work)
    with quiet():
        return sft.build(plan, checkpoint.opened(base), running.arguments(plan))


def answers_loss(base, examples, weights):
    """The weighted mean, token by token, by the model's plain logits."""
    model = checkpoint.opened(base).model
    total = counted = 0.0
    for example, weight in zip(examples, weights, strict=True):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([example.tokens])).logits[0].log_softmax(-1)
        for place in range(example.start, len(example.tokens)):
            total -= weight * float(logits[place - 1, example.tokens[place]])
            counted += 1
    return total / counted


def batch_of(made):
    return made.data_collator([made.train_dataset[i] for i in range(len(made.train_dataset))])


def test_only_answers_are_labels_and_weights_are_one_on_average():
    made = sft.dataset(EXAMPLES, running.Tuning())
    assert made["labels"][:] == [[-100, -100, 7, 8], [-100, -100, -100, 6, 5, 1], [-100, -100, 1]]
    counted = [
        w
        for weights, labels in zip(made["weights"], made["labels"], strict=True)
        for w, t in zip(weights, labels, strict=True)
        if t != -100
    ]
    assert sum(counted) / len(counted) == pytest.approx(1)
    assert made["weights"][1][0] == pytest.approx(4 * made["weights"][0][0])


def test_the_loss_is_each_answers_by_its_weight(base):
    made = trainer(base)
    scaled = [weights[0] for weights in made.train_dataset["weights"]]
    loss = made.compute_loss(made.model, batch_of(made))
    assert float(loss.detach()) == pytest.approx(answers_loss(base, EXAMPLES, scaled), rel=1e-5)


def test_the_loss_of_parts_of_a_batch_adds_up(base):
    made = trainer(base)
    whole = made.compute_loss(made.model, batch_of(made), num_items_in_batch=torch.tensor(6))
    parts = [
        made.compute_loss(made.model, made.data_collator([row]), num_items_in_batch=torch.tensor(6))
        for row in made.train_dataset
    ]
    assert float(sum(parts).detach()) == pytest.approx(float(whole.detach()), rel=1e-5)


def test_packed_examples_dont_see_each_other(base):
    packed, plain = trainer(base, packing=True), trainer(base)
    assert len(packed.train_dataset) == 1
    assert sorted(packed.train_dataset["seq_lengths"][0]) == [3, 4, 6]
    batch = batch_of(packed)
    assert batch["input_ids"].shape == batch["weights"].shape == (1, 13)
    assert "attention_mask" not in batch
    loss, apart = (made.compute_loss(made.model, batch_of(made)) for made in (packed, plain))
    assert float(loss.detach()) == pytest.approx(float(apart.detach()), rel=1e-5)


def test_validation_is_the_plain_mean_of_a_token(base):
    made = trainer(base)
    assert made.evaluate()["eval_loss"] == pytest.approx(answers_loss(base, EXAMPLES, [1.0] * 3), rel=1e-5)


def test_all_linear_layers_but_the_output_learn(base):
    made = trainer(base, rank=2)
    learning = {name.split(".")[-4] for name, p in made.model.named_parameters() if p.requires_grad}
    assert learning == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    config = made.model.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout) == (2, 4, 0)


class Shared:
    """Settings of several processes."""

    def __init__(self, world_size, at_once):
        self.world_size, self.per_device_eval_batch_size = world_size, at_once


def test_processes_judge_as_many_rows_each_and_none_counts_twice():
    rows = sft.dataset(EXAMPLES, running.Tuning())
    evened = sft._even(rows, Shared(2, 2))
    assert len(evened) == 4
    assert evened.select(range(3)).to_list() == rows.to_list()
    assert evened[3]["labels"] == [sft.IGNORED] * len(evened[3]["input_ids"])
    for alone in (Shared(1, 2), Shared(3, 1)):
        assert sft._even(rows, alone) is rows
