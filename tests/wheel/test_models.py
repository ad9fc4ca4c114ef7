"""The models of a store: listed, compared, carried from one store to another."""

import json
import shutil

import msgspec
import numpy as np
import pytest

from openflywheel.base.champion import PROMOTION, ROLLBACK
from openflywheel.base.errors import EncoderError, StoreError, UnknownModel, UnknownTask
from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import Dataset, Model, Verdict
from openflywheel.wheel.models import difference, exported, imported, listed, shown


def verdict(model, check, passed):
    return Verdict(check=check, about=model.id, task=model.task, passed=passed)


@pytest.fixture
def first(wheel):
    """The model that serves from the first turn on."""
    return wheel.champion("route")


@pytest.fixture
def second(wheel, first):
    """A later one, taught by other rows, whose artefact has a label less."""
    from openflywheel.base.forms.head import Head

    head = Head.read(wheel.store.path / first.uri)
    less = msgspec.structs.replace(
        head, labels=head.labels[:-1], weights=head.weights[:, :-1], bias=head.bias[:-1]
    )
    place = less.keep(wheel.store.artefacts, method="mean", task="route", report={"accuracy": 0.5})
    before = wheel.store.get(Dataset, first.taught_by)[first.taught_by[0]]
    dataset = Dataset(name="route-train", task="route", role="train", rows=before.rows[1:], recipe="other")
    model = Model(
        name="route-centroid",
        task="route",
        base=first.base,
        method="head.centroid",
        taught_by=(dataset.id,),
        uri=f"models/{place.name}",
        report={"accuracy": 0.5},
    )
    wheel.store.append([dataset, model])
    return model


def test_the_newest_comes_first_with_what_became_of_it(wheel, first, second):
    assert [(m.id, m.state) for m in listed(wheel.store)] == [(second.id, "waits"), (first.id, "serves")]
    wheel.store.append([verdict(second, "accuracy", "no")])
    assert listed(wheel.store)[0].state == "refused"
    wheel.store.append([verdict(second, PROMOTION, "yes")])
    assert [m.state for m in listed(wheel.store)] == ["serves", "served"]


def test_one_is_shown_by_its_task_or_the_beginning_of_its_id(wheel, first):
    found = shown(wheel.store, "route")
    assert found.model == first == shown(wheel.store, first.id[:8]).model
    assert found.manifest["labels"] == ["login", "parcel", "refund"]
    assert found.size > 1000
    assert {v.check for v in found.verdicts} >= {"accuracy", PROMOTION}
    with pytest.raises(UnknownModel, match="there is no model 'rout'; did you mean 'route'"):
        shown(wheel.store, "rout")


def test_what_changed_between_two_is_told(wheel, first, second):
    found = difference(wheel.store, first.id, second.id)
    assert (found.labels_came, found.labels_left) == ([], ["refund"])
    assert (found.rows_came, found.rows_left) == (0, 1)
    assert found.report["accuracy"] == (first.report["accuracy"], 0.5)
    assert found.facts["method"] == ("head.centroid", "mean")
    same = difference(wheel.store, first.id, first.id)
    assert (same.facts, same.report, same.rows_came) == ({}, {}, 0)


def test_one_that_was_changed_on_disk_is_not_shown(wheel, first):
    (wheel.store.path / first.uri / "README.md").write_text("another card")
    with pytest.raises(StoreError, match=r"README\.md is missing or another one"):
        shown(wheel.store, "route")


