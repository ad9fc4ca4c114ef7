"""The duplicates benchmark's own parts; its figures are in benchmarks/README.md."""

import random
import sys

import pytest

from benchmarks.curate import duplicates, meanings
from openflywheel.base.instruments.ngrams import NgramEncoder

PAGE = " ".join(f"word{n}" for n in range(200))


def test_runs_are_sets_of_five_words_or_the_whole_of_a_short_text():
    assert duplicates.runs("A b, c: D e f") == {("a", "b", "c", "d", "e"), ("b", "c", "d", "e", "f")}
    assert duplicates.runs("Yes, please") == {("yes", "please")}
    assert duplicates.runs("?") == set()


def test_similarity_is_the_share_of_common_runs():
    left, right = (duplicates.runs(t) for t in ("a b c d e f", "b c d e f g"))
    assert duplicates.jaccard(left, right) == 1 / 3
    assert duplicates.jaccard(set(), set()) == 0


def test_edits_leave_about_the_similarity_asked_for():
    chance = random.Random(0)
    found = [
        duplicates.jaccard(
            duplicates.runs(PAGE), duplicates.runs(duplicates._edited(PAGE.split(), 0.8, chance))
        )
        for _ in range(50)
    ]
    assert 0.75 < sum(found) / 50 < 0.9
    assert duplicates._edited(PAGE.split(), 1.0, chance) == PAGE


def test_versions_are_judged_by_path_and_by_similarity(tmp_path):
    pages = {"v3.3/a.md": PAGE, "v3.4/a.md": PAGE + " more", "v3.5/moved.md": PAGE, "v3.5/b.md": "other"}
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {row.row: (row.value, row.unit, row.holds) for row in duplicates.versions(tmp_path)}
    assert found["etcd: recall, same path and J >= .8"] == (1, "of 1", True)
    assert found["etcd: precision, same path or J >= .8"] == (1, "of 3", True)
    assert found["etcd: precision, same path"] == (1 / 3, "of 3", None)


def test_planted_copies_are_found_again():
    texts = [" ".join(f"{n}x{w}" for w in range(100 + n)) for n in range(40)]
    found = {row.row: row for row in duplicates.planted(texts)}
    assert found["planted: recall, J >= .8"].value == 1


def test_without_the_peers_the_row_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasketch", None)
    monkeypatch.delitem(sys.modules, "benchmarks.curate.peers.signatures", raising=False)
    (row,) = duplicates.speed([PAGE], rounds=1)
    assert row.value is None
    assert row.row.endswith("not installed: pip install datasketch")


@pytest.mark.slow
def test_ratios_are_of_the_rounds_beside_the_peers():
    pytest.importorskip("datasketch")
    pytest.importorskip("datatrove")
    pytest.importorskip("spacy")
    found = {row.row: row for row in duplicates.speed([PAGE, PAGE + " more", "other words"], rounds=2)}
    ratio = found["times datasketch, from sets"]
    assert ratio.bar == ">= 5"
    assert 0 < ratio.interval[0] <= ratio.value <= ratio.interval[1]


def test_the_peers_find_the_same_candidates():
    pytest.importorskip("datatrove")
    peers = pytest.importorskip("benchmarks.curate.peers.signatures")
    assert peers.datasketch([[1, 2, 3], [9], [1, 2, 3]], 18, 7) == {(0, 2)}
    assert peers.datasketch([[b"a", b"b"], [b"a", b"b"]], 18, 7) == {(0, 1)}


def test_sentences_are_judged_by_peoples_scores(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("Where is it?,where is it ?,5.0\nOn May 2,On May 3,2.0\nOne thing,Quite another,5.0\n")
    same, all_five = meanings.sentences(path, "made up", NgramEncoder())
    assert (same.value, same.unit) == (1, "of 1")
    assert (all_five.value, all_five.unit) == (0.5, "of 2")


def test_messages_that_are_alike_meet():
    row = meanings.messages(["Where is it?", "where is it ?", "Quite another thing"], NgramEncoder())
    assert (row.value, row.unit) == (1, "of 1")
