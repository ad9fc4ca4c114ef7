import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._labels.dawid_skene import Agreed, Answers, Places, agreed

NOBODY = np.full(400, -1)


def simulated(skills: list[float], items: int = 400, k: int = 4, seed: int = 0) -> tuple[Answers, Places]:
    """Every labeller labels every item, is right so often, and else wrong at random; and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, k, items)
    said = [
        np.where(random.random(items) < skill, truth, (truth + random.integers(1, k, items)) % k)
        for skill in skills
    ]
    item, labeller = np.meshgrid(np.arange(items), np.arange(len(skills)))
    return Answers(item.ravel(), labeller.ravel(), np.concatenate(said)), truth


def of(triples: list[tuple[int, int, int]], k: int = 2, sure: list[int] | None = None) -> Agreed:
    item, labeller, label = (np.array(column) for column in zip(*triples, strict=True))
    known = np.full(item.max() + 1, -1) if sure is None else np.array(sure)
    return agreed(Answers(item, labeller, label), k, known)


def test_known_skills_are_recovered_and_truth_beats_the_majority() -> None:
    skills = [0.95, 0.9, 0.5, 0.45, 0.4]
    answers, truth = simulated(skills)
    found = agreed(answers, 4, NOBODY)
    assert np.abs(found.reliability() - skills).max() < 0.06
    votes = np.zeros((400, 4))
    np.add.at(votes, (answers.item, answers.label), 1)
    right, majority = np.mean(found.truth.argmax(1) == truth), np.mean(votes.argmax(1) == truth)
    assert right > 0.94
    assert right > majority + 0.04


def test_a_known_confusion_is_recovered() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 2_000)
    matrix = np.array([[0.9, 0.1], [0.4, 0.6]])  # of the true label, then the given one
    said = [(random.random(2_000) > matrix[truth, 0]).astype(np.int64) for _ in range(3)]
    item, labeller = np.meshgrid(np.arange(2_000), np.arange(3))
    found = agreed(Answers(item.ravel(), labeller.ravel(), np.concatenate(said)), 2, np.full(2_000, -1))
    assert np.abs(found.right - np.diag(matrix)).max() < 0.07
    assert np.abs(found.together - matrix.T).max() < 0.06


def test_probabilities_are_calibrated() -> None:
    answers, truth = simulated([0.75] * 3, items=3_000)
    found = agreed(answers, 4, np.full(3_000, -1))
    sure = found.truth.max(axis=1)
    hit = found.truth.argmax(axis=1) == truth
    for low, high in [(0.4, 0.8), (0.8, 0.97), (0.97, 1.0)]:
        part = (sure >= low) & (sure <= high)
        assert part.sum() > 100
        assert abs(sure[part].mean() - hit[part].mean()) < 0.06


def test_one_mistake_damns_nobody_and_many_do() -> None:
    good = [(i, who, 0) for i in range(1, 40) for who in (0, 1, 2)]
    once = of([*good, (0, 0, 0), (0, 1, 0), (0, 3, 1)])
    often = of([*good, *((i, 3, 1) for i in range(1, 40)), (0, 0, 0), (0, 1, 0)])
    assert once.reliability()[3] > 0.6
    assert often.reliability()[3] < 0.2
    assert once.reliability()[0] > 0.95


def test_an_unknown_labeller_is_as_good_as_the_average() -> None:
    answers, _ = simulated([0.9, 0.9, 0.6])
    found = agreed(answers, 4, NOBODY)
    unknown = found.alone(np.full(4, -1), np.arange(4))
    known = [found.alone(np.full(4, who), np.arange(4)).mean() for who in (0, 2)]
    assert known[1] < unknown.mean() < known[0]


def test_what_is_known_stays_and_shows_who_is_wrong() -> None:
    triples = [(i, who, int(who < 2)) for i in range(30) for who in range(3)]
    assert of(triples).truth[:, 1].min() > 0.9  # the majority is wrong
    found = of(triples, sure=[0] * 30)
    assert (found.truth[:, 0] == 1).all()
    assert found.reliability()[2] > 0.8
    assert found.reliability()[:2].max() < 0.3


def test_a_tie_between_equals_stays_open() -> None:
    found = of([(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)])
    assert found.truth == pytest.approx(np.full((2, 2), 0.5))


triples = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=25, unique=True
)


def _dense(some: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    places = {item: place for place, item in enumerate(sorted({t[0] for t in some}))}
    return [(places[item], who, label) for item, who, label in some]


@settings(deadline=None)
@given(triples, st.permutations(range(3)))
def test_probabilities_sum_to_one_and_names_of_labels_do_not_matter(
    some: list[tuple[int, int, int]], names: list[int]
) -> None:
    some = _dense(some)
    found, renamed = of(some, 3), of([(i, w, names[label]) for i, w, label in some], 3)
    assert found.truth.sum(axis=1) == pytest.approx(1)
    assert ((found.reliability() > 0) & (found.reliability() < 1)).all()
    assert renamed.truth[:, names] == pytest.approx(found.truth, abs=1e-3)
    assert renamed.reliability() == pytest.approx(found.reliability(), abs=1e-3)


@settings(deadline=None)
@given(triples, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(some: list[tuple[int, int, int]], random: object) -> None:
    some = _dense(some)
    assert of(some[::-1], 3).truth == pytest.approx(of(some, 3).truth, abs=1e-6)
