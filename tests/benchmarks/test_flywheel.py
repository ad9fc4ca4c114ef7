"""The benchmark of the wheel, in small: every strategy runs, and what it says has one shape."""

import json

import numpy as np
import pytest

from benchmarks import flywheel as bench
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.window.crowd import Message

TOPICS = {
    "refund": "money back {} please return it",
    "parcel": "where is my parcel {} late",
    "login": "password {} login",
    "gift": "the gift card {} is empty",
}


def messages(start, count):
    return [
        Message(text.format(n), label) for label, text in TOPICS.items() for n in range(start, start + count)
    ]


@pytest.fixture(scope="session")
def data():
    return bench.Data(messages(0, 60), messages(100, 10))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Two turns of 80 conversations; of a third of the people, so that a gain is proved by then."""
    monkeypatch.setattr(bench, "HELD_OUT", 1 / 3)
    monkeypatch.setattr(bench, "TURNS", 2)
    monkeypatch.setattr(bench, "CONVERSATIONS", 80)


class TestColdStart:
    def test_two_examples_of_a_part_of_the_labels_and_the_rest_is_traffic(self, data):
        seeds, traffic = bench.cold_start(data.train, 0)
        assert len({m.label for m in seeds}) == 3
        assert len(seeds) == 6
        assert sorted(map(repr, seeds + traffic)) == sorted(map(repr, data.train))

    def test_a_seed_says_which(self, data):
        assert bench.cold_start(data.train, 1) == bench.cold_start(data.train, 1)
        assert bench.cold_start(data.train, 1) != bench.cold_start(data.train, 2)


class TestMemo:
    def test_it_encodes_as_its_encoder_and_each_text_once(self):
        asked = []

        class Listening(NgramEncoder):
            def encode(self, texts):
                asked.extend(texts)
                return super().encode(texts)

        memo = bench.Memo(Listening())
        vectors = memo.encode(["a", "b", "a"])
        assert np.array_equal(vectors, NgramEncoder().encode(["a", "b", "a"]))
        assert np.array_equal(memo.encode(["b", "c"]), NgramEncoder().encode(["b", "c"]))
        assert asked == ["a", "b", "c"]
        assert memo.encode([]).shape == (0, memo.width)


class TestStrategies:
    @pytest.mark.parametrize("strategy", ["ours", "oracle", "accepted"])
    def test_one_runs_and_its_figures_belong_together(self, strategy, data):
        run = bench.run(strategy, 0, data, NgramEncoder())
        assert len(run.accuracy) == 3
        assert all(0 <= a <= 1 for a in run.accuracy)
        assert [len(x) for x in (run.labels, run.holdout, run.cpu_seconds, run.verdicts)] == [2] * 4
        assert run.accuracy[0] <= 0.75  # a label was never taught
        if strategy == "oracle":
            assert run.accuracy[-1] == 1

    def test_random_labels_as_many_as_it_is_told(self, data):
        run = bench.run("random", 0, data, NgramEncoder(), [7, 3])
        assert run.labels == [7, 3]

    def test_the_same_seed_runs_the_same(self, data):
        runs = [bench.run("ours", 0, data, NgramEncoder()) for _ in range(2)]
        for run in runs:
            run.cpu_seconds = []
        assert runs[0] == runs[1]

    def test_with_all_the_data_nearly_all_is_right(self, data):
        assert bench.whole(data, NgramEncoder()) > 0.95


class TestOutput:
    def test_an_interval_needs_two_seeds_and_holds_the_mean(self):
        assert bench.interval([0.5]) is None
        low, high = bench.interval([0.4, 0.5, 0.6])
        assert (low, high) == pytest.approx((0.5 - 0.2484, 0.5 + 0.2484), abs=1e-4)  # t = 4.303

    @pytest.mark.slow
    def test_the_command_prints_one_object_with_every_row(self, data, tmp_path, monkeypatch, capsys):
        for name, part in (("train", data.train), ("test", data.test)):
            lines = [json.dumps({"text": m.text, "label": m.label}) for m in part]
            (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
        files = ["--train", str(tmp_path / "train.jsonl"), "--test", str(tmp_path / "test.jsonl")]
        monkeypatch.setattr("sys.argv", ["flywheel", *files, "--seeds", "1", "--whole-bar", "0.9", "--json"])
        monkeypatch.setattr(bench, "open_encoder", NgramEncoder)
        monkeypatch.setattr(bench, "demo", lambda: (1.0, 2.0))  # takes a minute; `make demo` runs it
        bench.main()
        out, err = capsys.readouterr()
        said = json.loads(out.splitlines()[-1])
        assert (said["benchmark"], said["seeds"]) == ("flywheel", 1)
        assert set(said["accuracy_by_turn"]) == set(bench.CROWDS) == {"ours", "random", "accepted", "oracle"}
        assert {len(curve) for curve in said["accuracy_by_turn"].values()} == {3}
        rows = {row["row"]: row for row in said["rows"]}
        assert rows["accuracy, all training data, best head"]["bar"] == ">= 0.9"
        assert rows["demo"]["value"] == 1.0
        assert [r for r in rows if r.startswith("accuracy after 2 turns: ")] == [
            f"accuracy after 2 turns: {name}" for name in bench.CROWDS
        ]
        assert all(row["interval"] is None or "turn of 1,000" in row["row"] for row in said["rows"])
        assert err.count("seed 0 ") == 4
