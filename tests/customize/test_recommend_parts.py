import numpy as np
import pytest
from scipy.sparse import csr_matrix

from openflywheel.base.forms.recommender import CONFIDENCE, PENALTY, Recommender
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.customize._recommend import joining
from openflywheel.customize._recommend.choices import Choice, Choices
from openflywheel.customize._recommend.factors import _factors, tastes
from openflywheel.customize._recommend.joining import apart, ways

TEXTS = (
    "tent for camping",
    "camping stove",
    "camping lamp",
    "red lipstick",
    "pink lipstick",
    "lipstick case",
)


def known(chosen, texts=TEXTS):
    return Choices(tuple(f"i{place}" for place in range(len(texts))), tuple(texts), chosen)


def content(texts=TEXTS):
    return NgramEncoder().encode(texts)


def two_crowds(people=40):
    """Half choose the first two items, half the fourth and fifth; nobody the third and the sixth."""
    return [
        Choice(f"p{person:02}", item + 3 * (person % 2), 1.0) for person in range(people) for item in (0, 1)
    ]


def test_factors_tell_the_crowds_apart_and_are_the_same_for_the_same_seed():
    made = tastes(known(two_crowds()), two_crowds(), content(), 4, seed=0)
    scores = made.persons @ made.factors.T
    campers = np.arange(40) % 2 == 0
    assert (scores[campers, 0] > scores[campers, 3] + 0.5).all()
    assert (scores[~campers, 3] > scores[~campers, 0] + 0.5).all()
    again = tastes(known(two_crowds()), two_crowds(), content(), 4, seed=0)
    assert np.array_equal(again.factors, made.factors)
    assert list(made.people) == sorted(made.people)


def test_a_person_folded_in_by_their_choices_is_who_was_learned():
    matrix = csr_matrix(CONFIDENCE * np.kron(np.eye(2), np.ones((10, 3))))
    persons, items = _factors(matrix, 4, seed=1)
    left = items.T @ items + (CONFIDENCE - 1) * items[:3].T @ items[:3] + PENALTY * np.eye(4)
    folded = np.linalg.solve(left, CONFIDENCE * items[:3].sum(axis=0))
    assert items @ folded == pytest.approx(items @ persons[0], abs=0.05)


def test_a_new_item_gets_the_factors_that_its_words_foretell_and_the_mean_popularity():
    made = tastes(known(two_crowds()), two_crowds(), content(), 4, seed=0)
    camper = made.persons[0]
    assert camper @ made.factors[2] > camper @ made.factors[5]
    assert made.popularity[2] == made.popularity[5] == pytest.approx(made.popularity[[0, 1, 3, 4]].mean())


def test_popularity_lies_between_nothing_and_one_and_counts_weights():
    chosen = [Choice("", 0, 5.0), Choice("p", 1, 1.0), Choice("p", 2, 0.1)]
    made = tastes(known(chosen), chosen, content(), 2, seed=0)
    assert made.popularity.max() == pytest.approx(1)
    assert made.popularity[0] > made.popularity[1] > made.popularity[2] > 0
    assert made.weights.tolist() == [0, 0, 1]


def test_without_known_people_there_are_no_factors():
    chosen = [Choice("", 0, 1.0)]
    made = tastes(known(chosen), chosen, content(), 3, seed=0)
    assert made.people == {}
    assert made.persons.shape == (0, 3)
    assert not made.factors.any()


def test_items_without_text_and_choices_keep_zeros():
    texts, chosen = ("tent", "", "stove"), [Choice("p", 0, 1.0), Choice("p", 2, 1.0)]
    vectors = content(texts)
    vectors[1] = 0
    assert not tastes(known(chosen, texts), chosen, vectors, 2, seed=0).factors[1].any()


def test_the_better_way_has_the_better_figure():
    crowd = two_crowds()
    everything = known(crowd)
    taught, last = apart(everything)
    model = Recommender(tastes(everything, taught, content(), 4, seed=0), NgramEncoder(), 0.1)
    found = {way.name: way for way in ways(model, last)}
    assert set(found) == {"factors", "content", "popular", "mixed"}
    assert found["content"].figure > found["popular"].figure
    assert found["mixed"].figure >= found["content"].figure - 0.1
    assert found["popular"].weights.tolist()[:2] == [0, 0]
    assert found["mixed"].weights[1] > 0
    assert all(0 <= way.figure <= 1 for way in found.values())


def test_one_feature_alone_is_as_sure_as_the_choices_were():
    everything = known(two_crowds())
    taught, last = apart(everything)
    model = Recommender(tastes(everything, taught, content(), 4, seed=0), NgramEncoder(), 0.0)
    content_alone = next(way for way in ways(model, last) if way.name == "content")
    lists = [joining._listed(model, one) for one in last]
    own, plain = (
        np.mean([_likely(one, weights) for one in lists])
        for weights in (content_alone.weights, content_alone.weights / content_alone.weights.max())
    )
    assert content_alone.weights.tolist()[::2] == [0, 0]
    assert own > plain + 0.2


def _likely(one, weights):
    """The log chance of what was chosen, by a softmax of the scores."""
    scores = one.features @ weights
    return scores[one.right.argmax()] - np.log(np.exp(scores).sum())


def test_the_session_is_no_candidate_for_what_comes_next():
    everything = known(two_crowds())
    taught, last = apart(everything)
    model = Recommender(tastes(everything, taught, content(), 4, seed=0), NgramEncoder(), 0.1)
    listed = joining._listed(model, last[0])
    assert len(listed.features) == len(TEXTS) - 1
    assert listed.right.sum() == 1


def test_a_huge_catalogue_is_judged_by_fewer_people(monkeypatch):
    monkeypatch.setattr(joining, "CELLS", 25 * len(TEXTS))
    taught, last = apart(known(two_crowds()))
    assert len(last) == 25
    assert len(taught) == 25 + 15 * 2


def test_a_session_is_no_longer_than_the_newest_choices():
    texts = [f"item {i}" for i in range(60)]
    _, last = apart(known([Choice("p", i, 1.0) for i in range(60)], texts))
    assert last[0].asked.session == tuple(f"i{i}" for i in range(39, 59))
    assert last[0].item == 59
