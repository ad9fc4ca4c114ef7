import pickle
import random
import stat

import numpy as np
import pytest
import torch
from lessons import ANSWERS, TASK, able, rows
from msgspec.structs import replace
from safetensors.torch import load_file

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.template import Template
from openflywheel.customize._tuning import chats, checkpoint, running, sft


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("running")
    able(folder / "base")
    return checkpoint.found("base", folder)


@pytest.fixture
def plan(base, tmp_path):
    template = Template(checkpoint.tokenizer(base))
    found = chats.examples(rows(ANSWERS, range(4)), TASK, template, 64).kept
    tuning = running.Tuning(rank=4, rate=2e-2, batch=4, steps=20, most_tokens=64)
    return running.Plan(
        build=sft.build,
        base=base,
        tuning=tuning,
        rows=found,
        validation=found[:3],
        workspace=tmp_path / "work",
    )


def test_a_plan_can_begin_in_another_process(plan):
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan
    assert again.folder == plan.folder


@pytest.mark.parametrize(
    "other",
    [
        {"tuning": running.Tuning(rank=5)},
        {"rows": ()},
        {"validation": ()},
        {"arguments": {"weight_decay": 0.1}},
        {"base": checkpoint.Checkpoint("base", "base", "other weights")},
    ],
)
def test_a_run_is_named_by_all_that_decides_how_it_ends(plan, other):
    assert replace(plan, **other).folder != plan.folder


def test_a_run_is_the_same_wherever_its_base_lies(plan):
    moved = replace(plan.base, name="elsewhere", place="/elsewhere")
    assert replace(plan, base=moved).folder == plan.folder


def test_a_run_learns_tells_and_leaves_the_best_state(plan):
    told = []
    result = running.run(plan, told.append)
    assert [facts["step"] for facts in told] == list(range(1, 21))
    assert {facts["steps"] for facts in told} == {20.0}
    assert told[-1]["loss"] < 0.5 * told[0]["loss"]
    figures = result.figures
    assert figures["loss"] == told[-1]["loss"]
    assert figures["validation_loss"] < 0.5 * told[0]["loss"]
    weights = load_file(plan.adapter / "adapter_model.safetensors")
    assert figures["trained"] == sum(tensor.numel() for tensor in weights.values())
    assert 0 < figures["share"] < 0.1
    assert result.seconds > 0
    assert stat.S_IMODE(plan.folder.stat().st_mode) == 0o700
    assert not [
        path.name for path in plan.folder.rglob("*") if path.suffix in (".bin", ".pt", ".pth", ".pkl")
    ]
    assert running.run(plan, told.append) == result  # it had ended: nothing is done again
    assert len(told) == 20


def test_it_stops_when_validation_gets_no_better(plan):
    wrong = tuple(replace(e, tokens=[*e.tokens[: e.start], *reversed(e.answer)]) for e in plan.validation)
    tuning = replace(plan.tuning, patience=2, steps=60)
    result = running.run(replace(plan, validation=wrong, tuning=tuning), lambda facts: None)
    assert result.figures["steps"] < 60
    assert result.figures["steps"] % 6 == 0  # it is judged ten times a run


def test_without_validation_it_runs_to_its_end(plan):
    result = running.run(
        replace(plan, validation=(), tuning=replace(plan.tuning, steps=3)), lambda facts: None
    )
    assert result.figures["steps"] == 3
    assert "validation_loss" not in result.figures


def test_epochs_count_where_no_steps_are_given(plan):
    tuning = replace(plan.tuning, steps=0, epochs=2.0, accumulate=2)
    result = running.run(replace(plan, validation=(), tuning=tuning), lambda facts: None)
    assert result.figures["steps"] == 2 * len(plan.rows) / tuning.batch


def test_activations_that_are_computed_again_change_nothing(plan):
    short = replace(plan, validation=(), tuning=replace(plan.tuning, steps=3))
    kept = running.run(short, lambda facts: None).figures
    again = replace(short, tuning=replace(short.tuning, checkpointing=True))
    assert running.run(again, lambda facts: None).figures["loss"] == pytest.approx(kept["loss"], rel=1e-6)


def test_more_arguments_reach_the_trainer(plan):
    arguments = running.arguments(replace(plan, arguments={"weight_decay": 0.1, "save_strategy": "no"}))
    assert (arguments["weight_decay"], arguments["save_strategy"]) == (0.1, "no")
    assert "eval_strategy" not in running.arguments(replace(plan, validation=()))


def test_a_batch_is_shared_out_evenly(plan, monkeypatch):
    four = replace(plan, tuning=replace(plan.tuning, batch=12, accumulate=3))
    assert running.arguments(four)["per_device_train_batch_size"] == 4
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert running.arguments(four)["per_device_train_batch_size"] == 2
    monkeypatch.setenv("WORLD_SIZE", "5")
    with pytest.raises(SettingsError, match="batch = 12 .*15 parts .*multiple of 15"):
        running.arguments(four)


def test_a_run_leaves_the_generators_of_others_alone():
    def drawn():
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    expected = drawn()
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    with running.own_chance():
        running.transformers.set_seed(0)
    assert drawn() == expected


def test_alpha_is_twice_the_rank_unless_it_is_given():
    assert running.low_rank(running.Tuning(rank=8)).lora_alpha == 16
    assert running.low_rank(running.Tuning(rank=8, alpha=4)).lora_alpha == 4
    assert running.low_rank(running.Tuning(), target_modules=["q_proj"]).target_modules == {"q_proj"}


def test_a_half_written_checkpoint_is_passed_over(plan):
    plan = replace(plan, tuning=replace(plan.tuning, steps=2))
    half = plan.folder / "checkpoint-77"
    half.mkdir(parents=True)
    (half / "adapter_model.safetensors").write_bytes(b"half of it")
    result = running.run(plan, lambda facts: None)
    assert result.figures["steps"] == 2
    assert not half.exists()
