"""Runs on real weights, small ones: a dozen texts, a few steps."""

import numpy as np
import pytest
import torch

from openflywheel.customize._encoder.examples import Examples
from openflywheel.customize._encoder.teaching import Shape
from openflywheel.customize._encoder.tuning import Best, Learner, Plan, centroid_of, tune

TEXTS = {
    "fee": ["why the fee", "a fee again", "what is this charge", "charged twice"],
    "late": ["where is it", "not here yet", "still waiting", "it is late"],
}
PLAN = Plan("classify", 3, 2e-3, 4, 0)
SHAPE = Shape(4, 8.0)


@pytest.fixture(scope="module")
def examples(base):
    texts = [text for group in TEXTS.values() for text in group]
    right = np.repeat(np.arange(2), 4)
    return Examples(texts, base.tokens(texts), right, np.ones(8, np.float32), tuple(TEXTS), texts)


def apartness(bert, examples):
    """How much nearer texts lie to those of their own class than to the others."""
    vectors = bert.encode(examples.ids)
    alike = examples.right[:, None] == examples.right[None]
    cosines = vectors @ vectors.T
    return cosines[alike & ~np.eye(8, dtype=bool)].mean() - cosines[~alike].mean()


@pytest.mark.parametrize(
    ("loss", "shape"), [("classify", SHAPE), ("contrast", SHAPE), ("classify", Shape(0, 0.0))]
)
def test_tuning_draws_classes_apart(base, examples, loss, shape):
    bert, losses = shape.bert(base, 0), []
    before, plan = apartness(bert, examples), Plan(loss, 4, 2e-3 if shape.rank else 1e-4, 8, 0)
    tune(bert, examples, plan, losses.append)
    assert len(losses) == plan.steps(8) == 4
    assert losses[-1] < losses[0]
    assert apartness(bert, examples) > before + 0.03


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(base, examples):
    def run(seed):
        bert = SHAPE.bert(base, seed)
        tune(bert, examples, Plan("classify", 1, 2e-3, 4, seed), lambda loss: None)
        return torch.cat([value.detach().flatten() for value in bert.learned.values()])

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_steps_count_the_last_short_batch_too():
    assert Plan("classify", 3, 1e-3, 4, 0).steps(9) == 9
    assert Plan("classify", 2, 1e-3, 32, 0).steps(1) == 2


def test_the_rate_rises_falls_and_ends_at_nothing(base, examples):
    learner = Learner(SHAPE.bert(base, 0), examples, Plan("classify", 10, 2e-3, 4, 0), lambda loss: None)
    rates = [learner.rate_at(step) for step in range(20)]
    assert rates[:2] == pytest.approx([0.25, 0.75])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[2] == pytest.approx(17.5 / 18)
    assert rates[-1] == pytest.approx(0.5 / 18)


def test_the_best_epoch_comes_back_and_two_without_gain_end_the_run(base, examples):
    bert = SHAPE.bert(base, 0)
    best, good = Best(bert.learned, examples), centroid_of(bert.encode(examples.ids), examples)
    name = "encoder.layer.0.attention.self.query.lora_B"
    assert best.goes_on(bert, good[::-1])  # all wrong, and yet the best so far
    bert.learned[name].data.fill_(1e-3)
    assert best.goes_on(bert, good)
    for step, goes_on in enumerate((True, False)):
        bert.learned[name].data.fill_(2e-3 + step)
        assert best.goes_on(bert, good[::-1]) is goes_on
    best.restore()
    assert bert.learned[name].unique().tolist() == pytest.approx([1e-3])


def test_a_run_that_is_judged_ends_early_when_nothing_is_left_to_gain(base, examples):
    losses = []
    tune(SHAPE.bert(base, 0), examples, Plan("classify", 20, 2e-3, 4, 0), losses.append, examples)
    assert len(losses) < 20 * 2
