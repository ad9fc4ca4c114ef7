import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate import _langid
from openflywheel.curate._langid import identified, languages
from openflywheel.curate.language import language

ENGLISH = "The river was built to be near the old town, and people have loved it for many years."
GERMAN = "Der Fluss liegt in der Nähe der alten Stadt, und viele Menschen haben ihn seit Jahren geliebt."
JAPANESE = "この町の近くには古い川があり、多くの人々が長年にわたって愛してきました。"
REFERENCE = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def batch(some: list[str], drop: str | None = None, **fields: dict[str, str]) -> pa.Table:
    records = pa.Table.from_batches(
        [to_batch([Record(text=text, source="test", **fields) for text in some], Record)]
    )
    return records.append_column("drop", pa.array([drop] * len(some), pa.string()))


def test_languages_and_how_sure_they_are_become_facts() -> None:
    table = language(batch([ENGLISH, GERMAN, JAPANESE]))
    assert table["meta.lang"].to_pylist() == ["en", "de", "ja"]
    assert all(
        len(sure) == 4 and 0.5 < float(sure) <= 1 for sure in table["meta.lang_confidence"].to_pylist()
    )
    assert table["drop"].null_count == 3


def test_what_nobody_wants_is_dropped_and_says_so() -> None:
    table = language(batch([ENGLISH, GERMAN, "12345"]), keep=("de",))
    assert table["drop"].to_pylist() == ["language: not kept", None, "language: not sure"]


def test_below_the_least_probability_a_text_is_undetermined() -> None:
    assert language(batch(["a b"]), least=0.99)["meta.lang"].to_pylist() == ["und"]
    assert language(batch([""]), least=0.5)["meta.lang"].to_pylist() == ["und"]
    assert language(batch([ENGLISH]), least=0)["meta.lang"].to_pylist() == ["en"]


def test_a_language_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(SettingsError, match="'german' is no language code"):
        language(batch([GERMAN]), keep=("german",))


def test_what_the_page_says_of_itself_gives_way() -> None:
    assert language(batch([GERMAN], meta={"lang": "en"}))["meta.lang"].to_pylist() == ["de"]


def test_dropped_rows_are_not_looked_at() -> None:
    table = language(batch([GERMAN], drop="before"), keep=("en",))
    assert table["drop"].to_pylist() == ["before"]
    assert table["meta.lang"].to_pylist() == [None]


def test_no_rows_are_no_problem() -> None:
    assert language(batch([]), keep=("en",)).num_rows == 0


def test_the_whole_text_is_looked_at() -> None:
    assert language(batch([ENGLISH + (" " + GERMAN) * 9]))["meta.lang"].to_pylist() == ["de"]


def test_the_two_scripts_of_serbian_are_one_language() -> None:
    latin = "Reka se nalazi u blizini starog grada i mnogi ljudi je vole već godinama, jer je veoma lepa."
    names, chances = identified(pa.chunked_array([[latin]]))
    assert (names[0], round(float(chances[0]), 4)) == same(latin)
    assert len(languages()) == len(set(languages()))


def same(text: str) -> tuple[str, float]:
    name, chance = REFERENCE.classify(text)
    return name, round(chance, 4)


pieces = st.sampled_from(
    [ENGLISH, GERMAN, JAPANESE, "HELLO WORLD", "été ", "字", " ", "x", "привет мир ", "e\u0301"]
)
some_texts = st.lists(
    st.one_of(st.text(max_size=80), st.lists(pieces, max_size=4).map("".join)), min_size=1, max_size=6
)


@settings(deadline=None, max_examples=60)
@given(some_texts, st.sampled_from([1, 100, 1 << 20]))
def test_a_batch_is_judged_as_py3langid_judges_each_text(some: list[str], at_once: int) -> None:
    some = [text.lower() for text in some]  # Arrow and Python do not agree on every capital
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_langid, "AT_ONCE", at_once)
        names, chances = identified(pa.chunked_array([some], pa.string()))
    expected = [REFERENCE.classify(text) for text in some]
    assert [round(float(c), 3) for c in chances] == pytest.approx([c for _, c in expected], abs=2e-3)
    for name, (wanted, chance) in zip(names, expected, strict=True):
        assert name == wanted or chance < 0.1  # without a hint all languages are equal


def test_shouted_words_are_read_in_small_letters() -> None:
    assert identified(pa.chunked_array([[GERMAN.upper()]]))[0] == ["de"]


def test_a_sample_is_both_ends_of_a_long_text() -> None:
    middle = " ".join([GERMAN] * 20)
    texts = batch([f"{ENGLISH} {middle} {ENGLISH}", GERMAN])
    assert language(texts)["meta.lang"].to_pylist() == ["de", "de"]
    assert language(texts, sample=2 * len(ENGLISH))["meta.lang"].to_pylist() == ["en", "de"]
    assert language(texts, sample=0).equals(language(texts))
