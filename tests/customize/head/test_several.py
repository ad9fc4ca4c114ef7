"""Several labels at once."""

import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.vectors import classes
from openflywheel.customize._head.several import f1, marks, several, split, thresholds
from openflywheel.customize._head.taught import Material

NAMES = ("damaged", "late", "rude")


def material(n=300, seed=0, spread=0.5):
    """Each label has a direction of its own; a row goes where its labels point."""
    random = np.random.default_rng(seed)
    directions = np.linalg.qr(np.random.default_rng(9).normal(size=(16, 16)))[0][:3]
    hit = random.random((n, 3)) < [0.5, 0.3, 0.15]
    hit[~hit.any(axis=1), 0] = True
    x = hit @ directions + spread * random.normal(size=(n, 16)) / 2
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    said = ["|".join(np.array(NAMES)[row][::-1]) for row in hit]
    return Material("complaint", said, x, np.ones(n, np.float32), [str(i) for i in range(n)], "e"), hit


def test_labels_are_told_apart_whatever_their_order():
    assert split("late| damaged") == split("damaged|late|late") == ("damaged", "late")
    assert split("late") == ("late",)


def test_marks_name_what_each_row_says():
    names, hit = marks([("b",), ("a", "b")])
    assert names == ("a", "b")
    assert hit.tolist() == [[False, True], [True, True]]


def test_sets_are_answered_and_the_figures_hold_on_fresh_rows():
    taught = several(material()[0])
    many, (fresh, hit) = taught.made, material(seed=1)
    assert "damaged|late" in many.labels
    right = [split(label) for label in fresh.right]
    said = [split(many.labels[i]) for i in many.probabilities(fresh.vectors).argmax(axis=1)]
    accuracy = np.mean([one == other for one, other in zip(said, right, strict=True)])
    assert accuracy > 0.75
    assert accuracy == pytest.approx(taught.report["accuracy"], abs=0.08)
    named = np.array([[name in row for name in NAMES] for row in many.chosen(fresh.vectors)])
    assert f1(named, hit) == pytest.approx(taught.report["f1"], abs=0.06)
    assert taught.report["labels"] == 3
    assert taught.method.startswith("many_")


def test_chances_mean_what_they_say():
    many, (fresh, hit) = several(material(n=600, spread=1.5)[0]).made, material(n=2_000, seed=1, spread=1.5)
    chance = many.each(fresh.vectors)
    for low in (0.1, 0.3, 0.5, 0.7):
        near = (chance >= low) & (chance < low + 0.2)
        assert hit[near].mean() == pytest.approx(chance[near].mean(), abs=0.08)
    sure = many.probabilities(fresh.vectors)
    names, right = classes([many.labels[i] for i in sure.argmax(axis=1)])
    truth = ["|".join(split(label)) for label in fresh.right]
    hits = np.mean([names[i] == said for i, said in zip(right, truth, strict=True)])
    assert sure.max(axis=1).mean() == pytest.approx(hits, abs=0.06)


def test_labels_that_go_together_do_not_make_sets_too_sure():
    """The same evidence counted three times is one piece of evidence."""
    known, hit = material(n=600, spread=2.0)
    said = ["a|b|c" if row[0] else "d|e|f" for row in hit]
    many = several(Material("t", said, known.vectors, known.weight, known.people, "e")).made
    assert many.sharpness < 0.6
    assert many.labels == ("d|e|f", "a|b|c")


def test_figures_and_confidence_count_rows_as_they_weigh():
    known, _ = material(n=300)
    wrong = np.arange(300) % 3 == 0
    said = ["rude" if w and "rude" not in one else one for w, one in zip(wrong, known.right, strict=True)]
    blind, trusted = (
        several(Material("complaint", said, known.vectors, weight.astype(np.float32), known.people, "e"))
        for weight in (np.ones(300), np.where(wrong, 1e-3, 1.0))
    )
    assert trusted.report["accuracy"] > blind.report["accuracy"] + 0.15
    assert trusted.report["log_loss"] < blind.report["log_loss"]


def test_one_label_is_nothing_to_choose_from():
    known, _ = material(n=40)
    with pytest.raises(SettingsError, match="'complaint' has 40 examples, of 1 labels.*flywheel experts"):
        several(Material("complaint", ["late"] * 40, known.vectors, known.weight, known.people, "e"))


def test_one_row_is_nothing_to_learn_from_though_it_names_two_labels():
    known, _ = material(n=1)
    with pytest.raises(SettingsError, match="has 1 examples, of 2 labels; with many it needs two of both"):
        several(Material("complaint", ["late|rude"], known.vectors, known.weight, ["a"], "e"))


@pytest.mark.parametrize("said", [["late|rude", "late"], ["late|rude"] * 2, ["late", "rude"]])
def test_two_rows_are_enough(said):
    known, _ = material(n=2)
    taught = several(Material("complaint", said, known.vectors, known.weight, ["a", "b"], "e"))
    assert np.isfinite(taught.made.probabilities(known.vectors)).all()


def test_a_threshold_has_the_best_f1_of_all():
    random = np.random.default_rng(0)
    chance = random.random((200, 2))
    hit = random.random((200, 2)) < chance * [1, 0.3]
    found = thresholds(chance, hit)
    for column in range(2):
        reached = f1(chance[:, column] >= found[column], hit[:, column])
        tried = [f1(chance[:, column] >= least, hit[:, column]) for least in np.linspace(0, 1, 501)]
        assert reached >= max(tried) - 1e-9


def test_a_threshold_where_all_are_right_names_all():
    chance = np.array([[0.2], [0.9], [0.4]])
    assert (chance >= thresholds(chance, np.ones((3, 1), bool))).all()


def test_f1_by_hand():
    assert f1(np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)) == pytest.approx(0.5)
    assert f1(np.zeros(3, bool), np.zeros(3, bool)) == 0
