# ruff: noqa: RUF001  punctuation of other scripts
import random
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import UnknownSetting
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._quality.limits import Limits
from openflywheel.curate._quality.repetition import apart, commonest, repeated
from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import passages
from openflywheel.curate.quality import ALL, Judged, Rule, quality

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def word(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=rng.randint(2, 4)))


def sentence(rng: random.Random) -> str:
    return (
        " ".join(
            f"{rng.choice(['the', 'of', 'and', 'have', 'with'])} {word(rng)} {word(rng)}" for _ in range(5)
        )
        + "."
    )


def prose(paragraphs: int = 12, seed: int = 1) -> str:
    """Sentences that no rule minds: words of many kinds, full stops, stop words."""
    rng = random.Random(seed)
    return "\n\n".join(f"{sentence(rng)} {sentence(rng)}" for _ in range(paragraphs))


def batch(some: list[str], drop: str | None = None, **fields: Any) -> pa.Table:
    records = to_batch(
        [Record(text=text, source=fields.pop("source", "crawl"), **fields) for text in some], Record
    )
    return pa.Table.from_batches([records]).append_column("drop", pa.array([drop] * len(some), pa.string()))


def reasons(some: list[str], rules: tuple[Rule, ...] = ALL, **settings: Any) -> list[str | None]:
    found: list[str | None] = quality(batch(some, meta={"lang": "en"}), rules=rules, **settings)[
        "drop"
    ].to_pylist()
    return found


def text_of(*some: str) -> Text:
    return Text(next(passages(pa.array(some))))


def test_prose_stays() -> None:
    assert reasons([prose(), prose(20, 2)]) == [None, None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Too short.", "gopher: too few words"),
        ("", "gopher: too few words"),
        ("a b c d e f g h i " * 20, "gopher: short words"),
        (" ".join(f"internationalisation{n}" for n in range(60)), "gopher: long words"),
        ("the # of # and # have # that # " * 20, "gopher: too many hashes"),
        ("the and... that of... have be... with to... " * 20, "gopher: too many ellipses"),
        ("\n".join(f"- the word of line {n} and that" for n in range(30)), "gopher: bullet lines"),
        (
            "\n".join(f"the word of number {n} and that we have..." for n in range(30)),
            "gopher: lines cut off",
        ),
        ("\n".join(f"the words of {n} {n}000 {n}001" for n in range(30)), "gopher: too few letters"),
        (" ".join(f"word{n} some" for n in range(60)), "gopher: too few stop words"),
    ],
)
def test_gopher_names_its_rule(text: str, reason: str) -> None:
    assert reasons([text], ("gopher",)) == [reason]


def test_gopher_refuses_a_book_in_one_text() -> None:
    assert reasons([prose()], ("gopher",), limits=Limits(most_words=100)) == ["gopher: too many words"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(see foo(bar), x@y.z!)", ["(", "see", "foo(bar", ")", ",", "x@y.z", "!", ")"]),
        ("and/or -v /etc well-known", ["and", "/", "or", "-v", "/etc", "well", "-", "known"]),
        ('"quoted" a[0] **bold**', ['"', "quoted", '"', "a[0", "]", "*", "*", "bold", "*", "*"]),
        ("他说：你好。", ["他", "说", "：", "你", "好", "。"]),
        ("... - |", ["...", "-", "|"]),
        ("24/7 UTF-8 2016-04-08 13:49", ["24/7", "UTF-8", "2016", "-", "04", "-", "08", "13:49"]),
        ("==== -- ####", ["=", "=", "=", "=", "--", "#", "#", "#", "#"]),
        ("", []),
    ],
)
def test_words_as_they_are_written(text: str, expected: list[str]) -> None:
    found = text_of(text).words
    assert [
        text[a : a + n] for a, n in zip(found.starts.tolist(), found.lengths.tolist(), strict=True)
    ] == expected


def test_stop_words_are_those_of_the_language() -> None:
    german = " ".join(f"Der Fluss{n} und die Stadt{n} sind nicht weit" for n in range(12))
    table = batch([german] * 4)
    table = table.append_column("meta.lang", pa.array(["de", "en", None, "xx"]))
    assert quality(table, rules=("gopher",))["drop"].to_pylist() == [
        None,
        "gopher: too few stop words",
        None,
        None,
    ]


def test_a_region_of_a_language_is_the_language() -> None:
    table = batch([" ".join(f"word{n} some" for n in range(60))], meta={"lang": "en-GB"})
    assert quality(table, rules=("gopher",))["drop"].to_pylist() == ["gopher: too few stop words"]


