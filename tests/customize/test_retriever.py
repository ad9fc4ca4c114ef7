from pathlib import Path

import numpy as np
import pytest

from openflywheel.base.door import load
from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.base.forms import opened
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.items import is_item
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson, teaches
from openflywheel.customize.retriever import estimate, retriever

# What customers say, and what suppliers say for the same.
WORDS = {
    "telly": "television", "sofa": "couch", "fridge": "refrigerator", "brolly": "umbrella",
    "bike": "velocipede",
    "specs": "eyeglasses", "mobile": "handset", "hoover": "suction", "jumper": "pullover", "tap": "faucet",
    "torch": "flashlight", "nappy": "diaper", "pram": "stroller", "rubbish": "waste", "lorry": "truck",
    "cooker": "range",
}  # fmt: skip
SAID = ("I want a {} and a {}", "{} {} please", "where is the {} with a {}", "do you have {} or {}")
quiet = {"progress": lambda facts: None, "seed": 0, "folder": Path()}


class Small(NgramEncoder):
    """Its vectors in 128 numbers: what is tested is no better with more."""

    name, width = "small", 128

    def encode(self, texts):
        folded = super().encode(texts).reshape(len(texts), -1, self.width).sum(axis=1)
        return (folded / np.maximum(np.linalg.norm(folded, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def click(text, item, weight=1.0):
    return Row(text=text, source="t", labels={"find": item}, weight=weight)


def catalogue(pairs):
    return [
        Row(text=f"supplier's {WORDS[a]}, {WORDS[b]}", source="t", meta={"item": f"{a}-{b}"})
        for a, b in pairs
    ]


def shop(seed=0, pairs=44):
    """Items of two things, and clicks in the customers' words: those to teach and those to be judged by."""
    random = np.random.default_rng(seed)
    every = [(a, b) for i, a in enumerate(WORDS) for b in list(WORDS)[i + 1 :]]
    chosen = [every[i] for i in random.choice(len(every), pairs, replace=False)]
    clicks = [[click(said.format(a, b), f"{a}-{b}") for said in SAID] for a, b in chosen]
    cut = pairs * 3 // 4  # items of the last quarter are never clicked
    taught, tested = [c for one in clicks[:cut] for c in one], [c for one in clicks[cut:] for c in one]
    return catalogue(chosen), taught, tested


def lesson(rows, validation=()):
    dataset = Dataset(name="d", task="find", role="train", rows=tuple(r.id for r in rows), recipe="")
    items = [row for row in rows if is_item(row)]
    return Lesson(dataset, [row for row in rows if row.labels], "rank", validation, items=items)


def gain(found, tested):
    best = found.best([Asked(text=row.text) for row in tested], 10)
    return np.mean([ndcg([i for i, _ in b], {r.labels["find"]}) for b, r in zip(best, tested, strict=True)])


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    items, clicks, tested = shop()
    seen = []
    told = {**quiet, "progress": seen.append}
    model = retriever(lesson([*items, *clicks]), encoder=Small(), artefacts=folder, **told)
    return folder, model, items, clicks, tested, seen


def test_it_learns_the_customers_words_for_items_that_nobody_clicked_yet(taught):
    folder, model, _, _, tested, _ = taught
    found = opened(folder / model.uri.rpartition("/")[2], {"encoder": Small()})
    assert model.report["ndcg@10 encoder"] < 0.4
    assert gain(found, tested) > 0.7
    assert model.report["ndcg@10"] > model.report["ndcg@10 encoder"] + 0.3


def test_the_model_says_what_it_was_taught_with_and_how_well_it_did(taught):
    _, model, items, clicks, _, _ = taught
    assert (model.name, model.task, model.base) == ("find-retriever", "find", "small")
    assert model.method == "retriever." + max(
        ("tuned", "bm25", "fused", "reranked"), key=lambda way: model.report[f"ndcg@10 {way}"]
    )
    assert model.report["items"] == len(items)
    assert model.report["questions"] + model.report["validation questions"] == len(clicks)
    assert model.report["rows of unknown items"] == 0


def test_it_tells_of_its_progress(taught):
    *_, seen = taught
    assert [facts["step"] for facts in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["loss"] < seen[0]["loss"]


def test_the_same_lesson_makes_the_same_model(taught):
    folder, model, items, clicks, _, _ = taught
    again = retriever(lesson([*items, *clicks]), encoder=Small(), artefacts=folder, **quiet)
    assert (again.id, again.uri) == (model.id, model.uri)


def test_validation_rows_choose_and_do_not_teach(tmp_path):
    items, clicks, tested = shop()
    model = retriever(lesson([*items, *clicks], tested), encoder=Small(), artefacts=tmp_path, **quiet)
    assert model.report["questions"] == len(clicks)
    assert model.report["validation questions"] == len(tested)
    found = opened(tmp_path / model.uri.rpartition("/")[2], {"encoder": Small()})
    if model.method != "retriever.reranked":  # whose figure is out of fold
        assert gain(found, tested) == pytest.approx(model.report["ndcg@10"], abs=0.01)


def test_where_words_are_the_same_bm25_is_heard(tmp_path):
    numbers = np.random.default_rng(0).permutation(900)[:60]
    items = [Row(text=f"part number x{n:03}", source="t", meta={"item": str(n)}) for n in numbers]
    clicks = [click(f"I need x{n:03}", str(n)) for n in numbers]
    model = retriever(lesson([*items, *clicks]), encoder=Small(), artefacts=tmp_path, **quiet)
    assert model.report["ndcg@10 bm25"] == pytest.approx(1)
    assert model.report["ndcg@10"] == pytest.approx(1)


def test_clicks_on_items_that_are_gone_are_counted_and_left_out(tmp_path):
    items, clicks, _ = shop(pairs=10)
    gone = [click("the old thing", "gone"), click("another", "gone")]
    model = retriever(lesson([*items, *clicks, *gone]), encoder=Small(), artefacts=tmp_path, **quiet)
    assert model.report["rows of unknown items"] == 2


def test_a_shop_without_items_or_without_clicks_is_refused(tmp_path):
    items, clicks, _ = shop(pairs=10)
    with pytest.raises(SettingsError, match="task 'find' has 0 items to find.*whose meta says 'item'"):
        retriever(lesson(clicks), encoder=Small(), artefacts=tmp_path, **quiet)
    with pytest.raises(
        SettingsError, match="task 'find' has 5 questions whose right item is known.*needs 25"
    ):
        retriever(lesson([*items, *clicks[:5]]), encoder=Small(), artefacts=tmp_path, **quiet)
    assert not list(tmp_path.iterdir())


def test_it_comes_through_the_door_and_teaches_rank_tasks(tmp_path):
    plugin = load("customize", "retriever", {}, {"encoder": Small(), "artefacts": tmp_path, **quiet})
    assert teaches(plugin) == ("rank",)


def test_epochs_and_torch_are_looked_for_before_anything_is_taught(tmp_path, monkeypatch):
    items, clicks, _ = shop(pairs=10)
    given = {"encoder": Small(), "artefacts": tmp_path, **quiet}
    with pytest.raises(SettingsError, match="epochs = 0; give 1 or more"):
        retriever(lesson([*items, *clicks]), epochs=0, **given)
    monkeypatch.setattr("openflywheel.customize.retriever.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"lora needs 'torch': pip install 'openflywheel\[encoder\]'"):
        retriever(lesson([*items, *clicks]), lora=True, **given)
    with pytest.raises(MissingExtra):
        estimate(lesson([*items, *clicks]), lora=True, **given)


def test_a_frozen_encoder_needs_no_estimate(tmp_path):
    items, clicks, _ = shop(pairs=10)
    assert estimate(lesson([*items, *clicks]), encoder=Small(), artefacts=tmp_path, **quiet) is None
