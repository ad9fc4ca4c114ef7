"""The benchmark of heads, in small; its figures are in benchmarks/README.md."""

import csv
import json

import numpy as np
import pytest

from benchmarks.customize import heads as bench
from openflywheel.base.instruments.ngrams import NgramEncoder

INTENTS = {
    "refund": "please give me my money back for order {}",
    "parcel": "where on earth is my parcel {} today",
    "login": "the password {} does not let me log in",
}
PAIRS = [(text.format(n), label) for label, text in INTENTS.items() for n in range(30)]


class Narrow:
    """Hashed words in few numbers: quick to learn on."""

    name, width = "narrow", 64

    def encode(self, texts):
        mix = np.random.default_rng(0).normal(size=(NgramEncoder.width, self.width))
        mixed = NgramEncoder().encode(texts) @ mix
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def data(tmp_path):
    """Files in the form of the originals."""
    for name in ("clinc150", "sentfin", "stsb"):
        (tmp_path / name).mkdir()
    parts = {"train": PAIRS, "val": PAIRS[::7]}
    (tmp_path / "clinc150/data_full.json").write_text(json.dumps(parts))
    with (tmp_path / "sentfin/SEntFiN-dev.csv").open("w", newline="", encoding="utf-8") as file:
        said = [
            (i, f"A's {w} {i}", f"{{'A's B': '{w}', 'C': 'neutral'}}", 3)
            for i in range(30)
            for w in bench.FEELINGS
        ]
        csv.writer(file).writerows([("S No.", "Title", "Decisions", "Words"), *said])
    for part in ("train", "dev"):
        with (tmp_path / f"stsb/stsb-en-{part}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((f"one {i}", f"two, {i}", str(i % 5)) for i in range(40))
    return tmp_path


@pytest.fixture
def artefacts(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def test_headlines_have_the_mean_of_their_sentiments(data, monkeypatch):
    monkeypatch.setattr(bench, "TAUGHT", 45)
    taught, tested = bench.sentfin(data)
    assert len(taught) == len(tested) == 45
    assert not {text for text, _ in taught} & {text for text, _ in tested}
    own = {"positive": "0.5", "neutral": "0.0", "negative": "-0.5"}
    assert all(value == own[text.split()[1]] for text, value in [*taught, *tested])


def test_two_sentences_are_one_text(data, monkeypatch):
    monkeypatch.setattr(bench, "TAUGHT", 30)
    taught, tested, dev = bench.stsb(data)
    assert dev[7] == ("one 7 two, 7", "2")
    assert (len(taught), len(tested)) == (30, 10)
    assert sorted([*taught, *tested]) == sorted(dev)


def test_rows_are_drawn_in_a_seeded_order():
    assert bench.drawn(PAIRS, 20, 1) == bench.drawn(PAIRS, 20, 1) != bench.drawn(PAIRS, 20, 2)
    assert sorted(bench.drawn(PAIRS, 1_000, 0)) == sorted(PAIRS)


def test_each_size_has_a_row_with_a_bar_and_one_without(artefacts, monkeypatch):
    monkeypatch.setattr(bench, "SIZES", {15: 0.5, 90: 1.1})
    lines = bench.labels(PAIRS, PAIRS[::7], Narrow(), artefacts, rounds=2)
    assert [line.row for line in lines] == [
        f"CLINC150, {size} labels: {who}" for size in (15, 90) for who in ("best head", "discriminant")
    ]
    assert [line.holds for line in lines] == [True, None, False, None]
    assert lines[2].value > 0.9


def test_an_update_gives_what_fitting_anew_gives(artefacts, monkeypatch):
    monkeypatch.setattr(bench, "PEOPLE", 10)
    lines = {line.row.rpartition(": ")[2]: line for line in bench.update(PAIRS, Narrow(), artefacts)}
    assert lines["difference to anew"].holds
    assert lines["update"].row.startswith("9 of 90 rows taken out")
    assert lines["discriminant anew"].unit == "CPU-s"


def test_each_person_is_left_out_in_turn(artefacts, monkeypatch):
    monkeypatch.setattr(bench, "PEOPLE", 3)
    encoder = Narrow()
    made = bench.teach(bench.lesson(PAIRS), encoder, artefacts, method="discriminant")
    heads = bench.left_out(PAIRS, bench.Head.read(bench.place(made, artefacts)), encoder)
    rest = [pair for i, pair in enumerate(PAIRS) if i % 3 != 1]
    alone = bench.teach(bench.lesson(rest), encoder, artefacts, method="discriminant")
    vectors = encoder.encode([text for text, _ in PAIRS])
    expected = bench.Head.read(bench.place(alone, artefacts)).scores(vectors)
    np.testing.assert_allclose(heads[1].scores(vectors), expected, atol=1e-3)


def test_a_head_without_sums_cannot_be_updated():
    made = bench.Head(("a",), np.zeros((1, 1), np.float32), np.zeros(1, np.float32), "e")
    with pytest.raises(ValueError, match="keeps its sums"):
        bench._sums(made)


def test_numbers_are_held_against_their_mean_and_their_intervals(artefacts):
    known = {"refund": "1.0", "parcel": "2.0", "login": "9.0"}
    pairs = [(text, known[label]) for text, label in PAIRS]
    error, plain, inside, width, cost = bench.numbers("set", [pairs, pairs[::5]], Narrow(), artefacts)
    assert error.value < 0.5 < plain.value
    assert inside.holds == (inside.value >= 0.88)
    assert inside.interval[0] <= inside.value <= inside.interval[1]
    assert width.value > 0
    assert cost.row == "set: taught with 90 rows"


def test_other_rows_are_held_to_the_same_bar(artefacts):
    pairs = [(text, str(len(text))) for text, _ in PAIRS]
    lines = bench.numbers("set", [pairs, pairs[::5], pairs[::9]], Narrow(), artefacts)
    (other,) = [line for line in lines if line.row == "set, dev: inside it"]
    assert other.bar == ">= 0.88"
    assert other.holds == (other.value >= 0.88)
    assert other.unit == "of 10"


def test_what_says_no_numbers_is_refused():
    with pytest.raises(TypeError, match="answered by an Estimating"):
        bench.missed(object(), [("a", "1")])


def test_simulated_prices_are_found_better_together():
    inside, pooled, alone = bench.prices(rounds=1)
    assert inside.holds
    assert inside.unit == "of 200"
    assert pooled.value < alone.value


def test_all_parts_are_measured(data, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "SIZES", {30: 0.5})
    monkeypatch.setattr(bench, "TAUGHT", 30)
    monkeypatch.setattr(bench, "open_encoder", Narrow)
    folder = tmp_path / "work"
    folder.mkdir()
    names = [line.row for line in bench.measure(data, folder, 1)]
    assert len(names) == len(set(names)) == 2 + 5 + 5 + 6 + 3
