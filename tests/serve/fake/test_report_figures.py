"""A job's own figures, for any number of epochs and steps: what a client may rely on."""

import csv
import io
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.serve._fake import report
from openflywheel.serve._fake.job import Job
from openflywheel.serve._fake.order import Order


def job(steps, validation=None, **more):
    order = Order(model="m", training_file="file-1", validation_file=validation, suffix="mine")
    return Job(id="ftjob-0123", order=order, created_at=1.9, since=5.5, steps=steps, **more)


def figures_of(event):
    return event["data"]


@given(st.integers(1, 60), st.lists(st.floats(0, 1.5), max_size=6), st.booleans())
def test_each_step_is_told_once_in_order_however_often_one_looks(steps, shares, validated):
    made = job(steps, "file-2" if validated else None)
    for share in shares:
        report.train(made, share)
    reached = int(min(1.0, max(shares, default=0)) * steps)
    assert [figures_of(event)["step"] for event in made.events] == list(range(1, reached + 1))
    losses = [figures_of(event)["train_loss"] for event in made.events]
    assert losses == sorted(losses, reverse=True)
    for event in made.events:
        data = figures_of(event)
        assert (event["type"], data["total_steps"]) == ("metrics", steps)
        assert 0 <= data["train_mean_token_accuracy"] <= 1
        assert ("valid_loss" in data) is validated
        assert event["message"].startswith(f"Step {data['step']}/{steps}: training loss=")


@given(st.integers(1, 9), st.integers(1, 9))
def test_the_last_checkpoint_is_the_model_itself(epochs, each):
    made = job(epochs * each, model="ft:m:o:mine:1")
    report.checkpoints(made, epochs)
    points = made.checkpoints
    assert len(points) == min(3, epochs)
    assert points[-1]["fine_tuned_model_checkpoint"] == made.model
    assert points[-1]["step_number"] == made.steps
    steps = [point["step_number"] for point in points]
    assert steps == sorted(set(steps))
    assert all(step % each == 0 for step in steps)
    assert len({point["fine_tuned_model_checkpoint"] for point in points}) == len(points)
    assert all(point["metrics"]["step"] == point["step_number"] for point in points)


@given(st.integers(1, 40), st.booleans())
def test_the_result_file_says_what_the_events_said(steps, validated):
    made = job(steps, "file-2" if validated else None)
    report.train(made, 1.0)
    rows = list(csv.DictReader(io.StringIO(b64decode(report.metrics(made)).decode())))
    said = [{k: v for k, v in figures_of(e).items() if k != "total_steps"} for e in made.events]
    assert [{name: float(value) for name, value in row.items()} for row in rows] == said


@given(st.integers(1, 60))
def test_a_share_of_right_tokens_is_a_share(steps):
    made = job(steps, "file-2")
    report.train(made, 1.0)
    assert all(0 <= figures_of(event)["valid_mean_token_accuracy"] <= 1 for event in made.events)


@pytest.mark.parametrize("status", ["running", "failed", "cancelled", "paused", "succeeded"])
def test_trained_tokens_are_told_of_a_job_that_succeeded(status):
    told = report.told(job(4, tokens=99, status=status, finished_at=7.9), 2)
    assert told["trained_tokens"] == (99 if status == "succeeded" else None)
    assert (told["created_at"], told["finished_at"], told["status"]) == (1, 7, status)
    assert (told["user_provided_suffix"], told["object"]) == ("mine", "fine_tuning.job")
    assert told["hyperparameters"]["n_epochs"] == 2
    assert report.told(job(4), 2)["finished_at"] is None
