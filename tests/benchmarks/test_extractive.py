"""The benchmark of quotes: what it counts as right, and that worse quotes would be seen."""

import json

import pytest

from benchmarks import extractive
from benchmarks.extractive import Asked, Ranking, at, cost, first, help_page, rankings
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.serve.extractive import Quote

ENCODER = NgramEncoder()


def asked(right, said, confidence):
    return Asked(right, [Quote(text=said, confidence=confidence, row="r")])


def test_the_help_page_asks_in_other_words_than_its_own():
    rows, questions = help_page()
    answers = {row.labels["answer"] for row in rows}
    assert len(rows) == len(answers) == 30
    assert len([q for q, right in questions if right in answers]) == 60
    assert len([q for q, right in questions if not right]) == 30
    assert not {q for q, _ in questions} & {row.text for row in rows}


def test_an_answer_to_what_has_none_is_wrong_like_a_wrong_one():
    said = [asked("A", "A", 0.9), asked("A", "A", 0.4), asked("B", "A", 0.8), asked("", "A", 0.7)]
    right, wrong = at(0.6, said)
    assert right.value == pytest.approx(1 / 3)
    assert wrong.value == pytest.approx(2 / 3)
    assert "wrong among 3 answers" in wrong.row
    assert [row.value for row in at(0.95, said)] == [0, 0]


def test_at_the_default_too_many_wrong_ones_miss_the_bar():
    fine = [asked("A", "A", 0.9)] * 19 + [asked("B", "A", 0.9)]
    assert [row.holds for row in at(extractive.DEFAULT, fine)] == [None, True]
    assert [row.holds for row in at(extractive.DEFAULT, fine[15:])] == [None, False]


def test_a_ranking_needs_a_right_candidate_and_a_wrong_one(tmp_path):
    path = tmp_path / "dev.csv"
    lines = [
        "qid\tquestion\tcandidate\tlabel",
        "1\twho pays\tann pays\t1", "1\twho pays\tbob sings\t0",
        "2\twho sings\tann pays\t0", "2\twho sings\tcy runs\t0",
        "3\twho runs\tcy runs\t1",
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    assert rankings(path) == [Ranking("who pays", ["ann pays", "bob sings"], [True, False])]


def test_the_best_candidate_is_the_one_that_counts():
    good = Ranking("who pays", ["bob sings", "ann pays"], [False, True])
    bad = Ranking("who pays", ["bob sings", "ann pays"], [True, False])
    assert first("set", [good], ENCODER, 0.9).holds
    row = first("set", [good, bad], ENCODER, 0.9)
    assert (row.value, row.holds) == (0.5, False)


def test_the_cost_tells_of_the_passages_and_of_the_embedding():
    whole, embedding = cost(ENCODER, ["a text", "another text"], ["a question", "a text"])
    assert whole.row == "a question among 2 passages"
    assert whole.value > 0
    assert embedding.value > 0


def test_without_the_data_their_rows_say_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.argv", ["x", "--json", "--encoder", "ngrams", "--from", str(tmp_path)])
    extractive.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    names = [row["row"] for row in said["rows"]]
    assert said["benchmark"] == "extractive"
    assert sum("skipped, no" in name for name in names) == 2
    assert sum(name.startswith("help page, least") for name in names) == 2 * len(extractive.THRESHOLDS)
    assert names[-2] == "a question among 2,000 passages"
