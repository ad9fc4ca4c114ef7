"""A run at its provider: nothing that was done is done again."""

import time

import pytest
from hosted_lessons import CREATE, KEY, SLOW
from msgspec.structs import replace

from openflywheel.base.instruments.account import Account, ProviderFailed, ProviderRefused
from openflywheel.customize._hosted import job as jobs
from openflywheel.customize._hosted.run import Book
from openflywheel.customize._hosted.wish import Wish, planned
from openflywheel.serve.providers import Provider


class At:
    """A run with all that it goes on with."""

    def __init__(self, fake, lesson, folder):
        wish = Wish("far", "fake-small", "supervised", 2, "", "mine", 65_536)
        plan = planned(lesson, wish, 25.0, 7)
        self.fake, self.far = fake, Account("far", Provider(url=fake.url, key=KEY))
        self.book, self.run = Book(folder), plan.run
        self.files = plan.training.content, plan.validation.content

    def begin(self, run=None):
        return jobs.begin(self.far, self.book, run or self.book.find(self.run), *self.files)

    def jobs(self):
        return self.far.get("/fine_tuning/jobs")["data"]

    def files_there(self):
        return self.far.get("/files")["data"]

    def posted(self, path):
        return sum((r.method, r.path) == ("POST", f"/v1{path}") for r in self.fake.requests())


@pytest.fixture
def at(fake, lesson, tmp_path):
    return At(fake, lesson, tmp_path)


def test_a_run_is_uploaded_and_created(at):
    run = at.begin()
    [job] = at.jobs()
    assert (run.stage, run.job) == ("created", job["id"])
    assert at.book.find(at.run) == run
    assert {f["id"] for f in at.files_there() if f["purpose"] == "fine-tune"} == {
        run.training_file,
        run.validation_file,
    }
    assert (job["model"], job["user_provided_suffix"], job["seed"]) == ("fake-small", "mine", 7)
    assert job["method"]["supervised"]["hyperparameters"]["n_epochs"] == 2
    assert job["metadata"] == {"openflywheel_run": run.id, "task": "route", "dataset": run.dataset}
    assert (job["training_file"], job["validation_file"]) == (run.training_file, run.validation_file)


def test_without_validation_there_is_one_file(at):
    run = jobs.begin(at.far, at.book, at.run, at.files[0], b"")
    assert run.validation_file == ""
    assert at.jobs()[0]["validation_file"] is None


def test_what_was_begun_is_not_begun_again(at):
    first = at.begin()
    assert at.begin() == first
    assert (at.posted("/files"), at.posted("/fine_tuning/jobs")) == (2, 1)


def test_a_run_whose_file_was_lost_finds_its_job(at):
    first = at.begin()
    again = at.begin(at.run)
    assert (again.job, again.stage) == (first.job, "created")
    assert (at.posted("/files"), at.posted("/fine_tuning/jobs")) == (2, 1)


def test_a_file_of_another_length_is_sent_again(at):
    at.far.upload(f"flywheel-{at.run.id}-training.jsonl", b"{}\n", "fine-tune")
    at.begin()
    assert at.posted("/files") == 3


@pytest.mark.parametrize("rule", [{"cut_after": 1}, {"error_after": 0}])
def test_an_order_whose_answer_was_lost_is_found(at, rule):
    at.fake.script({**SLOW, "rules": [{**CREATE, "times": 1, **rule}]})
    with pytest.raises(ProviderFailed):
        at.begin()
    assert at.book.find(at.run).stage == "creating"
    run = at.begin()
    assert [job["id"] for job in at.jobs()] == [run.job]
    assert at.posted("/fine_tuning/jobs") == 1


def test_an_order_that_nobody_knows_of_waits_until_it_is_settled(at):
    at.fake.script({"rules": [{**CREATE, "times": 1, "refuse": True}]})
    with pytest.raises(ProviderFailed):
        at.begin()
    with pytest.raises(jobs.Unsettled):
        at.begin()
    assert at.posted("/fine_tuning/jobs") == 1
    at.book.put(at.book.find(at.run), at=time.time() - jobs.SETTLES - 1)
    assert at.begin().stage == "created"
    assert (len(at.jobs()), at.posted("/files")) == (1, 2)


