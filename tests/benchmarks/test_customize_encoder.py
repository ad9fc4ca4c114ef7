"""The tuned encoder beside the best head: who is drawn from what, and which row says what."""

import json

import numpy as np
import pytest

from benchmarks.customize import encoder
from openflywheel.base.forms.head import Head, HeadOnEncoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.instruments.threads import one_thread

WORDS = ("refund", "parcel", "login")


def pairs(number, begin=0):
    return [(f"my {w} is wrong, case {n}", w) for n in range(begin, begin + number) for w in WORDS]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Thirty rows of train, twenty of val; five of the latter chose settings, ten of the former test."""
    monkeypatch.setattr(encoder, "CHOSEN", 5)
    monkeypatch.setattr(encoder, "HELD", 10)
    parts = {
        part: [[f"{part} {n}", "label"] for n in range(size)] for part, size in (("train", 30), ("val", 20))
    }
    file = tmp_path / "data_full.json"
    file.write_text(json.dumps(parts))
    return file


def test_nothing_that_tests_can_be_drawn(path):
    taught, tested = encoder.parts(path)
    there = [text for text, _ in (*taught, *tested)]
    assert len(there) == len(set(there)) == 30 + 20 - 5
    assert {text.split()[0] for text, _ in taught} == {"train"}
    assert (len(taught), len(tested)) == (20, 25)
    assert encoder.parts(path) == (taught, tested)


def test_without_data_the_file_is_named(tmp_path):
    [row] = encoder.measure(tmp_path, tmp_path, 1)
    assert row.row == f"encoder: {tmp_path}/clinc150/data_full.json is missing"
    assert (row.value, row.holds, row.bar) == (None, None, ">= 2")


def test_a_lesson_holds_the_labels_of_its_pairs():
    made = encoder.lesson(pairs(2))
    assert [(row.text, row.labels[encoder.TASK]) for row in made.rows] == pairs(2)
    assert made.kind == "label"


def test_every_way_that_goes_with_so_few_rows_makes_a_head(tmp_path):
    with one_thread():
        made = encoder.heads(encoder.lesson(pairs(12)), NgramEncoder(), tmp_path)
        assert len({model.uri for model in made}) == len(made) > 1
        for model in made:
            place = encoder._place(model, tmp_path)
            assert artefact.manifest(place)["task"] == encoder.TASK
            hit, ece = encoder.accuracy(HeadOnEncoder(Head.read(place), NgramEncoder()), pairs(4, 50))
            assert hit > 0.9
            assert 0 <= ece <= 1


def test_a_label_that_is_not_known_is_wrong(tmp_path):
    with one_thread():
        [model, *_] = encoder.heads(encoder.lesson(pairs(12)), NgramEncoder(), tmp_path)
        answers = HeadOnEncoder(Head.read(encoder._place(model, tmp_path)), NgramEncoder())
        known = pairs(4, 50)
        whole, _ = encoder.accuracy(answers, known)
        half, _ = encoder.accuracy(answers, [*known, *((text, "never taught") for text, _ in known)])
    assert half == pytest.approx(whole / 2)


def outcome(frozen, tuned, cost=10.0, size=1.0):
    return encoder.Outcome(frozen, tuned, 0.05, cost, size, "nowhere")


def test_rows_are_means_with_their_ends_and_the_gain_is_in_points():
    drawn = [outcome(0.80, 0.85, 20), outcome(0.82, 0.83, 40), outcome(0.81, 0.87, 30)]
    rows = {
        row.row.removeprefix("CLINC150, 1000 labels: "): row for row in encoder.against_bars(drawn, 4_500)
    }
    gain = rows["gain"]
    assert gain.value == pytest.approx(4)
    assert gain.interval == pytest.approx((1, 6))
    assert (gain.bar, gain.holds) == (">= 2", True)
    assert (rows["best head, frozen"].value, rows["best head, frozen"].unit) == (
        pytest.approx(0.81), "of 4500",
    )  # fmt: skip
    assert rows["encoder_lora"].interval == (0.83, 0.87)
    assert rows["taught in"].value == 40  # the worst draw counts


@pytest.mark.parametrize(
    ("drawn", "missed"),
    [
        ([outcome(0.80, 0.81)], {"gain"}),
        ([outcome(0.80, 0.90, 91.0), outcome(0.80, 0.90)], {"taught in"}),
        ([outcome(0.80, 0.90), outcome(0.80, 0.90, size=3.1)], {"adapter"}),
        ([outcome(0.80, 0.90, 90.0, 3.0)], set()),
    ],
)
def test_a_bar_is_missed_by_the_draw_that_misses_it(drawn, missed):
    rows = encoder.against_bars(drawn, 10)
    assert {row.row.rpartition(": ")[2] for row in rows if row.holds is False} == missed
    assert all(np.isfinite(row.value) for row in rows)
