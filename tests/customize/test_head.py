import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms import many, opened, paths
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.artefact import manifest
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize.head import head

WORDS = {
    "refund": "money back {} please return it",
    "parcel": "where is my parcel {} late",
    "login": "password {} login",
}


def lesson(per_label=6, labels=tuple(WORDS)):
    rows = [
        Row(text=WORDS[name].format(i), source="t", labels={"route": name})
        for name in labels
        for i in range(per_label)
    ]
    dataset = Dataset(name="d", task="route", role="train", rows=tuple(r.id for r in rows), recipe="")
    return Lesson(dataset, rows)


def test_a_head_is_taught_reported_and_can_be_read_back(tmp_path):
    encoder = NgramEncoder()
    model = head(lesson(), encoder=encoder, artefacts=tmp_path)
    assert model.taught_by == (lesson().dataset.id,)
    assert model.report["rows"] == 18
    assert model.report["labels"] == 3
    assert model.report["accuracy"] > 0.9
    assert 0 <= model.report["ece"] <= 1
    read = Head.read(tmp_path / model.uri.rpartition("/")[2])
    assert read.predict(encoder.encode(["password lost, no login", "money back now"])) == ["login", "refund"]
    assert read.encoder == encoder.name


def test_the_same_lesson_makes_the_same_model(tmp_path):
    first, second = (head(lesson(), encoder=NgramEncoder(), artefacts=tmp_path) for _ in range(2))
    assert first.id == second.id
    assert first.uri == second.uri
    assert len(list(tmp_path.iterdir())) == 1


def test_one_label_is_nothing_to_choose_from(tmp_path):
    with pytest.raises(SettingsError, match="'route' has examples of 1 label; a classifier needs two"):
        head(lesson(labels=("refund",)), encoder=NgramEncoder(), artefacts=tmp_path)


def test_contradicting_labels_make_a_head_less_sure(tmp_path):
    taught = lesson(per_label=40)
    random = np.random.default_rng(0)
    noisy = [
        Row(text=r.text, source="t", labels={"route": str(random.choice(list(WORDS)))}) if i % 2 else r
        for i, r in enumerate(taught.rows)
    ]
    sure, unsure = (
        head(each, encoder=NgramEncoder(), artefacts=tmp_path)
        for each in (taught, Lesson(taught.dataset, noisy))
    )
    assert unsure.report["accuracy"] < sure.report["accuracy"]
    texts = NgramEncoder().encode([r.text for r in taught.rows])
    confidence = [
        Head.read(tmp_path / m.uri.rpartition("/")[2]).probabilities(texts).max(axis=1).mean()
        for m in (sure, unsure)
    ]
    assert confidence[1] < confidence[0] - 0.1


class Small:
    """Words and their parts, mixed into few numbers: a narrow encoder is quick to learn on."""

    name, width = "small", 96

    def encode(self, texts):
        mixed = NgramEncoder().encode(texts) @ np.random.default_rng(0).normal(
            size=(NgramEncoder.width, self.width)
        )
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


def taught(tmp_path, labels, kind="label", **settings):
    """A head on sentences with these labels, and where it lies."""
    texts = [WORDS[name].format(i) for i, name in enumerate(sorted(WORDS) * (len(labels) // 3))]
    rows = [
        Row(text=text, source="t", subject=f"p{i}", labels={"route": label})
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    dataset = Dataset(name="d", task="route", role="train", rows=tuple(r.id for r in rows), recipe="")
    model = head(Lesson(dataset, rows, kind), encoder=Small(), artefacts=tmp_path, **settings)
    return model, tmp_path / model.uri.rpartition("/")[2]


def test_its_manifest_says_what_it_is(tmp_path):
    model, place = taught(tmp_path, ["a", "b", "c"] * 10)
    said = manifest(place)
    assert (said["form"], said["kind"], said["task"]) == ("head", "label", "route")
    assert said["method"] == model.method
    assert said["base"] == {"name": Small.name}
    assert said["taught_by"] == list(model.taught_by)
    assert said["report"] == model.report


def test_a_number_task_is_taught_an_estimate_with_an_interval(tmp_path):
    values = ["10", "20", "30"] * 20
    model, place = taught(tmp_path, values, kind="number")
    assert model.report["mae"] < 1 < model.report["mae_of_mean"]
    assert model.report["coverage"] >= 0.8
    answers = opened(place, {"encoder": Small(), "ask": None})
    value, low, high = answers.estimates(["password 99 login"])[0]
    assert value == pytest.approx(10, abs=2)
    assert low <= value <= high
    assert manifest(place)["form"] == "number"


def test_settings_of_label_tasks_leave_a_number_task_alone(tmp_path):
    values = ["10", "20", "30"] * 20
    plain, other = (
        taught(tmp_path, values, kind="number", **each) for each in ({}, {"prior": "traffic", "levels": True})
    )
    assert plain[1] == other[1]


def test_several_labels_at_once(tmp_path):
    model, place = taught(tmp_path, ["slow|late", "late", "slow"] * 20, many=True)
    answers = many.opened(place, encoder=Small())
    assert sorted(answers.labels) == ["late", "late|slow", "slow"]
    texts = ["password 99 login", "money back 99 please return it"]
    said = [answers.labels[i] for i in answers.probabilities(texts).argmax(axis=1)]
    assert said == ["late|slow", "slow"]
    assert model.method.startswith("head.many_")


def test_labels_that_are_paths(tmp_path):
    _, place = taught(tmp_path, ["account/login", "order/parcel", "order/refund"] * 8, levels=True, sure=0.6)
    answers = paths.opened(place, encoder=Small())
    assert "order" in answers.labels
    assert answers.head.sure == 0.6
    found = answers.probabilities(["password 99 login", "is it late, please, my parcel? money back, return"])
    assert answers.labels[found[0].argmax()] == "account/login"
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_person_is_unlearned_from_the_sums_alone(tmp_path):
    labels = ["a", "b", "c"] * 12
    model, place = taught(tmp_path, labels, method="discriminant")
    assert model.method == "head.discriminant"
    whole = Head.read(place)
    texts = [WORDS[name].format(i) for i, name in enumerate(sorted(WORDS) * 12)]
    mine, encoder = slice(0, 3), Small()
    vectors = encoder.encode(texts)
    less = whole.changed(whole.sums.minus(vectors[mine], whole.indicators(labels[mine]), np.ones(3)))
    rest = Lesson(
        Dataset(name="d", task="route", role="train", rows=(), recipe=""),
        [
            Row(text=t, source="t", labels={"route": label})
            for t, label in zip(texts[3:], labels[3:], strict=True)
        ],
    )
    alone = head(rest, method="discriminant", encoder=encoder, artefacts=tmp_path)
    expected = Head.read(tmp_path / alone.uri.rpartition("/")[2])
    np.testing.assert_allclose(less.scores(vectors), expected.scores(vectors), atol=2e-4)


def test_no_text_stands_in_what_is_kept(tmp_path):
    _, place = taught(tmp_path, ["a", "b", "c"] * 10, method="discriminant")
    kept = b"".join(file.read_bytes() for file in place.iterdir())
    assert b"password" not in kept
    assert b"parcel" not in kept


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"many": True, "levels": True}, "many excludes levels and method"),
        ({"many": True, "method": "centroid"}, "many excludes levels and method"),
        ({"levels": True, "sure": 0.3}, "sure = 0.3; give a chance of at least 0.5"),
        ({"sure": 1.2}, "sure = 1.2; give a chance"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(settings, said, tmp_path):
    with pytest.raises(SettingsError, match=said):
        taught(tmp_path, ["a", "b", "c"] * 10, **settings)