def test_scripts_without_spaces_are_not_judged_by_the_length_of_words() -> None:
    chinese = "这是一个关于历史的故事，在很久以前有一条河流经过不同的城市和村庄。" * 3
    table = batch([chinese], meta={"lang": "zh"})
    assert quality(table, rules=("gopher",))["drop"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n\n".join(["one two three"] * 3 + [f"line {n} here" for n in range(3)]), "repetition: paragraphs"),
        (f"{prose(1)}\n\n{prose(1)}\n\n{prose(3, 2)}", "repetition: paragraph characters"),
        (prose(6).replace("\n\n", "\nso it is\n"), "repetition: lines"),
        (f"{prose(1)}\n{prose(1)}\n{prose(3, 2)}", "repetition: line characters"),
        (" ".join(f"good morning to{n}" for n in range(40)), "repetition: top 2-gram"),
    ],
)  # fmt: skip
def test_repetition_names_its_rule(text: str, reason: str) -> None:
    assert reasons([text], ("repetition",)) == [reason]


def test_repeated_ngrams_are_counted_without_the_first() -> None:
    phrase = "as we have said before"
    text = " ".join(f"{phrase} {word(random.Random(n))}" for n in range(5))
    share = 4 * len(phrase.replace(" ", "")) / len(text)
    for limit, reason in ((share - 0.01, "repetition: 5-grams"), (share, None)):
        assert reasons([text], ("repetition",), limits=Limits(top={}, ngrams={5: limit})) == [reason]


def test_lines_of_two_texts_do_not_meet() -> None:
    assert reasons([prose(), prose()], ("repetition", "fineweb")) == [None, None]


def ngrams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


some_words = st.lists(st.sampled_from(["aa", "b", "ccc", "dd"]), min_size=1, max_size=40)


@settings(deadline=None)
@given(st.lists(some_words, min_size=1, max_size=4), st.integers(2, 5))
def test_repeated_ngrams_are_those_that_counting_finds(docs: list[list[str]], n: int) -> None:
    words = text_of(*(" ".join(doc) for doc in docs)).words
    _, places, hashes = list(repeated(words, n))[-1]
    expected = [
        start + i
        for doc, start in zip(docs, words.offsets.tolist(), strict=False)
        for i, gram in enumerate(ngrams(doc, n))
        if Counter(ngrams(doc, n))[gram] > 1
    ]
    assert places.tolist() == expected
    assert len(set(hashes.tolist())) == sum(
        sum(count > 1 for count in Counter(ngrams(doc, n)).values()) for doc in docs
    )


@settings(deadline=None)
@given(st.lists(some_words, min_size=1, max_size=4), st.integers(2, 4))
def test_the_commonest_ngram_is_the_first_of_the_commonest(docs: list[list[str]], n: int) -> None:
    words = text_of(*(" ".join(doc) for doc in docs)).words
    _, places, hashes = list(repeated(words, n))[-1]
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    at, times = commonest(words, n, places[first], counts)
    expected = [
        (start + ngrams(doc, n).index(gram), count)
        for doc, start in zip(docs, words.offsets.tolist(), strict=False)
        for gram, count in Counter(ngrams(doc, n)).most_common(1)
    ]
    assert list(zip(at.tolist(), times.tolist(), strict=True)) == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), unique=True).map(sorted), st.integers(1, 10))
def test_ngrams_apart_do_not_overlap_and_none_is_left_out(places: list[int], n: int) -> None:
    taken: list[int] = []
    for place in places:
        if not taken or place >= taken[-1] + n:
            taken.append(place)
    assert apart(np.array(places, np.int64), n).tolist() == taken


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (prose() + "\n\nLorem ipsum dolor sit amet.", "c4: lorem ipsum"),
        (prose() + "\n\nCall it as f(x) { return x; } with care.", "c4: curly bracket"),
        ("\n".join(f"a menu entry {n}" for n in range(30)), "c4: too few sentences"),
        ("This is one. This is two. And this is three. The fourth is here.", "c4: too few sentences"),
        ("\n".join(["We have a cookie policy here."] * 9), "c4: too few sentences"),
        ("\n".join(["You need JavaScript for this {page}."] * 9), "c4: too few sentences"),
        ("\n".join(["Two words."] * 9), "c4: too few sentences"),
        ("\n".join(["This line is going on..."] * 9), "c4: too few sentences"),
        ("\n".join([f"This has {'x' * 1001} in it." for n in range(9)]), "c4: too few sentences"),
    ],
)
def test_c4_names_its_rule(text: str, reason: str) -> None:
    assert reasons([text], ("c4",)) == [reason]


@pytest.mark.parametrize(
    "line",
    [
        "This is said here.",
        "He said: \u201cthis is said here.\u201d",
        "This is said here.[12]",
        "This is said here.[citation needed]",
        "This is said here. [edit]",
        "这是一个关于历史的故事。",
        "यह एक कहानी है।",
        "هل هذه قصة قديمة؟",
    ],
)
def test_lines_end_in_every_script_and_before_a_citation(line: str) -> None:
    assert reasons(["\n".join([line] * 5)], ("c4",)) == [None]


def test_code_in_a_line_that_c4_does_not_look_at_is_no_reason() -> None:
    assert reasons([prose() + "\n\nfunction() {\n  return;\n}"], ("c4",)) == [None]


