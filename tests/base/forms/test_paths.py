"""Labels that are paths: the deepest sure place is answered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from openflywheel.base.errors import EncoderError
from openflywheel.base.forms.head import Head
from openflywheel.base.forms.paths import Paths, lineage, opened
from openflywheel.base.instruments.answers import Labelling

PATHS = ("billing/invoice/copy", "billing/invoice/wrong", "billing/refund", "login")
LABELS = ("billing", "billing/invoice", *PATHS)
WIDTH = len(PATHS)


class Plain:
    """Every text has the same vector."""

    name = "plain"

    def encode(self, texts):
        return np.ones((len(texts), WIDTH), np.float32)


def tree(sure=0.5, paths=PATHS):
    k = len(paths)
    return Paths.of(Head(paths, np.eye(k, dtype=np.float32), np.zeros(k, np.float32), "plain"), sure)


def answer(found, labels):
    return [labels[i] for i in found.argmax(axis=1)]


def test_a_path_has_its_branches_above_it():
    assert lineage("a/b/c") == ("a", "a/b", "a/b/c")
    assert lineage("a") == ("a",)


def test_labels_are_the_paths_and_all_branches():
    assert tree().labels == tuple(sorted(LABELS))


def test_a_branch_has_the_chance_of_all_below_it():
    found = tree()
    chance = found.chances(np.log(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)))[0]
    said = dict(zip(found.labels, chance.tolist(), strict=True))
    assert said["billing/invoice"] == pytest.approx(0.3)
    assert said["billing"] == pytest.approx(0.6)
    assert said["login"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("leaves", "said", "chance"),
    [
        ([0.1, 0.1, 0.7, 0.1], "billing/refund", 0.7),
        ([0.4, 0.3, 0.1, 0.2], "billing/invoice", 0.7),
        ([0.25, 0.15, 0.45, 0.15], "billing", 0.85),
        ([0.1, 0.1, 0.1, 0.7], "login", 0.7),
    ],
)
def test_the_deepest_sure_place_is_answered_with_its_chance(leaves, said, chance):
    found = tree()
    out = found.rolled(np.array([leaves], np.float32))
    assert answer(out, found.labels) == [said]
    assert out.max() == pytest.approx(chance)


def test_where_nothing_is_sure_the_paths_stay_as_they_are():
    found = tree(sure=0.8)
    leaves = np.array([[0.2, 0.2, 0.2, 0.4]], np.float32)
    out = found.rolled(leaves)
    assert answer(out, found.labels) == ["login"]
    assert sorted(out[0][out[0] > 0].tolist()) == sorted(leaves[0].tolist())


def test_one_that_is_surer_answers_less_deep():
    leaves = np.array([[0.6, 0.1, 0.2, 0.1]], np.float32)
    said = [answer(tree(sure).rolled(leaves), tree().labels)[0] for sure in (0.5, 0.65, 0.85)]
    assert said == ["billing/invoice/copy", "billing/invoice", "billing"]


def test_a_branch_may_itself_be_taught():
    found = tree(paths=("billing", "billing/refund", "login"))
    assert found.labels == ("billing", "billing/refund", "login")
    out = found.rolled(np.array([[0.4, 0.3, 0.3], [0.1, 0.8, 0.1]], np.float32))
    assert answer(out, found.labels) == ["billing", "billing/refund"]
    assert out[0].tolist() == pytest.approx([0.7, 0, 0.3])
    assert out[1].tolist() == pytest.approx([0.1, 0.8, 0.1])


def test_a_name_that_only_begins_alike_is_not_below():
    found = tree(paths=("bill", "billing/refund", "billing/invoice"))
    branches = found.below[:, 0] < found.below[:, 1]
    assert [found.labels[place] for place in np.flatnonzero(branches)] == ["billing"]


@given(
    arrays.arrays(np.float32, (7, WIDTH), elements=st.floats(-6, 6, width=32)), st.floats(0.5, 1, width=32)
)
def test_rows_sum_to_one_and_levels_agree(scores, sure):
    found = tree(sure)
    out, chance = found.probabilities(scores), found.chances(scores)
    np.testing.assert_allclose(out.sum(axis=1), 1, atol=1e-5)
    place = {label: i for i, label in enumerate(found.labels)}
    below = chance[:, place["billing/invoice"]] + chance[:, place["billing/refund"]]
    np.testing.assert_allclose(chance[:, place["billing"]], below, atol=1e-5)
    assert (out <= chance + 1e-5).all()


@st.composite
def trees(draw):
    """Paths of a few names, some of which sort before and after the slash, or are empty."""
    name = st.sampled_from(["a", "b", "a!", "a0", ""])
    paths = draw(st.lists(st.lists(name, min_size=1, max_size=4), min_size=2, max_size=9, unique_by=tuple))
    return tuple(sorted("/".join(path) for path in paths))


@given(trees(), st.sampled_from([0.5, 0.7, 0.9]), st.integers(0, 9))
def test_what_is_answered_is_what_the_tree_says_branch_by_branch(paths, sure, seed):
    found = tree(sure, paths)
    leaves = np.random.default_rng(seed).dirichlet(np.full(len(paths), 0.3), 5).astype(np.float32)
    assert set(found.labels) == {label for path in paths for label in lineage(path)}
    under = {label: [label in lineage(path) for path in paths] for label in found.labels}
    for row, out in zip(leaves, found.rolled(leaves), strict=True):
        chance = {label: row[under[label]].sum(dtype=np.float64) for label in found.labels}
        expected = dict.fromkeys(found.labels, 0.0) | dict(zip(paths, row.tolist(), strict=True))
        for label in found.labels:
            below = [one for one in found.labels if label in lineage(one)[:-1]]
            if below and chance[label] >= sure and all(chance[one] < sure for one in below):
                expected |= dict.fromkeys(below, 0.0) | {label: chance[label]}
        assert dict(zip(found.labels, out.tolist(), strict=True)) == pytest.approx(expected, abs=1e-6)


def test_many_labels_are_kept_in_little():
    """A place for each, not a table of all against all: 4,000 labels took 67 MB and 4 CPU-s to open."""
    paths = tuple(sorted(f"a{n % 20}/b{n % 200}/c{n}" for n in range(4_000)))
    found = Paths.of(Head(paths, np.zeros((2, 4_000), np.float32), np.zeros(4_000, np.float32), "e"), 0.5)
    assert len(found.labels) == 4_220
    assert sum(each.nbytes for each in (found.taught, found.above, found.below)) < 200_000
    out = found.probabilities(np.ones((1, 2), np.float32))
    assert out.sum() == pytest.approx(1, abs=1e-4)


def test_it_comes_back_from_disk_and_answers_texts(tmp_path):
    found = tree(sure=0.7)
    answers = opened(found.keep(tmp_path, task="desk"), encoder=Plain())
    assert isinstance(answers, Labelling)
    assert answers.labels == found.labels
    assert answers.head.sure == 0.7
    assert np.array_equal(answers.probabilities(["a", "b"]), found.probabilities(Plain().encode("ab")))
    other = Plain()
    other.name = "other"
    with pytest.raises(EncoderError, match="this process has 'other'"):
        opened(found.keep(tmp_path, task="desk"), encoder=other)
