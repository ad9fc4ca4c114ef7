"""A run within one turn: what it gives at each of its stages, against the fake provider."""

import time

import pytest
from hosted_lessons import CREATE, KEY, LABELS, SLOW, rows_of
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.account import account
from openflywheel.base.nouns import Fault, Model, Paid
from openflywheel.customize._hosted.going import RUNNING, Going, from_now
from openflywheel.customize._hosted.run import Book
from openflywheel.customize._hosted.wish import Wish, planned
from openflywheel.customize._waiting import Waiting
from openflywheel.serve.providers import Provider


class Turns:
    """One run, gone on with in as many turns as a test wants."""

    def __init__(self, fake, lesson, folder):
        self.fake, self.folder, self.told = fake, folder, []
        self.plan = planned(lesson, Wish("far", "fake-small", "supervised", 2, "", "mine", 65_536), 25.0, 7)
        self.providers = {"far": Provider(url=fake.url, key=KEY)}
        (folder / "models").mkdir()

    @property
    def run(self):
        return Book(self.folder).find(self.plan.run)

    def turn(self, wait=0.0, run=None):
        held = rows_of(6, "validation")
        going = Going(
            Book(self.folder), self.providers, self.folder / "models", held, from_now(wait), self.told.append
        )
        return list(going.on(run or self.run, self.plan.training.content, self.plan.validation.content))

    def posted(self, path):
        return sum((r.method, r.path) == ("POST", f"/v1{path}") for r in self.fake.requests())


@pytest.fixture
def turns(fake, lesson, tmp_path):
    return Turns(fake, lesson, tmp_path)


def test_what_was_paid_comes_before_the_model(turns):
    paid, model = turns.turn()
    assert isinstance(paid, Paid)
    assert paid.provider == "far"
    assert [c.trained_tokens for c in turns.fake.bill().models if c.trained_tokens] == [
        model.report["tokens"]
    ]
    assert paid.dollars == model.report["dollars"] == model.report["tokens"] * 25 / 1e6
    assert (model.task, model.method, model.base) == ("route", "hosted.supervised", "far/fake-small")
    assert artefact.manifest(turns.folder / model.uri)["labels"] == list(LABELS)
    assert (turns.run.stage, turns.run.model) == ("done", model)


def test_a_run_that_is_done_gives_its_model_with_what_it_took(turns):
    """By the name of the run, so that its room books it once: the passage before may have been killed."""
    paid, model = turns.turn()
    assert paid.run == turns.run.id
    turns.fake.clear()
    assert turns.turn() == [paid, model]
    assert turns.fake.requests() == []  # nobody is asked
    assert turns.turn() == [paid, model]


def test_a_job_at_work_is_waited_for_and_asked_for_once(turns, caplog):
    turns.fake.script(SLOW)
    assert turns.turn() == turns.turn() == [Waiting(RUNNING)]
    assert turns.posted("/fine_tuning/jobs") == 1
    assert turns.run.stage == "created"
    said = f"customize: hosted: route at far: the job {turns.run.job} is running; it goes on with the next"
    assert caplog.text.count(said) == 2
    turns.fake.script({})
    assert [type(thing) for thing in turns.turn()] == [Paid, Model]
    assert turns.posted("/fine_tuning/jobs") == 1


def test_while_it_waits_it_tells_how_far_the_job_is(turns):
    turns.fake.script({"tuning": {"running": 0.3}})
    assert [type(thing) for thing in turns.turn(wait=60)] == [Paid, Model]
    assert turns.told
    steps = [facts["step"] for facts in turns.told if "step" in facts]
    assert steps == sorted(steps)


def test_a_job_that_failed_says_why_in_every_turn_and_costs_nothing(turns):
    turns.fake.script({"tuning": {"fail": "the file is poor"}})
    first, again = turns.turn(), turns.turn()
    [fault] = first
    assert isinstance(fault, Fault)
    assert fault.said == (
        f"hosted: the job {turns.run.job} for route at far failed: the file is poor; "
        "another suffix makes another job"
    )
    assert again == first
    assert turns.posted("/fine_tuning/jobs") == 1
    assert turns.run.stage == "failed"
    assert turns.fake.bill().dollars == 0


def test_a_job_that_somebody_cancelled_there_is_over(turns):
    turns.fake.script(SLOW)
    turns.turn()
    far = account("far", turns.providers)
    far.post(f"/fine_tuning/jobs/{turns.run.job}/cancel", {})
    [fault] = turns.turn()
    assert fault.said.startswith(f"hosted: the job {turns.run.job} for route at far cancelled: cancelled;")
    assert turns.run.stage == "cancelled"


@pytest.mark.parametrize("script", [{}, {"tuning": {"fail": "x"}}])
def test_a_job_that_is_over_leaves_no_file_of_ours(turns, script):
    turns.fake.script(script)
    turns.turn()
    left = account("far", turns.providers).get("/files")["data"]
    assert {file["purpose"] for file in left} <= {"fine-tune-results"}


def test_a_refusal_is_a_fault_and_a_wait(turns):
    turns.fake.script({"keys": ["another"]})
    fault, waiting = turns.turn()
    assert fault.said.startswith("hosted: ")
    assert KEY not in fault.said
    assert waiting == Waiting(RUNNING)
    turns.fake.script({})
    assert [type(thing) for thing in turns.turn()] == [Paid, Model]


def test_a_provider_that_does_not_answer_is_asked_again_in_the_next_turn(turns):
    turns.fake.script({"rules": [{"refuse": True}]})
    assert turns.turn() == [Waiting(RUNNING)]
    assert turns.run.stage == "new"
    turns.fake.script({})
    assert [type(thing) for thing in turns.turn()] == [Paid, Model]


def test_an_order_without_an_answer_is_not_sent_twice(turns, caplog):
    turns.fake.script({"rules": [{**CREATE, "times": 1, "refuse": True}]})
    assert turns.turn() == turns.turn() == [Waiting(RUNNING)]
    assert "the job was asked for and is not in the provider's list yet" in caplog.text
    assert turns.posted("/fine_tuning/jobs") == 1
    assert turns.run.stage == "creating"


def test_a_provider_that_is_not_in_the_settings_is_told_before_anything_is_sent(turns):
    with pytest.raises(SettingsError, match="near"):
        turns.turn(run=replace(turns.run, provider="near"))
    assert turns.fake.requests() == []


def test_a_deadline_is_from_now_on():
    before = time.monotonic()
    assert before + 5 <= from_now(5) <= time.monotonic() + 5
