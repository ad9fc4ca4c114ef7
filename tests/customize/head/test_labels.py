"""One of several labels: which way is taken, what is known beforehand, and paths."""

import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.vectors import classes
from openflywheel.customize._fitting import Fitted
from openflywheel.customize._head.labels import BY_NAME, choose, labels, paths
from openflywheel.customize._head.taught import Material

PATHS = ("billing/invoice", "billing/refund", "login/password", "login/phone")
CENTRES = np.linalg.qr(np.random.default_rng(4).normal(size=(12, 12)))[0]


def material(counts, spread=0.2, seed=0, names=PATHS):
    """Rows around a direction a label; labels of one branch lie near each other."""
    random = np.random.default_rng(seed)
    place = np.repeat(np.arange(len(counts)), counts)
    centres = np.stack([CENTRES[i // 2] + 0.35 * CENTRES[4 + i] for i in range(len(counts))])
    x = centres[place] + spread * random.normal(size=(len(place), 12))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    right = [names[i] for i in place]
    return Material("desk", right, x, np.ones(len(x), np.float32), [str(i) for i in range(len(x))], "e")


def held_out(hits, method):
    """A way that was right on so many of 100 rows of class 0."""
    scores = np.tile(np.array([[0, 1]], np.float32), (100, 1))
    scores[:hits] = [1, 0]
    return Fitted(method, np.zeros((1, 2), np.float32), np.zeros(2, np.float32), scores)


def test_the_first_way_within_one_standard_error_of_the_best_is_taken():
    right, alike = np.zeros(100, np.intp), np.ones(100, np.float32)
    assert choose([held_out(78, "first"), held_out(80, "second")], right, alike).method == "first"
    assert choose([held_out(70, "first"), held_out(80, "second")], right, alike).method == "second"


def test_ways_are_compared_on_rows_as_they_weigh():
    right, tried = np.zeros(100, np.intp), [held_out(78, "first"), held_out(80, "second")]
    heavy = np.where((np.arange(100) >= 78) & (np.arange(100) < 80), 50, 1).astype(np.float32)
    assert choose(tried, right, heavy).method == "second"
    light = np.where(np.arange(100) < 70, 1, 1e-3).astype(np.float32)
    assert choose([held_out(70, "first"), held_out(80, "second")], right, light).method == "first"


def repeating(people=60, each=8, seed=0):
    """People who write near copies of one text in a style of their own, and ask for one thing alone."""
    random = np.random.default_rng(seed)
    place = np.repeat(random.integers(4, size=people), each)
    style = np.repeat(1.6 * random.normal(size=(people, 64)), each, axis=0)
    centres = np.random.default_rng(9).normal(size=(4, 64))
    x = 0.45 * centres[place] + style + 0.3 * random.normal(size=style.shape)
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    who = [str(i) for i in np.repeat(np.arange(people), each)]
    return Material("desk", [PATHS[i] for i in place], x, np.ones(len(x), np.float32), who, "e")


@pytest.mark.parametrize("method", ["best", *sorted(BY_NAME)])
def test_figures_are_those_of_people_who_taught_nothing(method):
    taught = labels(repeating(), method, "balanced")
    fresh = repeating(people=1_000, each=1, seed=1)
    _, right = classes(fresh.right)
    chances = taught.made.probabilities(fresh.vectors)
    true = np.mean(chances.argmax(axis=1) == right)
    assert true < 0.75
    assert taught.report["accuracy"] == pytest.approx(true, abs=0.1)
    assert chances.max(axis=1).mean() == pytest.approx(true, abs=0.1)
    surprise = -np.log(chances[np.arange(len(right)), right]).mean()
    assert taught.report["log_loss"] == pytest.approx(surprise, abs=0.25)


def test_one_person_alone_is_judged_by_other_rows():
    known = material([30, 30, 30, 30])
    mine = Material(known.task, known.right, known.vectors, known.weight, ["me"] * 120, "e")
    assert labels(mine, "best", "balanced").report == labels(known, "best", "balanced").report


def test_figures_and_temperature_count_rows_as_they_weigh():
    known = material([60, 60, 60, 60])
    wrong = np.random.default_rng(3).random(240) < 0.3
    names = [PATHS[(PATHS.index(r) + 1) % 4] if w else r for r, w in zip(known.right, wrong, strict=True)]
    said = [
        labels(Material("desk", names, known.vectors, weight.astype(np.float32), known.people, "e"),
               "centroid", "balanced")
        for weight in (np.ones(240), np.where(wrong, 1e-3, 1.0))
    ]  # fmt: skip
    assert said[0].report["accuracy"] < 0.7
    assert said[1].report["accuracy"] > 0.85
    assert said[1].report["ece"] < 0.1
    assert said[0].made.sharpness < said[1].made.sharpness


@pytest.mark.parametrize("method", sorted(BY_NAME))
def test_the_way_that_is_asked_for_is_taken(method):
    taught = labels(material([30, 30, 30, 30]), method, "balanced")
    assert taught.method == method
    assert taught.report["accuracy"] > 0.75
    assert (taught.made.sums is not None) == (method == "discriminant")


def test_a_way_that_does_not_go_with_the_rows_is_named_with_the_limits():
    with pytest.raises(
        SettingsError, match="method = 'logistic' does not go with the 8 rows of 4 labels of task"
    ):
        labels(material([2, 2, 2, 2]), "logistic", "balanced")


@pytest.mark.parametrize("method", ["best", "discriminant"])
def test_traffic_leans_to_what_is_often_asked(method):
    known, fresh = material([200, 20, 20, 20], spread=0.35), material([400, 40, 40, 40], 0.35, seed=1)
    _, right = classes(fresh.right)
    even, traffic = (labels(known, method, prior) for prior in ("balanced", "traffic"))
    said = [taught.made.probabilities(fresh.vectors) for taught in (even, traffic)]
    hits = [np.mean(each.argmax(axis=1) == right) for each in said]
    assert hits[1] > hits[0] + 0.02
    assert traffic.report["accuracy"] > even.report["accuracy"]
    assert traffic.report["log_loss"] < even.report["log_loss"]
    assert traffic.report["accuracy"] == pytest.approx(hits[1], abs=0.06)
    assert said[1].mean(axis=0) == pytest.approx(np.bincount(right) / len(right), abs=0.06)


def test_with_rows_of_each_label_alike_both_priors_say_the_same():
    known = material([30, 30, 30, 30])
    even, traffic = (labels(known, "discriminant", prior).made for prior in ("balanced", "traffic"))
    np.testing.assert_allclose(
        even.probabilities(known.vectors), traffic.probabilities(known.vectors), atol=1e-4
    )


def test_traffic_is_kept_when_rows_are_given_up():
    head = labels(material([200, 20, 20, 20], spread=0.35), "discriminant", "traffic").made
    again = head.changed(head.sums)
    np.testing.assert_allclose(again.bias, head.bias, atol=1e-4)


def test_paths_answer_the_branch_where_the_leaf_is_open():
    known, fresh = material([40] * 4, spread=0.15), material([80] * 4, spread=0.15, seed=1)
    taught = paths(known, "best", "balanced", 0.9)
    tree = taught.made
    said = [tree.labels[i] for i in tree.probabilities(fresh.vectors).argmax(axis=1)]
    assert {"billing", "login"} < set(said) <= {"billing", "login", *PATHS}
    upright = [
        right == one or right.startswith(one + "/") for one, right in zip(said, fresh.right, strict=True)
    ]
    leaves = np.mean([right == one for one, right in zip(said, fresh.right, strict=True)])
    assert np.mean(upright) > 0.97
    assert leaves < 0.8
    assert taught.report["upright"] == pytest.approx(np.mean(upright), abs=0.06)
    assert taught.report["depth"] == pytest.approx(np.mean([1 + one.count("/") for one in said]), abs=0.2)
    assert taught.report["accuracy"] < taught.report["upright"]


def test_one_label_is_nothing_to_choose_from():
    for teach in (
        lambda known: labels(known, "best", "balanced"),
        lambda known: paths(known, "best", "balanced", 0.5),
    ):
        with pytest.raises(
            SettingsError, match="'desk' has examples of 1 label; a classifier needs two.*flywheel exp"
        ):
            teach(material([10]))
