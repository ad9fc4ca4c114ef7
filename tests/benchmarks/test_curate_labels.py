"""The benchmark of the steps on labels, in small; its figures are in benchmarks/README.md."""

import csv
import json
from collections import Counter

import numpy as np
import pytest

from benchmarks.curate import __main__ as command
from benchmarks.curate import labels as bench
from openflywheel.base.instruments.ngrams import NgramEncoder

INTENTS = {
    "refund": "please give me my money back for order {}",
    "parcel": "where on earth is my parcel {} today",
    "login": "the password {} does not let me log in",
    "gift": "can I buy a gift card for {} people",
}
PAIRS = [(text.format(n), label) for label, text in INTENTS.items() for n in range(60)]
ENCODER = NgramEncoder()


@pytest.fixture(autouse=True)
def from_the_first_row(monkeypatch):
    monkeypatch.setattr(bench, "SEEN", 0)


@pytest.fixture
def found():
    return bench.messages(PAIRS, ENCODER, 240)


@pytest.fixture
def data(tmp_path):
    """Files in the form of the originals."""
    for name in ("banking77", "clinc150"):
        (tmp_path / name).mkdir()
    with (tmp_path / "banking77/train.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "category"), *PAIRS])
    parts = {"train": PAIRS[::-1], "val": [("other", "refund")]}
    (tmp_path / "clinc150/data_full.json").write_text(json.dumps(parts))
    return tmp_path


def test_of_the_files_the_training_parts_are_read(data):
    assert bench.banking77(data) == PAIRS
    assert bench.clinc150(data) == PAIRS[::-1]


def test_messages_are_drawn_in_a_seeded_order_after_those_that_were_seen(monkeypatch, found):
    everything = [(text, found.names[label]) for text, label in zip(found.texts, found.labels, strict=True)]
    assert sorted(everything) == sorted(PAIRS)
    assert found.names == sorted(INTENTS)
    assert found.vectors.shape == (240, ENCODER.width)
    monkeypatch.setattr(bench, "SEEN", 100)
    later = bench.messages(PAIRS, ENCODER, 50)
    assert later.texts == found.texts[100:150]
    assert np.array_equal(later.vectors, found.vectors[100:150])


def test_a_quarter_is_the_test_and_nothing_stands_on_both_sides(found):
    train, test = bench.halved(found)
    assert (len(train.texts), len(test.texts)) == (180, 60)
    assert sorted(train.texts + test.texts) == sorted(found.texts)
    own = dict(PAIRS)
    for part in (train, test):
        assert [part.names[label] for label in part.labels] == [own[text] for text in part.texts]


@pytest.mark.parametrize("kind", ["any", "like"])
def test_about_the_share_of_labels_is_moved_each_to_another_one(found, kind):
    given = bench.moved(found, kind, 0.3, np.random.default_rng(0))
    assert 0.2 < np.mean(given != found.labels) < 0.4
    every = bench.moved(found, kind, 1.0, np.random.default_rng(0))
    assert not np.any(every == found.labels)
    assert np.array_equal(bench.moved(found, kind, 0.0, np.random.default_rng(0)), found.labels)


def test_like_labels_are_the_two_nearest():
    near = np.array([[1, 0, 0], [0.9, 0.1, 0], [0.8, 0.2, 0], [0, 0, 1]], np.float32)
    rows = np.repeat(np.arange(4), 50)
    found = bench.Messages(["text"] * 200, near[rows], rows, list("abcd"))
    like = bench.moved(found, "like", 1.0, np.random.default_rng(0))
    assert set(like[rows == 0]) == {1, 2}
    assert set(like[rows == 1]) == {0, 2}
    assert set(bench.moved(found, "any", 1.0, np.random.default_rng(0))[rows == 0]) == {1, 2, 3}


def test_the_step_names_a_moved_label_and_the_right_one(found):
    given = bench.moved(found, "any", 0.1, np.random.default_rng(0))
    wrong = given != found.labels
    marked, instead = bench.judged(found, given, ENCODER)
    assert np.array_equal(marked, instead >= 0)
    assert (marked & wrong).sum() > 0.8 * wrong.sum()
    assert (marked & ~wrong).sum() < 0.05 * (~wrong).sum()
    assert np.array_equal(instead[marked & wrong], found.labels[marked & wrong])


def test_a_head_of_wrong_labels_is_worse_and_weights_count(found):
    train, test = bench.halved(found)
    right = bench.accuracy(train, train.labels, test)
    given = bench.moved(train, "any", 0.9, np.random.default_rng(0))
    ignored = np.where(given == train.labels, np.float32(1), np.float32(1e-3))
    assert right > 0.95
    assert bench.accuracy(train, given, test) < right
    assert bench.accuracy(train, given, test, ignored) > bench.accuracy(train, given, test)


def test_more_rows_than_a_head_takes_are_refused():
    many = bench.Messages([], np.zeros((3_001, 2), np.float32), np.zeros(3_001, np.int64), ["a"])
    with pytest.raises(ValueError, match="3001 rows"):
        bench.accuracy(many, many.labels, many)


def test_an_outcome_is_held_against_what_was_moved(monkeypatch, found):
    train, test = bench.halved(found)
    given = bench.moved(train, "any", 0.2, np.random.default_rng(7))
    wrong = np.flatnonzero(given != train.labels)
    marked, instead = np.zeros(180, bool), np.full(180, -1)
    honest = np.flatnonzero(given == train.labels)[:1]
    marked[wrong[:4]] = marked[honest] = True
    instead[wrong[:3]] = train.labels[wrong[:3]]
    monkeypatch.setattr(bench, "judged", lambda *_: (marked, instead))
    seen = bench.outcome(train, test, "any", 0.2, 7, ENCODER)
    assert seen.recall == pytest.approx(4 / len(wrong))
    assert (seen.precision, seen.named) == (0.8, 0.75)


def test_nothing_moved_is_nothing_found(found):
    train, test = bench.halved(found)
    seen = bench.outcome(train, test, "any", 0.0, 0, ENCODER)
    assert (seen.recall, seen.precision, seen.named) == (0, 0, 0)


def test_rows_are_means_with_the_lowest_and_the_highest_run():
    runs = [bench.Outcome(recall, 1.0, 1.0, gain) for recall, gain in ((0.5, -1.0), (1.0, 2.0))]
    rows = {row.row: row for row in bench.summed("10%, any label", runs)}
    assert len(rows) == 4
    recall, gain = rows["10%, any label: found"], rows["10%, any label: gain of weighing"]
    assert (recall.value, recall.interval) == (0.75, (0.5, 1.0))
    assert (gain.value, gain.interval, gain.unit) == (0.5, (-1.0, 2.0), "points")


def test_by_weight_more_texts_are_right_than_by_votes(monkeypatch):
    monkeypatch.setattr(bench, "TEXTS", 400)
    monkeypatch.setattr(bench, "LABELS", 8)
    monkeypatch.setattr(bench, "LABELLERS", 20)
    weighed, voted, labels, apart = bench.labelled_by_many(np.random.default_rng(0))
    assert weighed > voted > labels
    assert 0 < apart < 0.15
    assert bench.labelled_by_many(np.random.default_rng(0)) == (weighed, voted, labels, apart)


def test_outcomes_of_one_seed_are_the_same_and_of_another_are_not(monkeypatch, found):
    train, test = bench.halved(found)
    monkeypatch.setattr(bench, "judged", lambda part, given, _: (given % 3 == 0, part.labels))
    one, again, other = (bench.outcome(train, test, "like", 0.3, seed, ENCODER) for seed in (0, 0, 1))
    assert one == again
    assert one.recall != other.recall


def test_a_gain_is_in_points_of_accuracy(monkeypatch, found):
    train, test = bench.halved(found)
    weights = []

    def learned(_, given, __, weight=None):
        weights.append(weight)
        return 0.5 if weight is None else 0.53

    monkeypatch.setattr(bench, "accuracy", learned)
    monkeypatch.setattr(bench, "judged", lambda part, *_: (part.labels == 0, part.labels))
    seen = bench.outcome(train, test, "any", 0.1, 0, ENCODER)
    assert seen.gain == pytest.approx(3)
    (weight,) = (w for w in weights if w is not None)
    assert np.array_equal(weight < 1, train.labels == 0)
    assert weight.min() == np.float32(0.1)


def test_every_set_seed_and_share_is_run(monkeypatch, found):
    asked = []

    def noted(train, _, kind, share, seed, __):
        asked.append((train.texts[0], kind, share, seed))
        return bench.Outcome(1.0, 1.0, 1.0, 0.0)

    monkeypatch.setattr(bench, "outcome", noted)
    monkeypatch.setattr(bench, "judged", lambda part, given, _: (given == 0, given))
    sets = {"one": found, "two": bench.messages(PAIRS[::-1], ENCODER, 200)}
    rows = {row.row: row for row in bench.errors(sets, ENCODER, seeds=2)}
    assert len(asked) == len(set(asked)) == 2 * 2 * len(bench.PLANTED)
    assert {(kind, share) for _, kind, share, _ in asked} == set(bench.PLANTED)
    assert rows["one: accuracy, nothing planted"].unit == "of 60"
    assert rows["two: accuracy, nothing planted"].unit == "of 50"
    train, _ = bench.halved(found)
    assert rows["one: marked, nothing planted"].value == pytest.approx(np.mean(train.labels == 0))
    assert rows["30%, like label: found"].value == 1


def test_labellers_who_agree_leave_nothing_to_weigh(monkeypatch):
    monkeypatch.setattr(bench, "TEXTS", 100)
    monkeypatch.setattr(bench, "LABELS", 4)
    monkeypatch.setattr(np, "clip", lambda values, *_: np.ones_like(values))
    monkeypatch.setattr(bench, "LABELLERS", 9)  # too few for a tenth of poor ones
    weighed, voted, labels, apart = bench.labelled_by_many(np.random.default_rng(1))
    assert (weighed, voted, labels) == (1, 1, 1)
    assert apart < 0.05


def test_both_are_parts_that_the_command_runs_unless_it_is_told_others(monkeypatch):
    monkeypatch.setattr("sys.argv", ["curate"])
    assert {"labels", "steps"} <= set(command._options().only)
    assert all(f"\n{part} " in f"\n{command.__doc__}" for part in command.PARTS)


@pytest.mark.slow
def test_every_part_has_its_rows(monkeypatch, data, tmp_path):
    monkeypatch.setattr(bench, "open_encoder", NgramEncoder)
    monkeypatch.setattr(bench, "PLANTED", (("any", 0.1),))
    monkeypatch.setattr(bench, "TEXTS", 200)
    rows = bench.measure(data, tmp_path, rows=240, seeds=1)
    names = [row.row for row in rows]
    assert Counter(name.split(":")[0] for name in names) == {
        "Banking77": 2, "CLINC150": 2, "10%, any label": 4, "labellers": 4,
    }  # fmt: skip
    assert len(set(names)) == len(names)
    found = {row.row: row.value for row in rows}
    assert found["10%, any label: found"] > 0.5
    assert found["Banking77: marked, nothing planted"] < 0.05
