"""What a job leaves behind: its hyperparameters, checkpoints and result file."""

import csv
import io
import json
from base64 import b64decode

import pytest

LINES = "\n".join(
    json.dumps({"messages": [{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": "a"}]})
    for i in range(20)
).encode()


def tuned(client, epochs="auto", batch="auto", **more):
    settings = {"n_epochs": epochs, "batch_size": batch}
    file = client.files.create(file=("a.jsonl", LINES), purpose="fine-tune").id
    job = client.fine_tuning.jobs.create(
        model="fake-small",
        training_file=file,
        method={"type": "supervised", "supervised": {"hyperparameters": settings}},
        **more,
    )
    return client.fine_tuning.jobs.retrieve(job.id)


def test_hyperparameters_are_told_with_what_was_chosen_for_us(client):
    job = tuned(client)
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (3, "auto")
    assert job.method.type == "supervised"
    assert job.method.supervised.hyperparameters.n_epochs == 3
    assert tuned(client, epochs=7).hyperparameters.n_epochs == 7


def test_the_old_place_of_hyperparameters_counts_too(client):
    file = client.files.create(file=("a.jsonl", LINES), purpose="fine-tune").id
    job = client.fine_tuning.jobs.create(model="m", training_file=file, hyperparameters={"n_epochs": 2})
    assert client.fine_tuning.jobs.retrieve(job.id).hyperparameters.n_epochs == 2


@pytest.mark.parametrize(
    ("epochs", "batch", "steps"), [(1, 1, [20]), (2, 5, [8, 4]), (5, 20, [5, 4, 3]), (3, 3, [21, 14, 7])]
)
def test_checkpoints_are_those_of_the_last_three_epochs(client, epochs, batch, steps):
    job = tuned(client, epochs, batch)
    found = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert [point.step_number for point in found] == steps
    assert found[0].fine_tuned_model_checkpoint == job.fine_tuned_model
    assert all(point.fine_tuning_job_id == job.id for point in found)
    assert [p.metrics.train_loss for p in found] == sorted(p.metrics.train_loss for p in found)
    assert len({point.id for point in found}) == len(steps)


def test_a_checkpoint_answers_like_the_model(client):
    job = tuned(client, 2)
    _, early = client.fine_tuning.jobs.checkpoints.list(job.id)
    assert early.fine_tuned_model_checkpoint == f"{job.fine_tuned_model}:ckpt-step-20"
    said = client.chat.completions.create(
        model=early.fine_tuned_model_checkpoint, messages=[{"role": "user", "content": "q3"}]
    )
    assert said.choices[0].message.content == "a"


def test_checkpoints_have_pages(client):
    job = tuned(client, 3)
    page = client.fine_tuning.jobs.checkpoints.list(job.id, limit=1)
    assert (len(page.data), page.has_more) == (1, True)
    assert len(list(page)) == 3


def test_the_result_file_has_a_row_a_step(client):
    job = tuned(client, 2, 10)
    [id] = job.result_files
    assert client.files.retrieve(id).purpose == "fine-tune-results"
    rows = list(csv.DictReader(io.StringIO(b64decode(client.files.content(id).read()).decode())))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[0]["train_loss"]) == pytest.approx(2 / 1.1)
    assert "valid_loss" not in rows[0]
