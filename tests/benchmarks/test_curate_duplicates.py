"""More of the duplicates benchmark's parts: samples, pairs of a step, sentences and messages from files."""

import json
import random

import pytest

from benchmarks.curate import duplicates, meanings
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.curate.near_duplicates import near_duplicates

PAGE = " ".join(f"word{n}" for n in range(200))


@pytest.fixture
def folders(tmp_path):
    """Manuals with markup, one filing of 5,500 words, and pages of HTML."""
    data, manuals = tmp_path / "data", tmp_path / "doc"
    for folder in (data / "docs_etcd", data / "sec_filings", manuals / "sqlite3"):
        folder.mkdir(parents=True)
    for n in range(40):
        (data / "docs_etcd" / f"{n}.md").write_text(f"Manual {n} about a thing &amp; more")
        (manuals / "sqlite3" / f"{n}.html").write_text(f"<style>p {{}}</style><p>Page <b>{n}</b></p>")
    (data / "sec_filings" / "long.txt").write_text(" ".join(f"filing{n}" for n in range(5_500)))
    return data, manuals


def test_a_sample_has_real_texts_pieces_of_filings_and_made_up_ones(folders):
    texts = duplicates.sample(*folders, 60)
    filings = [t for t in texts if t.startswith("filing")]
    made = [t for t in texts if t.startswith("word")]
    assert (len(texts), len(filings), len(made)) == (66, 6, 6)
    assert max(len(t.split()) for t in filings) == 1_000
    assert len({t.split()[0] for t in filings}) == 6  # of different places
    assert all(20 <= len(t.split()) < 1_000 for t in made)


def test_a_sample_has_no_markup_and_is_seeded(folders):
    texts = duplicates.sample(*folders, 60)
    assert not any("<" in t or "{}" in t or "&amp;" in t for t in texts)
    assert any("a thing & more" in t for t in texts)
    assert duplicates.sample(*folders, 60) == texts
    assert duplicates.sample(*folders, 60, seed=1) != texts


def test_our_pairs_are_those_of_plain_python():
    """Copies of falling similarity; what is well above .8 is found, what is well below is not."""
    chance = random.Random(0)
    texts = [" ".join(f"{n}x{w}" for w in range(200)) for n in range(10)]
    copies = [duplicates._edited(t.split(), s, chance) for t in texts for s in (0.95, 0.4)]
    every = [*texts, *copies]
    sets = [duplicates.runs(t) for t in every]
    found = duplicates.found(duplicates.records(every))
    for n in range(10):
        close, far = 10 + 2 * n, 11 + 2 * n
        assert duplicates.jaccard(sets[n], sets[close]) > 0.88
        assert duplicates.jaccard(sets[n], sets[far]) < 0.75
        assert (n, close) in found
        assert (n, far) not in found
    assert all(a < b and a % 10 == (b - 10) // 2 for a, b in found)


def test_planted_copies_are_seeded_and_counted_by_similarity():
    texts = [" ".join(f"{n}x{w}" for w in range(120)) for n in range(60)]
    rows = {row.row: row for row in duplicates.planted(texts)}
    again = {row.row: row for row in duplicates.planted(texts)}
    assert {n: r.value for n, r in rows.items()} == {n: r.value for n, r in again.items()}
    all_, just = rows["planted: recall, J >= .8"], rows["planted: recall, .8 <= J < .85"]
    assert all_.bar == ">= 0.98"
    assert 0 < int(just.unit[3:]) < int(all_.unit[3:]) <= 30
    assert just.bar is None


def test_texts_are_cut_into_pieces():
    assert duplicates._pieces(list("abcdefg"), 3) == [list("abc"), list("def"), list("g")]
    assert duplicates._pieces([], 3) == []


def test_planted_texts_are_of_50_words_or_more():
    short = [" ".join(f"{n}y{w}" for w in range(49)) for n in range(5)]
    long = [" ".join(f"{n}x{w}" for w in range(450)) for n in range(20)]  # 400, and a rest of 50
    assert [r.unit for r in duplicates.planted([*short, *long])] == [r.unit for r in duplicates.planted(long)]


def test_a_versions_recall_below_its_bar_is_missed(tmp_path):
    """A path that stays while its text is written anew is no near-duplicate; nothing counts it as one."""
    pages = {"v3.3/a.md": PAGE, "v3.4/a.md": PAGE, "v3.4/b.md": "old words", "v3.5/b.md": "quite new ones"}
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    rows = {row.row: row for row in duplicates.versions(tmp_path)}
    assert rows["etcd: recall, same path and J >= .8"].holds is True
    assert rows["etcd: recall, same path"].value == 1 / 2


def test_a_steps_pairs_are_the_checked_ones():
    table = duplicates.records([PAGE, "nothing alike", PAGE + " and more"])
    assert meanings.pairs_of(near_duplicates(similarity=0.8), table).tolist() == [[0, 2]]
    assert meanings.pairs_of(near_duplicates(similarity=0.999), table).tolist() == []


@pytest.fixture
def data(tmp_path):
    """The three sets of sentences and messages, tiny."""
    for name in ("stsb", "clinc150", "banking77"):
        (tmp_path / name).mkdir()
    for part in ("train", "dev"):
        (tmp_path / f"stsb/stsb-en-{part}.csv").write_text(
            'Where is it?,where is it ?,5.0\n"One, two",Three,1.0\nA dog ran,The sun is hot,0.5\n'
        )
    clinc = {"train": [["first", "a"], ["second", "a"], ["Where is it?", "b"]]}
    (tmp_path / "clinc150/data_full.json").write_text(json.dumps(clinc))
    (tmp_path / "banking77/train.csv").write_text('text,category\n"where is it ?",x\nskipped,y\nthird,x\n')
    return tmp_path


def test_every_second_message_of_both_sets_is_taken_once(data):
    assert meanings._messages(data) == ["Where is it?", "first", "third", "where is it ?"]


def test_sentences_from_their_files(data):
    found, all_five = meanings.sentences(data / "stsb/stsb-en-dev.csv", "development", NgramEncoder())
    assert (found.row, found.value, found.unit) == ("STS-B, development: of the found, score >= 4", 1, "of 1")
    assert (all_five.row, all_five.value) == ("STS-B, development: found of score 5", 1)


def test_a_pair_across_rows_is_not_the_rows_own(tmp_path):
    """The first row's sentence is the second row's other one: that says nothing of either row."""
    (tmp_path / "pairs.csv").write_text(
        "Where is it?,Quite another thing,0.0\nA dog ran,where is it ?,1.0\nSame,same,5.0\n"
    )
    found, _ = meanings.sentences(tmp_path / "pairs.csv", "made up", NgramEncoder())
    assert found.unit == "of 1"


def test_messages_that_are_not_alike_are_no_pairs():
    texts = ["Where is it?", "where is it ?", "WHERE IS IT?", "Quite another thing"]
    assert meanings.messages(texts, NgramEncoder()).unit == "of 3"
