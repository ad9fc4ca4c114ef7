import lessons
import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid
from trl import DPOTrainer, KTOTrainer

from openflywheel.customize._preference.building import BUILDS
from openflywheel.customize._preference.tokens import Choice
from openflywheel.customize._tuning import checkpoint
from openflywheel.customize._tuning.running import Plan, arguments
from openflywheel.customize._tuning.telling import quiet
from openflywheel.customize._tuning.tuning import Tuning

# TRL and peft use old names of transformers.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
BETA = 0.3
PAIRS = tuple(
    Choice([20, 30 + i], [40 + i, 50, 1], [60 - i, 1], weight)
    for i, weight in enumerate((0.5, 1.0, 2.0, 0.5))
)
THUMBS = tuple(
    Choice([20, 30 + i], [40 + i, 50, 1] if up else [], [] if up else [60 - i, 1], weight)
    for i, (up, weight) in enumerate(((True, 0.5), (False, 1.0), (True, 2.0), (False, 0.5)))
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    return checkpoint.found(str(lessons.able(folder / "base").name), folder), folder


def trainer(base, method, rows):
    """As a run makes it, with an adapter that has learned something already."""
    found, folder = base
    plan = Plan(
        build=BUILDS[method],
        base=found,
        tuning=Tuning(rank=4, batch=4, seed=1),
        rows=rows,
        validation=rows,
        arguments={"beta": BETA},
        workspace=folder,
    )
    with quiet():
        made = plan.build(plan, checkpoint.opened(found), arguments(plan))
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in made.model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    return made


def batch(made):
    return next(iter(made.get_eval_dataloader()))


def of_published(made, kind):
    """The loss of TRL itself, which knows no weights."""
    inputs = {name: value for name, value in batch(made).items() if name != "weights"}
    with torch.no_grad():
        return float(kind.compute_loss(made, made.model, inputs))


def ours(made, weights=None):
    inputs = dict(batch(made))
    if weights is not None:
        inputs["weights"] = torch.tensor(weights)
    with torch.no_grad():
        return float(made.compute_loss(made.model, inputs))


@pytest.mark.parametrize(
    ("method", "rows", "kind"), [("dpo", PAIRS, DPOTrainer), ("kto", THUMBS, KTOTrainer)]
)
def test_a_loss_is_the_published_one_times_the_weights(base, method, rows, kind):
    made = trainer(base, method, rows)
    alone = [ours(made, [4.0 * (i == k) for i in range(4)]) for k in range(4)]
    assert np.mean(alone) == pytest.approx(of_published(made, kind), abs=1e-6)
    assert len({round(loss, 5) for loss in alone}) == 4
    weights = [choice.weight for choice in rows]
    assert ours(made) == pytest.approx(np.dot(weights, alone) / 4, abs=1e-6)


def test_orpo_weighs_the_odds_ratio_beside_the_better_answer(base):
    made = trainer(base, "orpo", PAIRS)
    expected = [
        -good - BETA * float(logsigmoid(torch.tensor(odds(good) - odds(bad))))
        for good, bad in ((mean(made, c.prompt, c.better), mean(made, c.prompt, c.worse)) for c in PAIRS)
    ]
    assert ours(made, [1.0] * 4) == pytest.approx(np.mean(expected), abs=1e-5)


def mean(made, prompt, answer):
    """Mean log p of an answer's tokens, from plain logits."""
    with torch.no_grad():
        logits = made.model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0].log_softmax(-1)
    return float(logits[range(len(prompt) - 1, len(prompt) + len(answer) - 1), answer].mean())


def odds(log_p):
    return log_p - np.log1p(-np.exp(log_p))


def test_an_adapter_that_has_not_learned_is_its_own_reference(base):
    made = trainer(base, "dpo", PAIRS)
    for name, parameter in made.model.named_parameters():
        if "lora_B" in name:
            parameter.data.zero_()
    rewards, losses = made.rewards(made.model, {k: v for k, v in batch(made).items() if k != "weights"})
    assert torch.equal(rewards, torch.zeros(4, 2))
    assert losses.tolist() == pytest.approx([np.log(2)] * 4)


def test_evaluation_is_of_all_examples_and_heeds_weights(base):
    made = trainer(base, "dpo", PAIRS)
    said = made.evaluate()
    assert said["eval_loss"] == pytest.approx(ours(made), abs=1e-6)
    assert said["eval_judged"] == 4.0
    assert said["eval_reward_accuracy_low"] <= said["eval_reward_accuracy"]
    thumbs = trainer(base, "kto", THUMBS).evaluate()
    assert thumbs["eval_judged"] == 4.0
    assert 0 <= thumbs["eval_reward_accuracy"] <= 1


def test_thumbs_stand_beside_answers_to_other_prompts(base):
    found = batch(trainer(base, "kto", THUMBS))
    prompts, aside = found["input_ids"][:, :2].tolist(), found["KL_input_ids"][:, :2].tolist()
    assert prompts == aside == [[20, 30], [20, 31], [20, 32], [20, 33]]
    answers = found["input_ids"][:, 2].tolist()
    assert found["KL_input_ids"][:, 2].tolist() == [answers[-1], *answers[:-1]]
    assert found["label"].tolist() == [True, False, True, False]