class TestCarrying:
    @pytest.fixture
    def folder(self, wheel, first, tmp_path):
        """The champion, exported."""
        exported(wheel.store, "route", tmp_path / "out")
        return tmp_path / "out"

    def test_what_goes_out_comes_in_as_a_candidate_that_answers_the_same(self, wheel, first, folder):
        texts = ["where is my parcel", "refund me now"]
        before = wheel.handed.predict(first, texts)
        shutil.rmtree(wheel.store.path / first.uri)
        model = imported(wheel.settings, wheel.store, folder)
        assert (model.task, model.uri, model.report) == ("route", first.uri, first.report)
        assert wheel.handed.predict(model, texts) == before
        assert model.taught_by == first.taught_by

    def test_nothing_is_written_over(self, wheel, folder):
        with pytest.raises(StoreError, match="is there already"):
            exported(wheel.store, "route", folder)

    def test_a_program_beside_the_weights_is_refused(self, wheel, folder):
        (folder / "adapter_model.bin").write_bytes(b"\x80\x04")
        before = len(wheel.store.all(Model))
        with pytest.raises(StoreError, match=r"holds 'adapter_model\.bin', which its manifest does not name"):
            imported(wheel.settings, wheel.store, folder)
        assert len(wheel.store.all(Model)) == before

    @pytest.mark.parametrize("name", ["model.pkl", "../out.json"])
    def test_a_manifest_that_names_what_it_may_not_is_refused(self, name, wheel, folder):
        said = json.loads((folder / "manifest.json").read_text())
        said["files"][name] = "0" * 64
        (folder / "manifest.json").write_text(json.dumps(said))
        with pytest.raises(StoreError, match="may not hold"):
            imported(wheel.settings, wheel.store, folder)

    @pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"files": 3}'])
    def test_a_manifest_that_is_none_is_refused(self, text, wheel, folder):
        (folder / "manifest.json").write_text(text)
        with pytest.raises(StoreError, match="names no files"):
            imported(wheel.settings, wheel.store, folder)

    def test_a_changed_file_is_refused(self, wheel, folder):
        weights = folder / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1] + b"\7")
        with pytest.raises(StoreError, match=r"weights\.safetensors is missing or another one"):
            imported(wheel.settings, wheel.store, folder)

    def test_a_task_that_there_is_not_is_told(self, wheel, folder):
        with pytest.raises(UnknownTask, match="no task 'rout'; did you mean 'route'"):
            imported(wheel.settings, wheel.store, folder, task="rout")


HEAD = {
    "task": "route",
    "form": "head",
    "labels": ["a", "b"],
    "encoder": "ngrams",
    "sharpness": 1.0,
    "gamma": 0.0,
}
BASE = {"name": "tiny", "path": "nowhere", "sha256": "0" * 64}
GENERATOR = {"task": "route", "form": "generator", "labels": ["a", "b"], "base": BASE}


class TestRefusedImports:
    """What nobody could open or keep leaves the store as it was."""

    @pytest.fixture
    def refused(self, wheel, first, tmp_path):
        """Import a model with this manifest, and look whether the store was touched."""

        def take(said, error, match):
            tensors = {"weights": np.zeros((4, 2), np.float32), "bias": np.zeros(2, np.float32)}
            place = artefact.keep(tmp_path, HEAD, tensors)
            files = artefact.manifest(place)["files"]
            (place / "manifest.json").write_text(json.dumps({**said, "files": files}))
            before = wheel.store.counts(), sorted(wheel.store.artefacts.iterdir())
            with pytest.raises(error, match=match):
                imported(wheel.settings, wheel.store, place)
            assert (wheel.store.counts(), sorted(wheel.store.artefacts.iterdir())) == before

        return take

    @pytest.mark.parametrize(
        ("said", "match"),
        [
            ({**HEAD, "form": "nobody"}, "its form is 'nobody'"),
            ({**HEAD, "form": ["head"]}, r"its form is \"\['head'\]\""),
            (
                {name: said for name, said in HEAD.items() if name != "gamma"},
                "none of the form 'head': KeyError: 'gamma'",
            ),
            ({**HEAD, "labels": 3}, "none of the form 'head': TypeError"),
            (GENERATOR, "nowhere"),
        ],
    )
    def test_what_nobody_can_open(self, said, match, refused):
        refused(said, StoreError, match)

    def test_what_was_taught_on_another_encoder(self, refused):
        refused({**HEAD, "encoder": "another"}, EncoderError, "taught on the encoder 'another'")

    @pytest.mark.parametrize("said", [{"report": {"accuracy": "high"}}, {"taught_by": [1, 2]}, {"report": 3}])
    def test_what_describes_no_model(self, said, refused):
        refused({**HEAD, **said}, StoreError, r"manifest\.json describes no model: Expected")

    @pytest.mark.parametrize("task", ["nosuch", ["route"], 7])
    def test_what_is_of_no_task(self, task, refused):
        refused({**HEAD, "task": task}, UnknownTask, "there is no task")


