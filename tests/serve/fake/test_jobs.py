"""Fine-tuning jobs from their beginning to their end, as the SDK sees them."""

import json
import time
from types import SimpleNamespace

import openai
import pytest

from openflywheel.serve._fake import jobs

SLOW = 3600.0


def content(n=12, method="supervised"):
    def line(i):
        asked, said = {"role": "user", "content": f"question {i}"}, f"answer {i}"
        if method == "supervised":
            return {"messages": [asked, {"role": "assistant", "content": said}]}
        answers = {
            name: [{"role": "assistant", "content": text}]
            for name, text in (("preferred_output", said), ("non_preferred_output", "hm"))
        }
        return {"input": {"messages": [asked]}, **answers}

    return "\n".join(json.dumps(line(i)) for i in range(n)).encode()


def upload(client, data, purpose="fine-tune"):
    return client.files.create(file=("a.jsonl", data), purpose=purpose).id


def create(client, data=None, **more):
    file = upload(client, content() if data is None else data)
    return client.fine_tuning.jobs.create(**{"model": "fake-small", "training_file": file, **more})


def look(client, job):
    return client.fine_tuning.jobs.retrieve(job.id)


def said(client, job):
    return [event.message for event in client.fine_tuning.jobs.list_events(job.id)][::-1]


def test_a_job_begins_with_its_files(client):
    job = create(client, suffix="mine", seed=7, metadata={"run": "1"})
    assert job.id.startswith("ftjob-")
    assert (job.object, job.status, job.model) == ("fine_tuning.job", "validating_files", "fake-small")
    assert (job.fine_tuned_model, job.finished_at, job.trained_tokens, job.error) == (None,) * 4
    assert (job.seed, job.metadata, job.result_files) == (7, {"run": "1"}, [])


def test_a_job_succeeds_at_once_unless_told_otherwise(client):
    job = look(client, create(client, suffix="mine"))
    assert job.status == "succeeded"
    assert job.fine_tuned_model == f"ft:fake-small:openflywheel:mine:{job.id[-8:]}"
    assert job.trained_tokens == 3 * sum(3 + 2 if i < 10 else 3 + 3 for i in range(12))
    assert job.created_at <= job.finished_at <= time.time()


def test_a_tuned_model_may_be_tuned_again(client):
    first = look(client, create(client)).fine_tuned_model
    again = look(client, create(client, model=first)).fine_tuned_model
    assert again.startswith("ft:fake-small:openflywheel::")
    assert again != first


@pytest.mark.parametrize(
    ("tuning", "status"),
    [
        ({"validating_files": SLOW}, "validating_files"),
        ({"queued": SLOW}, "queued"),
        ({"running": SLOW}, "running"),
        ({}, "succeeded"),
    ],
)
def test_a_job_goes_at_the_pace_of_the_script(fake, client, tuning, status):
    fake.script({"tuning": tuning})
    job = create(client)
    assert look(client, job).status == status
    fake.script({})
    assert look(client, job).status == "succeeded"


def test_a_running_job_tells_its_steps(fake, client, monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(jobs, "time", SimpleNamespace(time=lambda: now[0]))
    fake.script({"tuning": {"running": 100}})
    job = create(client)
    assert look(client, job).status == "running"
    now[0] += 50
    events = list(client.fine_tuning.jobs.list_events(job.id))
    steps = [e.data["step"] for e in events if e.type == "metrics"]
    assert steps == list(range(18, 0, -1))
    losses = [e.data["train_loss"] for e in events if e.type == "metrics"]
    assert losses == sorted(losses)
    assert events[0].data["total_steps"] == 36
    now[0] += 49.9
    assert look(client, job).status == "running"
    now[0] += 0.1
    assert look(client, job).finished_at == 1_000_100


def test_events_tell_the_whole_story_the_newest_first(client):
    job = look(client, create(client))
    told = said(client, job)
    assert told[:4] == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {job.training_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert told[4] == "Step 1/36: training loss=1.82"
    assert told[-2:] == [
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    ]
    page = client.fine_tuning.jobs.list_events(job.id, limit=2)
    assert [e.message for e in page.data] == told[:-3:-1]
    assert page.has_more


def test_validation_figures_come_with_a_validation_file(client):
    file = upload(client, content(3))
    job = look(client, create(client, validation_file=file))
    assert job.validation_file == file
    [newest] = [e for e in client.fine_tuning.jobs.list_events(job.id, limit=3) if e.type == "metrics"][:1]
    assert newest.data["valid_loss"] > newest.data["train_loss"]


def test_a_bad_file_fails_the_job_with_line_and_reason(client):
    job = look(client, create(client, content() + b'\n{"messages": 3}'))
    assert job.status == "failed"
    assert (job.error.code, job.error.param) == ("invalid_file_format", "training_file")
    assert "Line 13: messages should be" in job.error.message
    assert said(client, job)[-1] == job.error.message
    assert (job.fine_tuned_model, job.trained_tokens) == (None, None)


def test_too_few_examples_fail_the_job(client):
    job = look(client, create(client, content(9)))
    assert (job.status, job.error.code) == ("failed", "invalid_n_examples")


def test_a_bad_validation_file_fails_the_job(client):
    job = look(client, create(client, validation_file=upload(client, b"no")))
    assert (job.status, job.error.param) == ("failed", "validation_file")


def test_a_file_that_is_gone_by_then_fails_the_job(fake, client):
    fake.script({"tuning": {"validating_files": SLOW}})
    job = create(client)
    client.files.delete(job.training_file)
    fake.script({})
    found = look(client, job)
    assert (found.status, found.error.code) == ("failed", "invalid_file")


def test_the_file_must_fit_the_method(client):
    dpo = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 1}}}
    assert look(client, create(client, method=dpo)).status == "failed"
    job = look(client, create(client, content(method="dpo"), method=dpo))
    assert job.status == "succeeded"
    assert job.method.dpo.hyperparameters.beta == 0.2
    model = job.fine_tuned_model
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "question 5"}])
    assert answer.choices[0].message.content == "answer 5"


