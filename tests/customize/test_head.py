import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.head import Head
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
