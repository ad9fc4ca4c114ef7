import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._enrich.keywords import MOST, among, keywords
from openflywheel.curate._enrich.spelling import spelled
from openflywheel.curate._enrich.stopwords import stopwords
from openflywheel.curate._tokens import passages, tokens


def best(*texts: str, titles: tuple[str, ...] = (), most: int = 3) -> list[list[str]]:
    [passage] = passages(pa.array(texts))
    said = tokens(pa.array(titles or [""] * len(texts)))
    found = spelled(passage, *keywords(passage, said, most))
    return [found[n].split("; ") if n in found else [] for n in range(len(texts))]


def test_what_is_said_more_often_is_better() -> None:
    assert best("one apple, two pears, three pears", most=1) == [["pears"]]


def test_of_equals_the_earlier_one_is_better() -> None:
    assert best("zebra yak xerus") == [["zebra", "yak", "xerus"]]


def test_what_stands_at_the_beginning_beats_what_comes_late_a_little_more_often() -> None:
    assert best("zebra " + "and " * 500 + "yak yak", most=1) == [["zebra"]]


def test_words_that_say_nothing_are_none_in_many_languages() -> None:
    assert (
        best("the with and for", "und nicht aber", "pour dans avec", "для что как", "för och inte")
        == [[]] * 5
    )


def test_numbers_short_and_endless_words_are_none() -> None:
    assert best(f"12 3.14 ab x1y2 {'z' * (MOST + 1)} word", most=9) == [["word"]]


def test_letters_are_small_and_accents_stay() -> None:
    assert best("ÉCOLE école Straße İstanbul", most=2) == [["école", "straße"]]


def test_the_title_lifts_its_words() -> None:
    assert best("alpha alpha beta", titles=("Beta",), most=1) == [["beta"]]


def test_the_words_of_one_title_do_not_lift_those_of_another_text() -> None:
    assert best("alpha alpha beta", "alpha alpha beta", titles=("", "Beta"), most=1) == [["alpha"], ["beta"]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=60).map(lambda t: t.encode(errors="replace").decode()), min_size=1, max_size=5)
)
def test_each_text_has_its_own(texts: list[str]) -> None:
    together = best(*texts)
    assert together == [one for text in texts for one in best(text)]
    assert all(len(words) <= 3 for words in together)
    assert all("\n" not in word and word for words in together for word in words)


def test_stopwords_are_sorted_for_the_look_up() -> None:
    known = stopwords()
    assert (known[1:] > known[:-1]).all()
    assert among(tokens(pa.array(["WITH bucket"])).hashes, known).tolist() == [True, False]