def test_lines_are_taken_out_only_when_asked() -> None:
    text = prose() + "\n\nHome\n\nA menu entry\n\nThis stays here.[3]"
    table = batch([text, "Home"])
    assert quality(table, rules=("c4",))["text"].to_pylist() == [text, "Home"]
    cleaned = quality(table, rules=("c4",), lines=True)
    assert cleaned["text"][0].as_py() == prose().replace("\n\n", "\n") + "\nThis stays here."
    assert cleaned["text"][1].as_py() == "Home"  # it is dropped, for the text that it has
    assert cleaned["drop"].to_pylist() == [None, "c4: too few sentences"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "fineweb: lines without an end"),
        ("\n".join(f"a line of the menu: {n}, and more" for n in range(20)), "fineweb: lines without an end"),
        ("\n".join(f"Line number {n}." for n in range(20)), "fineweb: short lines"),
        (prose() + "\n" + prose(1), "fineweb: repeated lines"),
        ("\n".join(f"{'x' * 40}{n}." for n in range(20)), "fineweb: a list"),
    ],
)  # fmt: skip
def test_fineweb_names_its_rule(text: str, reason: str) -> None:
    assert reasons([text], ("fineweb",)) == [reason]


def test_a_line_of_ideographs_is_twice_as_long_as_it_has_characters() -> None:
    line = "这是一个关于历史的故事在很久以前。"
    table = batch(["\n".join(f"{line}{n}。" for n in range(10))], meta={"lang": "zh"})
    assert quality(table, rules=("fineweb",))["drop"].to_pylist() == [None]


def test_examples_and_messages_are_left_alone() -> None:
    assert quality(batch(["hi"], labels={"intent": "greeting"}))["drop"].to_pylist() == [None]
    assert quality(batch(["hi"], source="tickets"))["drop"].to_pylist() == [None]
    assert quality(batch(["hi"]))["drop"].to_pylist() == ["gopher: too few words"]


def test_a_source_has_rules_and_limits_of_its_own() -> None:
    sources = {"tickets": Judged(rules=("gopher",)), "crawl": Judged(rules=())}
    assert quality(batch(["hi"], source="tickets"), sources=sources)["drop"].to_pylist() == [
        "gopher: too few words"
    ]
    assert quality(batch(["hi"]), sources=sources)["drop"].to_pylist() == [None]
    few = {
        "crawl": Judged(
            rules=("gopher",), limits=Limits(least_words=1, stop_words=0, letters=0, least_word=0)
        )
    }
    assert quality(batch(["hi"]), sources=few)["drop"].to_pylist() == [None]


def test_the_first_rule_that_is_broken_is_the_reason() -> None:
    assert reasons(["Lorem ipsum dolor sit amet."], ("c4", "gopher")) == ["c4: lorem ipsum"]
    assert reasons(["Lorem ipsum dolor sit amet."], ("gopher", "c4")) == ["gopher: too few words"]


def test_an_earlier_reason_stays_and_no_column_changes() -> None:
    table = batch(["hi"], drop="before")
    assert quality(table) == table
    judged = quality(batch(["hi", prose()]))
    assert judged.column_names == table.column_names
    assert judged["text"].to_pylist() == ["hi", prose()]


def test_no_rows_are_no_problem() -> None:
    assert quality(batch([])).num_rows == 0


lines = st.lists(
    st.sampled_from(["", "a b.", "The of and that.", "- x", "字字字。", "{", "...", "lorem ipsum is."]),
    max_size=9,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(lines.map("\n".join), min_size=1, max_size=5))
def test_a_text_is_judged_alike_alone_and_in_a_batch(some: list[str]) -> None:
    low = Limits(least_words=1, stop_words=1, sentences=1, least_word=0)
    for rule in ALL:
        together = reasons(some, (rule,), limits=low)
        assert together == [reasons([text], (rule,), limits=low)[0] for text in some]


def test_the_door_knows_its_settings() -> None:
    given_settings = {"rules": ["gopher"], "limits": {"least_words": 1}, "sources": {"crawl": {"rules": []}}}
    step = door.load("curate", "quality", given_settings)
    assert step(batch(["hi"]))["drop"].to_pylist() == [None]
    for wrong in (
        {"rules": ["goffer"]},
        {"limits": {"least_word_s": 1}},
        {"sources": {"crawl": {"rule": []}}},
    ):
        with pytest.raises(UnknownSetting):
            door.load("curate", "quality", wrong)


def test_the_signs_of_markdown_are_no_words_where_extract_made_them() -> None:
    table = "\n".join(f"| `{a}` | {b} |" for a, b in zip(prose(6).split(), prose(6, 2).split(), strict=False))
    page = f"# The heading of this page\n\n{prose(2)}\n\n| a | b |\n| --- | --- |\n{table}"
    as_typed = quality(batch([page], meta={"lang": "en"}), rules=("gopher",))
    extracted = quality(batch([page], meta={"lang": "en", "extract_confidence": "0.98"}), rules=("gopher",))
    assert as_typed["drop"].to_pylist() == ["gopher: too few letters"]
    assert extracted["drop"].to_pylist() == [None]
    assert extracted["text"].to_pylist() == [page]
