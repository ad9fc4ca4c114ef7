import lessons
import preference_lessons as told
import pytest

from openflywheel.base import forms
from openflywheel.base.door import check, describe
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.base.forms import generator
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.template import Template
from openflywheel.customize import teaches
from openflywheel.customize.lora import lora
from openflywheel.customize.preference import KINDS, estimate, preference

FAST = {"base": "base", "batch": 8, "rate": 2e-2, "rank": 4, "seed": 3, "steps": 15}

# peft uses an old name of transformers when it opens an adapter.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    lessons.able(folder / "base")
    return folder


def teach(folder, lesson, progress=lambda facts: None, **more):
    return preference(lesson, **{**FAST, **more}, **lessons.folders(folder), progress=progress)


@pytest.fixture(scope="module")
def corrected(shop):
    """A model taught by corrections, and what was told meanwhile."""
    heard = []
    given = told.lesson(told.corrections(range(8)), validation=told.corrections(range(8, 10)))
    return teach(shop, given, heard.append), heard


def likelihood(model, text, answer):
    """The log-probability of an answer, by the plain logits of a model that was opened."""
    import torch

    prompt = Template(model.tokenizer).prompt([{"role": "user", "content": text}], 1000)
    tokens = Template(model.tokenizer).answer(answer)
    with torch.inference_mode():
        logits = model.model(input_ids=torch.tensor([[*prompt, *tokens]])).logits[0].log_softmax(-1)
    return float(logits[range(len(prompt) - 1, len(prompt) + len(tokens) - 1), tokens].sum())


def preferred(folder, place, rows):
    """Of the corrections the share whose right answer gained more than the given one, against the base."""
    base, words = checkpoint.loaded(folder / "base")
    before = generator.Generator(base, words)
    after = forms.opened(place, {"folder": folder})

    def gained(row, answer):
        return likelihood(after, row.text, answer) - likelihood(before, row.text, answer)

    better = [gained(row, row.labels[told.TASK]) > gained(row, row.meta["rejected"]) for row in rows]
    return sum(better) / len(better)


def test_corrections_teach_by_dpo_and_the_opened_model_prefers_them(shop, corrected):
    model, heard = corrected
    assert (model.name, model.base, model.method) == ("shop-preference", "base", "preference.dpo")
    assert preferred(shop, shop / model.uri, told.corrections(range(2))) == 1.0
    assert preferred(shop, shop / model.uri, told.corrections(range(8, 10))) == 1.0
    assert heard[-1]["step"] == heard[-1]["steps"] == 15
    assert heard[-1]["loss"] < 0.5 < heard[0]["loss"]
    assert (heard[0]["reward_accuracy"], heard[-1]["reward_accuracy"]) == (0.0, 1.0)


def test_its_report_says_how_well_with_an_interval(corrected):
    report = corrected[0].report
    assert (report["reward_accuracy"], report["judged"]) == (1.0, 6.0)
    assert 0.5 < report["reward_accuracy_low"] < report["reward_accuracy_high"] == 1.0
    assert report["margin"] > 0
    assert report["validation_loss"] < 0.69
    assert (report["rows"], report["pairs"], report["thumbs"]) == (24.0, 24.0, 0.0)
    assert (report["cut"], report["dropped"], report["bounded"]) == (0.0, 0.0, 0.0)
    assert report["tokens"] > 24
    assert "validation_judged" not in report


def test_the_manifest_says_what_it_is(shop, corrected):
    said = artefact.manifest(shop / corrected[0].uri)
    assert (said["form"], said["kind"], said["method"]) == ("generator", "text", "preference.dpo")
    assert (said["base"]["path"], said["beta"], said["report"]) == ("base", 0.1, corrected[0].report)


def test_a_run_that_ended_and_was_not_stored_costs_no_step_again(shop, corrected):
    heard = []
    given = told.lesson(told.corrections(range(8)), validation=told.corrections(range(8, 10)))
    again = teach(shop, given, heard.append)
    assert (again.id, again.uri, heard) == (corrected[0].id, corrected[0].uri, [])


