import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize._encoder.examples import LEAST_WEIGHT, apart, examples_of


def row(text, label, weight=1.0, subject=""):
    return Row(text=text, source="t", labels={"route": label}, weight=weight, subject=subject)


def lesson(rows, validation=()):
    dataset = Dataset(name="d", task="route", role="train", rows=tuple(r.id for r in rows), recipe="")
    return Lesson(dataset, rows, "label", validation)


def tokens(texts):
    return [[len(text)] for text in texts]


def many(labels):
    return examples_of(lesson([row(f"text {i}", label) for i, label in enumerate(labels)]), tokens)[0]


def test_labels_are_in_alphabetical_order_and_rows_point_at_them():
    examples, judge = examples_of(lesson([row("a", "no"), row("bb", "yes"), row("c", "maybe")]), tokens)
    assert examples.labels == ("maybe", "no", "yes")
    assert examples.right.tolist() == [1, 2, 0]
    assert examples.ids == [[1], [2], [1]]
    assert judge is None


def test_a_row_without_weight_keeps_a_little():
    examples, _ = examples_of(lesson([row("a", "no", 0.0), row("b", "yes", 2.5)]), tokens)
    np.testing.assert_allclose(examples.weight, [LEAST_WEIGHT, 2.5])


def test_labels_that_were_not_taught_are_marked_among_validation_rows():
    rows = [row("a", "no"), row("b", "yes")]
    _, judge = examples_of(lesson(rows, [row("c", "yes"), row("d", "never")]), tokens)
    assert judge is not None
    assert judge.right.tolist() == [1, -1]
    assert judge.labels == ("no", "yes")


def test_validation_that_knows_none_of_the_labels_is_none():
    assert examples_of(lesson([row("a", "no"), row("b", "yes")], [row("d", "never")]), tokens)[1] is None


def test_one_label_is_nothing_to_choose_from():
    with pytest.raises(SettingsError, match="'route' has examples of 1 label; .*: flywheel experts"):
        many(["yes", "yes"])


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_is_set_apart_and_every_label_stays_to_learn_from(seed):
    examples = many(["a"] * 20 + ["b"] * 10 + ["c"] * 18 + ["d"] * 2)
    rest, judge = apart(examples, seed)
    assert len(judge.texts) == 10
    assert len(rest.texts) == 40
    assert not set(rest.texts) & set(judge.texts)
    assert set(rest.right) == {0, 1, 2, 3}


def test_labels_of_one_row_are_never_set_apart():
    examples = many(["a", "b", "c", "d", "d"])
    for seed in range(10):
        _, judge = apart(examples, seed)
        assert judge.right.tolist() == [3]


def by_people(people, labels):
    pairs = enumerate(zip(people, labels, strict=True))
    return examples_of(lesson([row(f"text {i}", label, subject=who) for i, (who, label) in pairs]), tokens)[0]


@pytest.mark.parametrize("seed", range(5))
def test_nobody_whose_rows_rehearse_judges(seed):
    """50 people of 10 rows each, who ask for one thing alone."""
    examples = by_people([f"p{i % 50}" for i in range(500)], [f"label {i % 5}" for i in range(500)])
    rest, judge = apart(examples, seed)
    assert not set(rest.people) & set(judge.people)
    assert len(judge.texts) == 100
    assert len(rest.texts) + len(judge.texts) == 500
    assert set(rest.right) == set(range(5))


@pytest.mark.parametrize("seed", range(5))
def test_people_of_more_rows_than_a_fifth_are_passed_over(seed):
    people = ["much"] * 60 + [f"p{i}" for i in range(40)]
    rest, judge = apart(by_people(people, ["a", "b"] * 50), seed)
    assert "much" not in judge.people
    assert len(judge.texts) == 20
    assert len(rest.texts) == 80


def test_of_two_people_the_one_who_can_be_spared_judges_though_it_is_half():
    rest, judge = apart(by_people(["one", "two"] * 20, ["a", "a", "b", "b"] * 10), 0)
    assert len(set(rest.people)) == len(set(judge.people)) == 1
    assert len(judge.texts) == len(rest.texts) == 20


@pytest.mark.parametrize("people", [["me"] * 20, ["one", "two"] * 10])
def test_where_nobody_can_be_spared_rows_are_parted(people):
    rest, judge = apart(by_people(people, ["a", "b"] * 10), 0)
    assert len(judge.texts) == 4
    assert len(rest.texts) == 16
    assert set(rest.right) == {0, 1}


def test_with_one_row_of_each_label_there_is_nothing_to_judge_by():
    with pytest.raises(SettingsError, match="one row of each of 3 labels.*take the trainer head"):
        apart(many(["a", "b", "c"]), 0)
