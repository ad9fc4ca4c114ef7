import numpy as np
import pytest

from openflywheel.base.errors import EncoderError
from openflywheel.base.forms.retriever import Retriever, described, opened, turned
from openflywheel.base.instruments.answers import Asked, Ranking
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.customize._retriever.lexical import index

ITEMS = {
    "kettle": "an electric kettle that boils water",
    "lamp": "a lamp for the desk",
    "chair": "a chair that turns",
    "oven": "an oven with a grill",
}
COSINE, BM25, FUSED = [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 1, 0]


def searching(weights=COSINE, encoder=None):
    encoder = encoder or NgramEncoder()
    nothing = np.zeros((encoder.width, encoder.width), np.float32)
    vectors = encoder.encode(list(ITEMS.values()))
    return Retriever(
        tuple(ITEMS), vectors, nothing, index(list(ITEMS.values())), np.array(weights, float), encoder
    )


class Other(NgramEncoder):
    name = "other"


@pytest.mark.parametrize("weights", [COSINE, BM25, FUSED])
def test_the_item_that_was_asked_for_comes_first(weights):
    made = searching(weights)
    assert isinstance(made, Ranking)
    found = made.best([Asked(text="boils water"), Asked(text="a desk lamp")], 2)
    assert [one[0][0] for one in found] == ["kettle", "lamp"]
    assert all(one[0][1] >= one[1][1] for one in found)
    assert all(len(one) == 2 for one in found)


def test_there_are_no_more_items_than_there_are():
    assert len(searching().best([Asked(text="lamp")], 50)[0]) == len(ITEMS)


def test_nothing_is_found_for_nothing():
    assert searching().best([Asked(subject="a person"), Asked(text="  ")], 3) == [[], []]
    assert searching().best([], 3) == []


def test_it_is_kept_and_opened_as_it_was(tmp_path):
    made = searching(FUSED)
    place = made.keep(tmp_path, task="find", report={"ndcg@10": 0.5})
    read = opened(place, encoder=NgramEncoder())
    asked = [Asked(text="grill"), Asked(text="chair for a desk")]
    assert [[i for i, _ in one] for one in read.best(asked, 4)] == [
        [i for i, _ in one] for one in made.best(asked, 4)
    ]
    assert {file.suffix for file in place.iterdir()} == {".json", ".md", ".safetensors"}


def test_another_encoder_is_refused(tmp_path):
    place = searching().keep(tmp_path, task="find")
    with pytest.raises(EncoderError, match="tuned on the encoder 'ngrams-1024-v1', this process has 'other'"):
        opened(place, encoder=Other())


def test_a_turn_moves_vectors_and_keeps_their_length():
    turn = np.array([[0, 1], [0, 0]], np.float32)
    moved = turned(np.array([[1, 0], [0, 1], [0, 0]], np.float32), turn)
    assert moved[0] == pytest.approx(np.array([0.5, 0.5]) ** 0.5)
    assert moved[1] == pytest.approx([0, 1])
    assert moved[2] == pytest.approx([0, 0])


def test_only_the_best_by_either_score_are_described():
    cosine = np.array([0.9, 0.8, 0.1, 0.0, 0.2], np.float32)
    bm25 = np.array([0, 0, 0, 4, 0], np.float32)
    places, features = described(cosine, bm25, np.zeros(5, np.float32), pool=2)
    assert places.tolist() == [0, 1, 3]
    assert features[:, 0] == pytest.approx([0.9, 0.8, 0.0])
    assert features[:, 1] == pytest.approx([0, 0, 1])
    assert features[:, 2] == pytest.approx([60 / 61, 60 / 62, 0])
    assert features[:, 3] == pytest.approx([0, 0, 60 / 61])


def test_without_a_word_in_common_the_cosine_decides_alone():
    places, features = described(
        np.array([0.1, 0.3], np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32)
    )
    assert places.tolist() == [0, 1]
    assert not features[:, [1, 3, 4]].any()
