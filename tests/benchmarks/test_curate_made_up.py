"""Documents of drawn words: what is planted in them is there, measured by sets of runs of five words."""

from itertools import combinations

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.curate import made_up, ray_scaling
from benchmarks.curate.duplicates import jaccard, runs
from benchmarks.curate.made_up import BACK, COPY, NEAR, STOP_WORDS, WORDS, texts

ASKED = 400


@pytest.fixture(scope="module")
def documents():
    return texts(0, ASKED).to_pylist()


@pytest.fixture(scope="module")
def alike(documents):
    """(one, other) -> similarity of all pairs that have anything to speak of in common."""
    sets = [runs(text) for text in documents]
    pairs = {(a, b): jaccard(sets[a], sets[b]) for a, b in combinations(range(len(sets)), 2)}
    return {pair: found for pair, found in pairs.items() if found > 0.02}


def test_every_20th_is_near_the_one_ten_before_it(alike):
    near = {(n - BACK, n) for n in range(ASKED) if n % NEAR == NEAR - 1 and n % COPY != COPY - 1}
    assert len(near) == 16
    # 116 runs; two words are others and each stands in five of them: 106 of 126
    assert {alike[pair] for pair in near} == {106 / 126}


def test_every_100th_is_a_copy_and_no_other_pair_is_alike(alike):
    copies = {pair for pair, found in alike.items() if found == 1}
    assert copies == {(89, 99), (189, 199), (289, 299), (389, 399)}
    assert len(alike) == 16 + len(copies)


def test_near_documents_differ_in_two_words(documents):
    one, other = documents[9].split(), documents[19].split()
    assert [n for n in range(WORDS) if one[n] != other[n]] == [30, 90]


@pytest.mark.parametrize("start", [0, 95, 399, 1_000_000])
def test_a_document_depends_on_its_number_alone(start):
    assert texts(start, 30).to_pylist()[13:] == texts(start + 13, 17).to_pylist()


def test_they_are_of_so_many_words_in_sentences_and_lines(documents):
    for text in documents[:50]:
        words = text.split()
        assert len(words) == WORDS
        assert [n for n, word in enumerate(words) if word[-1] == "."] == list(range(11, WORDS, 12))
        assert len(text.strip().split("\n")) == 3  # a line has four sentences, the last one two


def test_a_quarter_are_stop_words_and_the_others_many(documents):
    words = [word.strip(".") for text in documents for word in text.split()]
    share = sum(word in STOP_WORDS for word in words) / len(words)
    assert 0.24 < share < 0.27
    assert len(set(words)) > 10_000


def test_words_are_all_different():
    words = made_up._vocabulary().to_pylist()[: made_up.VOCABULARY]
    assert len(words) == len(set(words)) == made_up.VOCABULARY


def test_a_length_can_be_asked_for():
    (text,) = texts(7, 1, 500).to_pylist()
    assert len(text.split()) == 500


def test_numbers_are_drawn_by_splitmix64():
    """The first three for the seed 1234567; where ours multiplies a number, the generator adds."""
    golden = 0x9E3779B97F4A7C15
    states = [(1234567 + n * golden) * pow(golden, -1, 2**64) % 2**64 for n in (1, 2, 3)]
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert made_up.drawn(np.array(states, np.uint64)).tolist() == expected


def test_drawn_numbers_are_even():
    shares = np.bincount((made_up.drawn(np.arange(40_000, dtype=np.uint64)) % 10).astype(int)) / 40_000
    assert np.abs(shares - 0.1).max() < 0.01


def test_later_documents_are_newer_and_have_their_own_id():
    table = made_up.table(50, 3)
    assert table["id"].to_pylist() == ["document-50", "document-51", "document-52"]
    assert table["at"].to_pylist() == [50, 51, 52]
    assert table["text"].to_pylist() == texts(50, 3).to_pylist()
    assert set(table["source"].to_pylist()) == {"made up"}


def test_files_hold_a_block_each_and_the_last_one_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(made_up, "BLOCK", 40)
    paths = sorted(made_up.written(tmp_path / "to", 20, 100).iterdir())
    assert [path.name for path in paths] == [f"{n:012d}.parquet" for n in (20, 60, 100)]
    tables = [pq.read_table(path) for path in paths]
    assert [table.num_rows for table in tables] == [40, 40, 20]
    ids = [name for table in tables for name in table["id"].to_pylist()]
    assert ids == [f"document-{n}" for n in range(20, 120)]


def test_parts_for_a_cluster_are_equal_and_distinct(tmp_path):
    folder = ray_scaling.made_up(tmp_path / "in", 40, 4)
    parts = [pq.read_table(path) for path in sorted(folder.iterdir())]
    assert [part.num_rows for part in parts] == [10] * 4
    assert len({uri for part in parts for uri in part["uri"].to_pylist()}) == 40
    assert all(len(text.split()) == ray_scaling.WORDS for text in parts[0]["text"].to_pylist())
