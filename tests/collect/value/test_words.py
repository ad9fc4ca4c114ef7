"""Words of links and passages."""

import numpy as np
import pytest

from openflywheel.collect._value.words import Lexicon, url_words, words


def test_words_that_say_nothing_are_left_out():
    assert words("How do I dispose of the Old-Batteries?") == ["dispose", "old", "batteries"]
    assert words("") == []
    assert words("x 電 é") == ["電", "é"]  # one letter says nothing, one sign may be a word


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a.com/docs/sqlSelect.html?page=2", "docs sql Select page 2"),
        ("https://a.com/battery-disposal/", "battery disposal"),
        ("https://a.com/caf%C3%A9_hours.php", "café hours"),
        ("https://a.com", ""),
    ],
)
def test_what_a_url_says(url, said):
    assert url_words(url) == said


def test_the_overlap_is_the_share_of_an_examples_words():
    found = Lexicon(["battery disposal", "trail shoes"]).overlap(["battery disposal rules", "shoes", ""])
    assert found.shape == (3, 2)
    assert found[0].tolist() == pytest.approx([1, 0])
    assert found[1].tolist() == pytest.approx([0, 0.5])
    assert found[2].tolist() == [0, 0]


def test_endings_need_not_be_the_same():
    lexicon = Lexicon(["replicate tables"])
    assert lexicon.overlap(["replication of a table"])[0, 0] > 0.5
    assert lexicon.overlap(["stable republic"])[0, 0] < 0.5


def test_a_word_that_all_documents_have_says_little():
    lexicon = Lexicon(["python socket"])
    assert lexicon.overlap(["python"])[0, 0] == pytest.approx(0.5)
    for _ in range(20):
        lexicon.note("python is everywhere")
    assert lexicon.overlap(["python"])[0, 0] < 0.2
    assert lexicon.overlap(["socket"])[0, 0] > 0.8


def test_examples_without_words_overlap_with_nothing():
    assert Lexicon(["???"]).overlap(["what", "??"]).tolist() == [[0], [0]]
    assert Lexicon(["a b"]).overlap([]).shape == (0, 1)


def test_counts_survive_a_restart():
    one, other = Lexicon(["python socket"]), Lexicon(["python socket"])
    one.note("python")
    one.note("python socket")
    other.restore(one.state())
    texts = ["python", "sockets", "neither"]
    assert np.array_equal(one.overlap(texts), other.overlap(texts))
    assert other.state() == one.state()


def test_a_megabyte_without_spaces_is_read_in_bounded_time():
    lexicon = Lexicon(["battery"])
    lexicon.note("x" * 1_000_000)
    assert lexicon.overlap(["x" * 100_000]).tolist() == [[0]]
