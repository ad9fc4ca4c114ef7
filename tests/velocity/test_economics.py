"""Costs, hand-overs, labels and expected errors, counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.settings import Costs, Task
from openflywheel.velocity.economics import economics

ROUTE = Task(kind="label", costs=Costs(call=0.01, error=2.0, person=4.0))


def asked(output="orders", confidence=0.9, cost=0.01, task="route"):
    return Exchange(
        episode="e", task=task, input="?", output=output, variant="m", confidence=confidence, cost=cost
    )


def said(source, correction="orders", i=0, task="route"):
    return Signal(
        exchange=f"x{i}",
        kind="label",
        value=1,
        source=source,
        explicit=True,
        task=task,
        correction=correction,
    )


def read(log, tasks=None, **parts):
    readings = economics(log(**parts), tasks={"route": ROUTE} if tasks is None else tasks)
    return {(r.name, r.task): r for r in readings}


def test_what_a_thousand_exchanges_cost(log):
    found = read(log, new_exchanges=[asked(), asked(), asked(), asked("", cost=4.01)])
    reading = found["cost_per_1000", "route"]
    assert reading.value == pytest.approx(1010)  # 4.04 for 4
    assert reading.note == "4.04 for 4 exchanges"
    assert reading.turn == 3


def test_the_share_that_persons_answered(log):
    reading = read(log, new_exchanges=[asked(), asked(""), asked(""), asked()])["handed_over", "route"]
    assert reading.value == 0.5
    assert (reading.low, reading.high) == wilson(2, 4)
    assert reading.note == "2 of 4 exchanges"


def test_errors_that_the_model_expects_of_what_it_answered(log):
    exchanges = [asked(confidence=0.9), asked(confidence=0.6), asked("", confidence=0.1)]
    found = read(log, new_exchanges=exchanges)
    errors, cost = found["expected_errors", "route"], found["expected_error_cost_per_1000", "route"]
    assert errors.value == pytest.approx(0.5)
    assert (errors.low, errors.high) == pytest.approx((0, 0.5 + 1.96 * 0.33**0.5))  # .9 * .1 + .6 * .4
    assert cost.value == pytest.approx(1000 * 0.5 * 2.0 / 3)
    assert cost.high == pytest.approx(1000 * errors.high * 2.0 / 3)


def test_the_expected_errors_hold_what_calibrated_models_get_wrong(log):
    """Planted: 200 answers that are right with the chance that they claim."""
    import numpy as np

    inside = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        confidence = rng.uniform(0.5, 1, 200)
        wrong = int((rng.uniform(size=200) > confidence).sum())
        errors = read(log, new_exchanges=[asked(confidence=float(p)) for p in confidence])[
            "expected_errors", "route"
        ]
        inside += errors.low <= wrong <= errors.high
    assert 88 <= inside <= 99


def test_labels_are_what_people_answered_and_experts_are_paid(log):
    signals = [
        said("expert", i=0),
        said("expert", i=1),
        said("user", i=2),
        said("user", "", i=3),
        said("code", i=4),
    ]
    found = read(log, new_signals=signals)
    assert found["labels_used", "route"].value == 3
    assert found["labels_used", "route"].unit == "labels"
    assert found["labels_used", "route"].note == "1 of users, 2 of experts"
    assert found["label_cost", "route"].value == pytest.approx(8.0)


def test_each_task_has_its_own_bill(log):
    tasks = {"route": ROUTE, "risk": Task(kind="label", costs=Costs(error=10, person=1))}
    exchanges = [asked(confidence=0.5), asked(confidence=0.5, task="risk", cost=3)]
    signals = [said("expert"), said("expert", task="risk")]
    found = read(log, tasks, new_exchanges=exchanges, new_signals=signals)
    assert found["cost_per_1000", "risk"].value == 3000
    assert found["expected_error_cost_per_1000", "risk"].value == 5000
    assert found["expected_error_cost_per_1000", "route"].value == 1000
    assert (found["label_cost", "route"].value, found["label_cost", "risk"].value) == (4, 1)


def test_nobody_asked_so_only_labels_are_counted(log):
    assert set(read(log)) == {("labels_used", "route"), ("label_cost", "route")}
    assert read(log)["labels_used", "route"].value == 0
    assert read(log, {}) == {}
    assert read(log, {}, new_exchanges=[asked()]) == {}  # the task was taken out of the settings


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 100)), min_size=1, max_size=50))
def test_figures_keep_to_their_bounds(log, traffic):
    exchanges = [asked("x" if answered else "", p, cost) for answered, p, cost in traffic]
    found = read(log, new_exchanges=exchanges)
    answers = sum(answered for answered, _, _ in traffic)
    errors = found["expected_errors", "route"]
    assert 0 <= errors.low <= errors.value + 1e-9
    assert errors.value - 1e-9 <= errors.high <= answers
    assert found["handed_over", "route"].value == pytest.approx(1 - answers / len(traffic))
    costs = [cost for _, _, cost in traffic]
    assert 1000 * min(costs) - 1e-6 <= found["cost_per_1000", "route"].value <= 1000 * max(costs) + 1e-6
