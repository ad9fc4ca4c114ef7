import pytest
from msgspec.structs import replace

from openflywheel.customize._tuning import estimate, running, sft
from openflywheel.customize._tuning.chats import Example
from openflywheel.customize._tuning.checkpoint import Checkpoint


@pytest.fixture
def plan(tmp_path):
    return running.Plan(
        build=sft.build,
        base=Checkpoint("base", "base", "ab"),
        tuning=running.Tuning(epochs=3.0, batch=4, most_tokens=10),
        rows=tuple(Example([1, 2, 3, 4, 5], 3) for _ in range(20)),
        workspace=tmp_path / "work",
    )


class Timed:
    """What a trial of two seconds a step gives."""

    elsewhere = 0.0

    def __init__(self, cuda=False):
        self.cuda = cuda

    def __call__(self, plan, progress):
        return running.Result({}, 0.0, step=2.0, cuda=self.cuda)


def with_(plan, **tuning):
    return replace(plan, tuning=replace(plan.tuning, **tuning))


def test_steps_follow_from_epochs_rows_and_batch(plan):
    assert estimate.planned(plan, 100) == 15
    assert estimate.planned(with_(plan, epochs=0.5), 100) == 3
    assert estimate.planned(with_(plan, steps=7), 100) == 7


def test_packed_rows_are_fewer(plan):
    assert estimate.planned(with_(plan, packing=True), 100) == 8  # 10 rows of 10 tokens, 3 times, by 4


def test_a_batch_may_be_more_than_there_is(plan):
    assert estimate.planned(with_(plan, batch=64), 100) == 3


def test_the_estimate_is_steps_by_what_a_step_takes(plan):
    found = estimate.estimated(Timed(), plan, 100)
    assert (found.tokens, found.cpu_seconds, found.gpu_seconds) == (300, 30.0, 0.0)
    assert found.dollars == pytest.approx(30 / 3600 * estimate.CPU_HOUR)
    assert found.note.startswith("15 steps of 2 s")


def test_judging_costs_a_third_of_learning_ten_times(plan):
    judging, plain = (estimate.estimated(Timed(), plan, 100, judged=rows) for rows in (60, 0))
    more = judging.cpu_seconds - plain.cpu_seconds
    assert more == pytest.approx(2.0 * 10 * 60 / 20 / 3)  # 60 tokens are three steps of 20


def test_on_a_gpu_its_seconds_count(plan):
    found = estimate.estimated(Timed(cuda=True), plan, 100)
    assert (found.cpu_seconds, found.gpu_seconds) == (0.0, 30.0)
    assert found.dollars == pytest.approx(30 / 3600 * estimate.GPU_HOUR)
