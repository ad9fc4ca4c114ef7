import pytest
import torch

from openflywheel.customize._tuning.figures import Timing, figures, summed


class Accelerator:
    """That of one process."""

    def reduce(self, tensor):
        return tensor

    def unwrap_model(self, model):
        return model


class Trainer:
    """What figures are read from: twelve parameters, of which four learned."""

    accelerator = Accelerator()
    args = type("Args", (), {"device": torch.device("cpu")})

    def __init__(self, history):
        self.model = torch.nn.Sequential(torch.nn.Linear(4, 1, bias=False), torch.nn.Linear(2, 4, bias=False))
        self.model[1].requires_grad_(False)
        self.state = type("State", (), {"log_history": history, "global_step": 7})


def test_the_first_step_is_not_timed():
    timing, moments = Timing(), iter([10.0, 12.0, 16.0])
    timing.clock = lambda: next(moments)
    assert timing.step == 0.0
    timing.on_step_end()
    assert timing.step == 0.0
    timing.on_step_end()
    timing.on_step_end()
    assert timing.step == 3.0


def test_a_cpu_is_timed_by_what_it_worked(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cpu = Timing().clock
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Timing().clock is not cpu


def test_figures_are_the_last_loss_and_the_best_judgement():
    history = [
        {"loss": 3.0},
        {"eval_loss": 2.0, "eval_reward_accuracy": 0.7},
        {"loss": 1.0},
        {"eval_loss": 2.5, "eval_reward_accuracy": 0.9},
    ]
    assert figures(Trainer(history)) == pytest.approx({
        "loss": 1.0, "steps": 7.0, "trained": 4.0, "share": 1 / 3,
        "validation_loss": 2.0, "validation_reward_accuracy": 0.7,
    })  # fmt: skip


def test_without_judgements_there_are_none():
    assert set(figures(Trainer([{"loss": 1.0}]))) == {"loss", "steps", "trained", "share"}


def test_of_one_process_the_sum_is_its_own():
    assert summed(Trainer([]), 1.5, 1e9 + 0.25) == [1.5, 1e9 + 0.25]
