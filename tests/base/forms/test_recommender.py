from collections import Counter
from itertools import permutations
from math import prod

import numpy as np
import pytest
from msgspec.structs import replace

from openflywheel.base.errors import EncoderError
from openflywheel.base.forms.recommender import Recommender, Tastes, opened
from openflywheel.base.instruments.answers import Asked, Ranking
from openflywheel.base.instruments.ngrams import NgramEncoder

TEXTS = ("a tent for camping", "a camping stove", "red lipstick", "a mirror for lipstick", "a gift card")
IDS = ("tent", "stove", "lipstick", "mirror", "card")
FACTORS, CONTENT, POPULAR = [1, 0, 0], [0, 1, 0], [0, 0, 1]


def made(weights=POPULAR, explore=0.1):
    encoder = NgramEncoder()
    content = encoder.encode(TEXTS)
    content[4] = 0  # nobody described it
    tastes = Tastes(
        ids=IDS,
        people={"camper": 0, "painter": 1},
        factors=np.array([[1, 0], [0.9, 0], [0, 1], [0, 0.9], [0.1, 0.1]], np.float32),
        persons=np.array([[1, 0], [0, 1]], np.float32),
        content=content,
        popularity=np.array([0.2, 0.4, 0.3, 0.1, 1.0], np.float32),
        weights=np.array(weights, float),
    )
    return Recommender(tastes, encoder, explore)


def order(weights, k=5, **asked):
    return [item for item, _ in made(weights).best([Asked(**asked)], k)[0]]


def test_a_stranger_gets_what_is_popular():
    assert isinstance(made(), Ranking)
    assert order([1, 1, 1]) == ["card", "stove", "lipstick", "tent", "mirror"]
    assert order([1, 1, 1], subject="nobody we know", session=("gone",)) == order([1, 1, 1])


def test_a_known_person_gets_what_their_factors_say():
    assert order(FACTORS, k=2, subject="camper") == ["tent", "stove"]
    assert order(FACTORS, k=2, subject="painter") == ["lipstick", "mirror"]


def test_a_stranger_is_folded_in_by_the_session_whose_items_are_left_out():
    found = order(FACTORS, session=("tent",))
    assert found[0] == "stove"
    assert "tent" not in found
    assert len(found) == 4


def test_a_session_and_what_is_known_both_count():
    both = made(FACTORS).features(Asked(subject="camper", session=("lipstick",)))[:, 0]
    known = made(FACTORS).features(Asked(subject="camper"))[:, 0]
    session = made(FACTORS).features(Asked(session=("lipstick",)))[:, 0]
    assert both == pytest.approx((known + session) / 2)


def test_folding_in_solves_the_weighed_least_squares_of_the_paper():
    model, chosen = made(FACTORS), [0, 2]
    y, c = model.tastes.factors.astype(float), np.where(np.isin(range(5), chosen), 10.0, 1.0)
    wanted = np.linalg.solve(
        (y * c[:, None]).T @ y + 0.1 * np.eye(2), (y * c[:, None]).T @ np.isin(range(5), chosen)
    )
    assert model.features(Asked(session=("tent", "lipstick")))[:, 0] == pytest.approx(y @ wanted, rel=1e-5)


def test_content_finds_what_is_like_the_session_or_the_words():
    assert order(CONTENT, k=1, session=("lipstick",)) == ["mirror"]
    assert order(CONTENT, k=1, text="stove") == ["stove"]
    assert order(CONTENT, k=2, text="camping", session=("tent",))[0] == "stove"


def test_many_are_answered_as_each_alone():
    asked = [Asked(), Asked(text="stove"), Asked(subject="camper"), Asked(text="red", session=("tent",))]
    model = made([1, 1, 1])
    together = model.best(asked, 5)
    for one, found in zip(asked, together, strict=True):
        (alone,) = model.best([one], 5)
        assert [item for item, _ in found] == [item for item, _ in alone]
    assert model.best([], 5) == []


def test_draws_are_reproducible_and_differ_between_seeds():
    model, asked = made([0, 0, 3]), [Asked()] * 20
    assert model.drawn(asked, 3, 7) == model.drawn(asked, 3, 7)
    assert model.drawn(asked, 3, 7) != model.drawn(asked, 3, 8)
    assert len({tuple(d.item for d in one) for one in model.drawn(asked, 3, 7)}) > 1


def test_propensities_are_the_chances_with_which_items_come():
    model, n = made([0, 0, 2]), 4_000
    lists = model.drawn([Asked()] * n, 2, 0)
    said = {tuple(d.item for d in one): prod(d.propensity for d in one) for one in lists}
    seen = Counter(tuple(d.item for d in one) for one in lists)
    for pair, chance in said.items():
        assert seen[pair] / n == pytest.approx(chance, abs=4 * (chance / n) ** 0.5)
    assert sum(said.values()) == pytest.approx(1)  # all 20 pairs came
    assert set(said) == set(permutations(IDS, 2))


def test_a_policy_is_judged_by_what_another_one_drew():
    logging, target = made([0, 0, 2]), {"tent": 0.7, "card": 0.3}
    worth = dict(zip(IDS, (1.0, 0.2, 0.5, 0.0, 0.4), strict=True))
    drawn = [one[0] for one in logging.drawn([Asked()] * 4_000, 1, 3)]
    estimate = np.mean([target.get(d.item, 0) / d.propensity * worth[d.item] for d in drawn])
    assert estimate == pytest.approx(0.7 * 1.0 + 0.3 * 0.4, abs=0.06)


def test_exploration_keeps_every_propensity_above_its_share():
    lists = made([0, 0, 500], explore=0.2).drawn([Asked()] * 300, 1, 0)
    assert min(one[0].propensity for one in lists) >= 0.2 / 5 - 1e-12
    assert {one[0].item for one in lists} == set(IDS)
    sure = made([0, 0, 500], explore=0.0).drawn([Asked()] * 50, 2, 0)
    assert {tuple(d.item for d in one) for one in sure} == {("card", "stove")}


def test_no_more_is_drawn_than_there_is_and_never_the_session():
    (found,) = made().drawn([Asked(session=("card", "tent"))], 10, 0)
    assert sorted(d.item for d in found) == ["lipstick", "mirror", "stove"]
    assert found[-1].propensity == pytest.approx(1)


def test_it_is_kept_and_opened_as_it_was(tmp_path):
    model = made([1, 2, 0.5])
    place = model.keep(tmp_path, task="next")
    read = opened(place, encoder=NgramEncoder())
    for asked in (Asked(subject="painter"), Asked(session=("tent",)), Asked(text="lipstick")):
        assert [i for i, _ in read.best([asked], 5)[0]] == [i for i, _ in model.best([asked], 5)[0]]
    assert read.explore == 0.1
    assert {file.suffix for file in place.iterdir()} == {".json", ".md", ".safetensors"}


def test_another_encoder_is_refused(tmp_path):
    class Other(NgramEncoder):
        name = "other"

    place = made().keep(tmp_path, task="next")
    with pytest.raises(
        EncoderError, match="taught on the encoder 'ngrams-1024-v1', this process has 'other'"
    ):
        opened(place, encoder=Other())


def test_without_factors_popularity_still_answers():
    tastes = made().tastes
    bare = replace(
        tastes, people={}, persons=np.zeros((0, 2), np.float32), factors=np.zeros((5, 2), np.float32)
    )
    found = Recommender(bare, NgramEncoder(), 0.1).best([Asked(subject="camper", session=("tent",))], 1)
    assert found[0][0][0] == "card"
