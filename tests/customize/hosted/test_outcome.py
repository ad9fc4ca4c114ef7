"""From a job that is over to a model that can be asked."""

import json
import math

import pytest
from hosted_lessons import KEY, LABELS, rows_of

from openflywheel.base.forms.hosted import Hosted, opened
from openflywheel.base.instruments.account import Account
from openflywheel.base.instruments.artefact import manifest
from openflywheel.base.nouns import Row
from openflywheel.customize._hosted import job as jobs
from openflywheel.customize._hosted.outcome import calibrated, model
from openflywheel.customize._hosted.run import Book
from openflywheel.customize._hosted.wish import Wish, planned


@pytest.fixture
def far(providers):
    return Account("far", providers["far"])


@pytest.fixture
def made(far, lesson, tmp_path):
    """The model of a lesson, with the run and the job that made it."""
    plan = planned(lesson, Wish("far", "fake-small", "supervised", 1, "", "", 65_536), 25.0, 0)
    run = jobs.begin(far, Book(tmp_path), plan.run, plan.training.content, plan.validation.content)
    job = far.get(f"/fine_tuning/jobs/{run.job}")
    artefacts = tmp_path / "models"
    artefacts.mkdir()
    return model(far, run, job, lesson.validation, artefacts), job, artefacts


def test_a_model_says_what_it_is(made, lesson):
    found, _, artefacts = made
    assert (found.name, found.task, found.method) == ("route-hosted", "route", "hosted.supervised")
    assert (found.base, found.taught_by) == ("far/fake-small", (lesson.dataset.id,))
    assert (artefacts.parent / found.uri / "manifest.json").is_file()


def test_the_report_holds_what_the_job_told(made):
    found, job, _ = made
    assert found.report["tokens"] == job["trained_tokens"]
    assert found.report["dollars"] == pytest.approx(job["trained_tokens"] * 25 / 1e6)
    assert found.report["rows"] == 12
    assert found.report["loss"] < found.report["validation_loss"]
    assert found.report["accuracy"] == 1.0


def test_the_artefact_names_the_model_and_no_key(made, fake):
    found, job, artefacts = made
    place = artefacts.parent / found.uri
    said = manifest(place)
    assert (said["form"], said["provider"], said["model"]) == ("hosted", "far", job["fine_tuned_model"])
    assert (said["kind"], said["job"], said["labels"]) == ("label", job["id"], list(LABELS))
    assert said["base"] == {"name": "far/fake-small"}
    text = json.dumps(said) + (place / "README.md").read_text()
    assert KEY not in text
    assert fake.url not in text


def test_the_opened_model_answers_as_it_was_taught(made, providers):
    found, _, artefacts = made
    answers = opened(artefacts.parent / found.uri, providers=providers)
    chances = answers.probabilities(["train question 4", "train question 5"])
    assert [answers.labels[i] for i in chances.argmax(axis=1)] == ["refund", "track"]
    assert chances.max(axis=1).min() > 0.8


def held(n, right):
    """Rows of which the model, that always says refund, is right about so many."""
    rows = rows_of(n)
    return [
        Row(text=row.text, source="s", labels={"route": "refund" if i < right else "track"})
        for i, row in enumerate(rows)
    ]


def test_confidence_is_brought_to_what_was_right(fake, far):
    fake.script({"rules": [{"answer": "refund"}]})
    plain = Hosted(far, "m", labels=LABELS)
    good, report = calibrated(plain, held(40, 38), "route")
    poor, _ = calibrated(plain, held(40, 20), "route")
    assert report["accuracy"] == 0.95
    assert report["log_loss"] < 0.4
    assert good.probabilities(["x"])[0, 1] == pytest.approx(0.95, abs=0.05)
    assert poor.probabilities(["x"])[0, 1] == pytest.approx(0.5, abs=0.06)
    assert good.measured == pytest.approx(39 / 42)


def test_without_rows_nothing_is_asked_and_half_is_believed(fake, far):
    made, report = calibrated(Hosted(far, "m", labels=LABELS), [], "route")
    assert (made.measured, made.sharpness, report) == (0.5, 1.0, {})
    assert fake.requests() == []


class Silent(Account):
    """A provider that tells no probabilities."""

    def chats(self, bodies):
        answers = super().chats(bodies)
        return [{"choices": [{**answer["choices"][0], "logprobs": None}]} for answer in answers]


def test_without_probabilities_the_share_of_right_answers_counts(fake, providers):
    fake.script({"rules": [{"answer": "refund"}]})
    plain = Hosted(Silent("far", providers["far"]), "m", labels=LABELS)
    made, report = calibrated(plain, held(8, 6), "route")
    assert (made.logprobs, made.sharpness) == (False, 1.0)
    assert made.probabilities(["x"])[0, 1] == pytest.approx(0.7, abs=1e-6)
    assert report["log_loss"] == pytest.approx(-(6 * math.log(0.7) + 2 * math.log(0.15)) / 8, rel=1e-4)
    assert report["accuracy"] == 0.75


@pytest.mark.parametrize("account", [Account, Silent])
def test_a_label_that_was_not_taught_counts_as_wrong(fake, providers, account):
    """And says nothing of how sure the answers about the others may be, but for where no chances are told."""
    fake.script({"rules": [{"answer": "refund"}]})
    plain = Hosted(account("far", providers["far"]), "m", labels=LABELS)
    strangers = [Row(text=f"new {i}", source="s", labels={"route": "invoice"}) for i in range(10)]
    _, without = calibrated(plain, held(10, 10), "route")
    made, report = calibrated(plain, [*held(10, 10), *strangers], "route")
    assert (without["accuracy"], report["accuracy"]) == (1.0, 0.5)
    assert report["ece"] > without["ece"] + 0.3
    assert made.measured == pytest.approx(11 / 22)
    assert report["log_loss"] < 1
    _, alone = calibrated(plain, strangers, "route")
    assert alone["accuracy"] == 0.0
    assert "log_loss" not in alone


def test_an_answer_that_is_no_label_is_wrong(fake, far):
    fake.script({"rules": [{"answer": "who knows"}]})
    made, report = calibrated(Hosted(far, "m", labels=LABELS), held(6, 3), "route")
    assert report["accuracy"] == 0.0
    assert made.probabilities(["x"])[0] == pytest.approx([1 / 3] * 3)