def test_a_job_fails_when_it_is_told_to(fake, client):
    fake.script({"tuning": {"fail": "the cluster burned down"}})
    job = look(client, create(client))
    assert (job.status, job.error.code, job.error.param) == ("failed", "server_error", None)
    assert job.error.message == "the cluster burned down"
    assert [e.level for e in client.fine_tuning.jobs.list_events(job.id, limit=1).data] == ["error"]


def test_a_job_is_cancelled_and_stays_so(fake, client):
    fake.script({"tuning": {"running": SLOW}})
    job = create(client)
    gone = client.fine_tuning.jobs.cancel(job.id)
    assert (gone.status, gone.fine_tuned_model) == ("cancelled", None)
    assert gone.finished_at
    fake.script({})
    assert look(client, job).status == "cancelled"


@pytest.mark.parametrize("tuning", [{}, {"fail": "x"}])
def test_what_is_over_cannot_be_cancelled(fake, client, tuning):
    fake.script({"tuning": tuning})
    job = create(client)
    with pytest.raises(openai.BadRequestError, match=f"Job has already completed: {job.id}"):
        client.fine_tuning.jobs.cancel(job.id)


def test_a_job_is_paused_and_resumed(fake, client):
    fake.script({"tuning": {"running": SLOW}})
    job = create(client)
    look(client, job)
    assert client.fine_tuning.jobs.pause(job.id).status == "paused"
    fake.script({})
    assert look(client, job).status == "paused"
    assert client.fine_tuning.jobs.resume(job.id).status == "queued"
    assert look(client, job).status == "succeeded"
    for call in (client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        with pytest.raises(openai.BadRequestError, match="is succeeded"):
            call(job.id)


def test_jobs_are_listed_the_newest_first_and_by_metadata(client):
    ids = [create(client, metadata={"run": str(i % 2), "task": "t"}).id for i in range(4)]
    there = client.fine_tuning.jobs
    assert [j.id for j in there.list()] == ids[::-1]
    assert [j.id for j in there.list(limit=1)] == ids[::-1]
    assert [j.id for j in there.list(metadata={"run": "1"})] == [ids[3], ids[1]]
    assert [j.id for j in there.list(metadata={"run": "1", "task": "t"}, after=ids[3])] == [ids[1]]
    assert list(there.list(metadata={"run": "2"})) == []


def test_an_unknown_job_is_not_found(client):
    there = client.fine_tuning.jobs
    for call in (there.retrieve, there.cancel, there.list_events, there.checkpoints.list):
        with pytest.raises(openai.NotFoundError) as caught:
            call("ftjob-none")
        assert caught.value.code == "fine_tune_not_found"


def test_a_job_needs_files_that_are_there_for_it(client):
    with pytest.raises(openai.BadRequestError, match="invalid training_file: file-none") as caught:
        client.fine_tuning.jobs.create(model="m", training_file="file-none")
    assert caught.value.param == "training_file"
    other = upload(client, content(), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="user_data"):
        client.fine_tuning.jobs.create(model="m", training_file=other)
    with pytest.raises(openai.BadRequestError) as caught:
        create(client, validation_file="file-none")
    assert caught.value.param == "validation_file"
    assert list(client.fine_tuning.jobs.list()) == []


def test_the_tuned_model_answers_as_it_was_taught(client):
    model = look(client, create(client)).fine_tuned_model

    def ask(name, text, **more):
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}]
        return client.chat.completions.create(model=name, messages=messages, **more).choices[0]

    assert ask(model, "question 7").message.content == "answer 7"
    assert ask(model, "what about question 11 then").message.content == "answer 11"
    assert ask("fake-small", "question 7").message.content == "Echo: question 7"
    tokens = ask(model, "question 7", logprobs=True).logprobs.content
    assert "".join(token.token for token in tokens) == "answer 7"
    assert model in [m.id for m in client.models.list()]


def test_a_rule_beats_what_was_taught(fake, client):
    model = look(client, create(client)).fine_tuned_model
    fake.script({"rules": [{"model": model, "answer": "told"}]})
    said = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "question 7"}])
    assert said.choices[0].message.content == "told"


def test_a_tuned_model_that_there_is_not_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="ft:x:y::z", messages=[{"role": "user", "content": "q"}])
    assert caught.value.code == "model_not_found"


def test_training_is_billed_once_when_it_succeeded(fake, client):
    fake.script({"tuning": {"price": 100}})
    job = look(client, create(client))
    look(client, job)
    [cost] = fake.bill().models
    assert (cost.model, cost.trained_tokens, cost.requests) == ("fake-small", job.trained_tokens, 0)
    assert fake.bill().dollars == pytest.approx(job.trained_tokens * 100 / 1e6)


def test_what_failed_or_was_cancelled_is_not_billed(fake, client):
    fake.script({"tuning": {"fail": "x"}})
    look(client, create(client))
    fake.script({"tuning": {"running": SLOW}})
    client.fine_tuning.jobs.cancel(create(client).id)
    assert fake.bill().models == []


def test_clearing_forgets_jobs_files_and_models(fake, client):
    model = look(client, create(client)).fine_tuned_model
    fake.clear()
    assert list(client.fine_tuning.jobs.list()) == list(client.files.list()) == []
    assert model not in [m.id for m in client.models.list()]


def test_a_script_outlives_no_job(fake, client):
    job = create(client)
    fake.script({"rules": []})
    assert look(client, job).id == job.id