def test_thumbs_alone_teach_by_kto(shop):
    given = told.lesson(preference=told.thumbs(range(12)), validation=told.thumbs(range(12, 16)))
    model = teach(shop, given, patience=10, steps=12)
    assert model.method == "preference.kto"
    assert (model.report["thumbs"], model.report["pairs"], model.report["judged"]) == (36.0, 0.0, 12.0)
    assert model.report["reward_accuracy"] > 0.9
    assert preferred(shop, shop / model.uri, told.corrections(range(2))) == 1.0


def test_orpo_teaches_without_a_reference(shop):
    model = teach(shop, told.lesson(told.corrections(range(8))), method="orpo", steps=12)
    assert model.method == "preference.orpo"
    row = told.corrections(range(1))[0]
    opened = forms.opened(shop / model.uri, {"folder": shop})
    assert likelihood(opened, row.text, row.labels[told.TASK]) > likelihood(
        opened, row.text, row.meta["rejected"]
    )


@pytest.mark.slow
def test_a_model_taught_by_lora_goes_on_learning_with_its_adapter(shop):
    folders = lessons.folders(shop)
    settings = {**lessons.FAST, "steps": 12}
    taught = lora(lessons.lesson(), **settings, **folders, progress=lambda facts: None)
    given = told.lesson(told.corrections(range(8)), validation=told.corrections(range(8, 10)))
    heard = []
    model = teach(shop, given, heard.append, base=taught.uri, rate=5e-3, steps=10)
    assert heard[0]["loss"] == pytest.approx(0.6931, abs=1e-3)  # the reference is that adapter, not the base
    said = artefact.manifest(shop / model.uri)
    assert (model.base, said["base"]["path"]) == ("base", "base")
    assert model.report["reward_accuracy"] == 1.0
    asked, right = "where is my parcel?", "it is on its way."
    plain, before, after = (
        likelihood(opened, asked, right)
        for opened in (
            generator.Generator(*checkpoint.loaded(shop / "base")),
            forms.opened(shop / taught.uri, {"folder": shop}),
            forms.opened(shop / model.uri, {"folder": shop}),
        )
    )
    assert before != after > plain + 5  # what lora taught is still there


class Stopped(Exception):
    """A run is over before its end."""


def stop_at(step):
    def progress(facts):
        if facts["step"] >= step:
            raise Stopped

    return progress


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_like_one_that_was_not(shop, tmp_path):
    lessons.able(tmp_path / "base")
    given = told.lesson(told.corrections(range(8)), validation=told.corrections(range(8, 10)))
    settings = {"method": "kto", "batch": 4, "rate": 5e-3, "steps": 6}
    with pytest.raises(Stopped):
        teach(tmp_path, given, stop_at(4), **settings)
    assert list((tmp_path / "work").rglob("checkpoint-*"))
    heard = []
    resumed, whole = teach(tmp_path, given, heard.append, **settings), teach(shop, given, **settings)
    assert heard[0]["step"] > 2  # it did not begin anew
    assert resumed.report == whole.report
    assert resumed.uri == whole.uri


def test_a_model_that_writes_no_answers_is_no_base(shop, tmp_path):
    place = artefact.keep(tmp_path, {"form": "head", "labels": ["a"]})
    with pytest.raises(SettingsError, match="is a model that writes no answers"):
        teach(shop, told.lesson(told.corrections(range(2))), base=str(place))


def test_an_estimate_comes_without_a_trace(shop):
    folders, before = lessons.folders(shop), lessons.kept(shop)
    given = {"folder": folders["folder"], "workspace": folders["workspace"]}
    found = estimate(told.lesson(told.corrections(range(8))), base="base", epochs=5, batch=8, **given)
    assert found.tokens > 0
    assert found.cpu_seconds + found.gpu_seconds > 0
    assert lessons.kept(shop) == before


def test_the_door_knows_its_settings():
    about = describe("customize", "preference")
    assert about.handed == ("cluster", "folder", "artefacts", "workspace", "seed", "progress")
    assert {setting.name for setting in about.settings if setting.required} == {"base"}
    with pytest.raises(UnknownSetting, match="method = 'ppo'"):
        check("customize", "preference", {"base": "x", "method": "ppo"})
    assert teaches(preference) == KINDS == ("text",)