def test_a_refused_order_leaves_nothing_open(at):
    at.fake.script({"rules": [{**CREATE, "times": 1, "status": 400, "message": "not for fine-tuning"}]})
    with pytest.raises(ProviderRefused, match="not for fine-tuning"):
        at.begin()
    assert at.book.find(at.run).stage == "new"
    assert at.begin().stage == "created"
    assert at.posted("/files") == 2  # they were there still


def test_files_that_are_gone_are_sent_again(at):
    at.fake.script({"rules": [{**CREATE, "times": 1, "status": 400}]})
    with pytest.raises(ProviderRefused):
        at.begin()
    for file in at.files_there():
        at.far.delete(f"/files/{file['id']}")
    assert at.begin().stage == "created"
    assert at.posted("/files") == 4


def test_a_job_that_failed_is_not_taken_for_a_new_run(at):
    at.fake.script({"tuning": {"fail": "x"}})
    first = at.begin()
    at.jobs()
    assert at.begin(at.run).job != first.job


def test_a_job_that_failed_before_we_knew_of_it_is_ours(at):
    at.fake.script({"tuning": {"fail": "x"}, "rules": [{**CREATE, "cut_after": 1}]})
    with pytest.raises(ProviderFailed):
        at.begin()
    assert at.begin().stage == "created"
    assert len(at.jobs()) == 1


def test_the_job_is_found_among_many(at, monkeypatch):
    monkeypatch.setattr(jobs, "PAGE", 2)
    mine = at.begin()
    order = {"model": "m", "training_file": mine.training_file}
    for _ in range(5):
        at.far.post("/fine_tuning/jobs", order)
    monkeypatch.setattr(jobs, "NAME", "openflywheel_run")
    get = at.far.get
    monkeypatch.setattr(  # a provider that does not know the filter
        at.far, "get", lambda path, **query: get(path, **{k: v for k, v in query.items() if "[" not in k})
    )
    assert jobs.find(at.far, at.run)["id"] == mine.job
    assert jobs.find(at.far, replace(at.run, id="another")) is None


def test_a_job_is_looked_at_until_the_deadline(at):
    at.fake.script(SLOW)
    run = at.begin()
    job = jobs.until(at.far, run, time.monotonic(), pytest.fail)
    assert job["status"] == "running"


def test_a_job_is_looked_at_until_it_is_over(at):
    at.fake.script(SLOW)
    run, told = at.begin(), []

    def tell(figures):
        told.append(figures)
        at.fake.script({})

    assert jobs.until(at.far, run, time.monotonic() + 60, tell)["status"] == "succeeded"
    assert told == [{}]  # an hour's job has told no step after some milliseconds


def test_the_newest_step_is_told(at):
    run = at.begin()
    figures = jobs.figures(at.far, run)
    assert (figures["step"], figures["steps"]) == (24, 24)
    assert figures["loss"] < figures["validation_loss"]


def test_tidying_takes_the_files_away_and_may_be_repeated(at):
    run = at.begin()
    jobs.tidy(at.far, run)
    jobs.tidy(at.far, run)
    assert [f for f in at.files_there() if f["purpose"] == "fine-tune"] == []


def test_a_job_is_cancelled(at):
    at.fake.script(SLOW)
    run = jobs.cancel(at.far, at.book, at.begin())
    assert (run.stage, run.said) == ("cancelled", "we cancelled it")
    assert at.jobs()[0]["status"] == "cancelled"
    assert at.files_there() == []
    assert at.book.open() == []


def test_a_job_that_has_succeeded_is_not_lost_by_cancelling(at):
    run = jobs.cancel(at.far, at.book, at.begin())
    assert (run.stage, at.book.open()) == ("created", [run])


def test_a_job_whose_answer_was_lost_is_cancelled(at):
    at.fake.script({**SLOW, "rules": [{**CREATE, "cut_after": 1}]})
    with pytest.raises(ProviderFailed):
        at.begin()
    run = jobs.cancel(at.far, at.book, at.book.find(at.run))
    assert (run.stage, at.jobs()[0]["status"]) == ("cancelled", "cancelled")
    assert run.job == at.jobs()[0]["id"]


def test_a_job_that_is_there_no_more_is_cancelled_for_us(at):
    run = at.begin()
    at.fake.clear()
    assert jobs.cancel(at.far, at.book, run).stage == "cancelled"


def test_a_refusal_to_look_cancels_nothing(at):
    run = at.begin()
    at.fake.script({"keys": ["another"]})
    with pytest.raises(ProviderRefused):
        jobs.cancel(at.far, at.book, run)
    assert at.book.find(at.run).stage == "created"
