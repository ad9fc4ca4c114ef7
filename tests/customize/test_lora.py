import os
import signal
import subprocess
import sys

import lessons
import pytest
from msgspec.structs import replace

from openflywheel.base.door import check, describe
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.base.forms import generator
from openflywheel.base.instruments import artefact
from openflywheel.customize import teaches
from openflywheel.customize.lora import KINDS, estimate, lora

# peft uses an old name of transformers when it opens an adapter.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    lessons.able(folder / "base", "qwen3")
    return folder


@pytest.fixture(scope="module")
def writing(shop):
    """A model taught answers, and what was told meanwhile."""
    told = []
    settings = {**lessons.FAST, "steps": 50, **lessons.folders(shop)}
    return lora(lessons.lesson(validation=1), **settings, progress=told.append), told


def test_it_teaches_answers_that_the_opened_model_writes(shop, writing):
    model, told = writing
    assert (model.name, model.base, model.method, model.task) == ("shop-lora", "base", "lora", "shop")
    opened = generator.opened(shop / model.uri, folder=shop)
    chats = [[{"role": "user", "content": text}] for text in lessons.ANSWERS]
    assert opened.write(chats, most_tokens=16) == list(lessons.ANSWERS.values())
    assert told[-1]["step"] == told[-1]["steps"] == 50
    assert told[-1]["loss"] < 0.1 * told[0]["loss"]


def test_its_report_says_how_well_and_with_what(writing):
    report = writing[0].report
    assert report["perplexity"] == pytest.approx(2.718281828 ** report["validation_loss"])
    assert (report["rows"], report["cut"], report["dropped"], report["steps"]) == (24, 0, 0, 50)
    assert report["tokens"] > report["rows"]
    assert 0 < report["share"] < 0.2
    assert "accuracy" not in report


def test_a_run_that_ended_and_was_not_stored_costs_no_step_again(shop, writing):
    told = []
    settings = {**lessons.FAST, "steps": 50, **lessons.folders(shop)}
    again = lora(lessons.lesson(validation=1), **settings, progress=told.append)
    assert (again.id, again.uri, told) == (writing[0].id, writing[0].uri, [])


def test_the_manifest_says_what_it_is(shop, writing):
    said = artefact.manifest(shop / writing[0].uri)
    assert (said["form"], said["kind"], said["task"], said["method"]) == ("generator", "text", "shop", "lora")
    assert said["taught_by"] == [lessons.lesson(validation=1).dataset.id]
    assert said["report"] == writing[0].report
    assert "labels" not in said


def test_it_teaches_labels_and_calibrates_them_on_validation(shop):
    lesson = lessons.lesson("label", validation=2)
    unheard = lessons.rows({"do you sell cats?": "cats"}, range(90, 94))  # a label that is not taught
    lesson = replace(lesson, validation=[*lesson.validation, *unheard])
    settings = {**lessons.FAST, "steps": 60, **lessons.folders(shop)}
    model = lora(lesson, **settings, progress=lambda facts: None)
    said = artefact.manifest(shop / model.uri)
    assert said["labels"] == ["cancel", "delivery", "password"]
    assert model.report["accuracy"] == 6 / 10
    assert model.report["log_loss"] < 0.7
    opened = generator.opened(shop / model.uri, folder=shop)
    assert opened.sharpness == said["sharpness"] != 1.0
    found = opened.probabilities(list(lessons.LABELS))
    assert [opened.labels[i] for i in found.argmax(axis=1)] == list(lessons.LABELS.values())


def test_rows_that_dont_fit_are_refused_by_name(shop):
    with pytest.raises(SettingsError, match="'shop': none of 24 examples fits into most_tokens = 5"):
        lora(
            lessons.lesson(validation=1),
            base="base",
            most_tokens=5,
            seed=0,
            **lessons.folders(shop),
            progress=print,
        )


def test_a_checkpoint_without_a_template_learns_with_the_one_that_is_named(shop, tmp_path):
    from tiny import TEMPLATE, tiny

    (tiny(tmp_path / "base") / "chat_template.jinja").unlink()
    given = {
        **lessons.folders(tmp_path),
        "base": "base",
        "seed": 0,
        "steps": 1,
        "progress": lambda facts: None,
    }
    with pytest.raises(SettingsError, match="has no chat template"):
        lora(lessons.lesson(), **given)
    (tmp_path / "chat.jinja").write_text(TEMPLATE)
    model = lora(lessons.lesson(), **given, template="chat.jinja")
    assert artefact.manifest(tmp_path / model.uri)["template"] == TEMPLATE
    opened = generator.opened(tmp_path / model.uri, folder=tmp_path)
    assert len(opened.write([[{"role": "user", "content": "hello"}]], most_tokens=1)) == 1


def test_an_estimate_comes_without_a_trace(shop):
    folders, before = lessons.folders(shop), lessons.kept(shop)
    found = estimate(
        lessons.lesson(),
        base="base",
        epochs=5,
        batch=8,
        folder=folders["folder"],
        workspace=folders["workspace"],
    )
    assert found.tokens > 0
    assert found.cpu_seconds + found.gpu_seconds > 0
    assert lessons.kept(shop) == before


def test_the_door_knows_its_settings():
    about = describe("customize", "lora")
    assert about.handed == ("cluster", "folder", "artefacts", "workspace", "seed", "progress")
    assert {setting.name for setting in about.settings if setting.required} == {"base"}
    with pytest.raises(UnknownSetting, match="quantise = '3bit'"):
        check("customize", "lora", {"base": "x", "quantise": "3bit"})
    assert teaches(lora) == KINDS == ("label", "text")


@pytest.mark.slow
@pytest.mark.fault
def test_a_run_that_is_killed_ends_like_one_that_is_not(tmp_path):
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
        lessons.able(tmp_path / name / "base")
    _killed_at(tmp_path / "killed", step=23)
    left = [place.name for place in (tmp_path / "killed" / "work").rglob("checkpoint-*")]
    assert left
    told = []
    resumed, whole = (
        lora(
            lessons.lesson(validation=1),
            **lessons.KILLED,
            **lessons.folders(tmp_path / name),
            progress=progress,
        )
        for name, progress in (("killed", told.append), ("whole", lambda facts: None))
    )
    assert told[0]["step"] > 16  # it did not begin anew
    for figure in ("loss", "validation_loss"):
        assert abs(resumed.report[figure] - whole.report[figure]) <= 1e-4
    assert resumed.uri == whole.uri  # and not by a bit


def _killed_at(folder, step):
    run = [sys.executable, lessons.__file__, str(folder)]
    with subprocess.Popen(
        run, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as child:
        for line in child.stdout:
            if int(line) >= step:
                child.send_signal(signal.SIGKILL)
                break
    assert child.returncode == -signal.SIGKILL
