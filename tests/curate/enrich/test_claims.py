import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._enrich.claims import LEAST, MOST, claims

Claim = tuple[int, int]


def said(*texts: str, most: int = 64) -> list[list[Claim]]:
    """(key, value) of each text's claims."""
    found = claims(pa.chunked_array([list(texts)], pa.string()), most)
    rows = zip(found.text.tolist(), found.key.tolist(), found.value.tolist(), strict=True)
    out: list[list[Claim]] = [[] for _ in texts]
    for text, key, value in rows:
        out[text].append((key, value))
    return out


def one(text: str) -> Claim:
    [[claim]] = said(text)
    return claim


def test_figures_are_the_value_and_all_else_is_the_key() -> None:
    a, b = one("Returns are taken within 30 days."), one("returns are taken, within 14 DAYS!")
    assert a[0] == b[0]
    assert a[1] != b[1]
    assert one("Returns are taken within 30 weeks.")[0] != a[0]


def test_the_order_of_words_and_of_figures_counts() -> None:
    assert one("the dog bites the man today")[0] != one("the man bites the dog today")[0]
    assert one("it takes from 3 to 5 of the days")[1] != one("it takes from 5 to 3 of the days")[1]


@pytest.mark.parametrize(
    ("one_way", "other"),
    [
        ("it costs 1,000 euros for a whole year", "it costs 1000 euros for a whole year"),
        ("it costs 30.00 euros for a whole year", "it costs 30 euros for a whole year"),
        ("we don't ship to any of those places", "we don’t ship to any of those places"),  # noqa: RUF001
        ("we do not ship to any of those places", "we don't ship to any of those places"),
        ("it can not be sent back to the shop", "it cannot be sent back to the shop"),
    ],
)
def test_spellings_of_one_claim(one_way: str, other: str) -> None:
    assert one(one_way) == one(other)


def test_a_year_alone_is_a_value_and_beside_figures_a_word() -> None:
    assert one("the shop was opened in the year 1999")[0] == one("the shop was opened in the year 2001")[0]
    assert (
        one("in 1999 the shop had as many as 5 rooms")[0] != one("in 2001 the shop had as many as 5 rooms")[0]
    )


def test_what_is_too_short_or_too_long_is_no_claim() -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    assert said(" ".join(words[: LEAST - 1])) == [[]]
    assert len(said(" ".join(words[:LEAST]))[0]) == 1
    assert len(said(" ".join((words * 9)[:MOST]))[0]) == 1
    assert said(" ".join((words * 9)[: MOST + 1])) == [[]]


def test_sentences_end_at_stops_and_lines_but_not_inside_figures() -> None:
    text = "The box weighs about 3.5 kilograms today. The bag holds some ten nice apples\n"
    text += "and this line is another claim"
    assert len(said(text)[0]) == 3


def test_saying_it_twice_is_one_claim_and_with_two_values_none() -> None:
    line = "The box weighs about 3 kilograms today.\n"
    assert said(line * 3) == [[one(line)]]
    assert said(line + line.replace("3", "4")) == [[]]
    assert said(line + line.replace("3", "4") + line) == [[]]


def test_the_least_keys_are_kept() -> None:
    lines = [f"The {word} of our shop is open on every day.\n" for word in ("cat", "dog", "cow", "ox", "hen")]
    [everything], [few] = said("".join(lines)), said("".join(lines), most=2)
    assert few == sorted(everything)[:2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=100).map(lambda t: t.encode(errors="replace").decode()), max_size=5))
def test_a_text_claims_the_same_beside_others(texts: list[str]) -> None:
    assert said(*texts) == [one_text for text in texts for one_text in said(text)]