def test_a_text_model_is_opened_by_its_generator_alone(new, reopen, tmp_path):
    wheel = reopen(new, ("tasks: {", "tasks: {help: {kind: text}, "))
    place = artefact.keep(tmp_path, {**GENERATOR, "task": "help"})
    model = imported(wheel.settings, wheel.store, place)
    assert artefact.manifest(wheel.store.path / model.uri)["base"] == BASE


class TestStates:
    """What became of a model is told by its verdicts, whatever their order."""

    def test_a_promotion_that_failed_or_says_nothing_makes_no_champion(self, wheel, first, second):
        wheel.store.append([verdict(second, PROMOTION, "inconclusive")])
        assert shown(wheel.store, second.id).state == "waits"
        wheel.store.append([verdict(second, PROMOTION, "no")])
        assert shown(wheel.store, second.id).state == "refused"
        assert shown(wheel.store, "route").model == first

    def test_one_that_serves_again_serves(self, wheel, first, second):
        wheel.store.append([verdict(second, PROMOTION, "yes"), verdict(second, "accuracy", "no")])
        assert shown(wheel.store, second.id).state == "serves"
        wheel.store.append([verdict(first, ROLLBACK, "yes")])
        states = {m.id: m.state for m in listed(wheel.store)}
        assert states == {first.id: "serves", second.id: "served"}

    def test_decisions_stand_newest_first_and_are_its_own(self, wheel, first, second):
        wheel.store.append([verdict(second, "accuracy", "no"), verdict(second, PROMOTION, "yes")])
        assert [v.check for v in shown(wheel.store, second.id).verdicts] == [PROMOTION, "accuracy"]
        assert {v.about for v in shown(wheel.store, first.id).verdicts} == {first.id}

    def test_one_whose_files_are_gone_is_still_listed(self, wheel, first):
        shutil.rmtree(wheel.store.path / first.uri)
        assert [(m.id, m.size) for m in listed(wheel.store)] == [(first.id, 0)]
        with pytest.raises(StoreError, match="there is no model in"):
            shown(wheel.store, "route")


def test_a_difference_the_other_way_round_is_turned_round(wheel, first, second):
    there, back = (difference(wheel.store, *pair) for pair in ((first.id, second.id), (second.id, first.id)))
    assert (back.labels_came, back.labels_left) == (there.labels_left, there.labels_came)
    assert (back.rows_came, back.rows_left) == (there.rows_left, there.rows_came)
    assert back.facts == {name: pair[::-1] for name, pair in there.facts.items()}
    assert back.report == {name: pair[::-1] for name, pair in there.report.items()}


def test_an_import_that_is_refused_for_its_task_leaves_no_model(wheel, first, tmp_path):
    exported(wheel.store, "route", tmp_path / "out")
    before = wheel.store.counts()
    with pytest.raises(UnknownTask):
        imported(wheel.settings, wheel.store, tmp_path / "out", task="rout")
    assert wheel.store.counts() == before
    assert [m.id for m in listed(wheel.store)] == [first.id]


def test_a_damaged_model_is_mended_by_its_copy(wheel, first, tmp_path):
    exported(wheel.store, "route", tmp_path / "out")
    weights = wheel.store.path / first.uri / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\7")
    imported(wheel.settings, wheel.store, tmp_path / "out")
    assert shown(wheel.store, "route").model == first


def test_a_copy_into_a_folder_that_is_not_there_says_what_to_do(wheel, first, tmp_path):
    with pytest.raises(StoreError, match=r"there is no folder .*/no/such.*mkdir -p"):
        exported(wheel.store, "route", tmp_path / "no" / "such" / "out")


def test_what_cannot_go_out_leaves_nothing_behind(wheel, first, tmp_path):
    weights = wheel.store.path / first.uri / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(StoreError, match="weights"):
        exported(wheel.store, "route", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
