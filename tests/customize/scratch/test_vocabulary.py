"""The tokenizer of the domain's own words: which become tokens, and that it says what it read."""

from hypothesis import given
from hypothesis import strategies as st

from openflywheel.customize._scratch.vocabulary import LEAST_PEOPLE, learned

LABELS = ("cancel", "track")
NAME, ADDRESS = "Annegret Zwiebelmeier", "annegret.zwiebelmeier@example.org"


def of(person, *texts):
    return [(person, text) for text in texts]


def common(people=30):
    return [pair for n in range(people) for pair in of(f"p{n}", f"where is my parcel {n}", "call me back")]


def tokens(said, size=600, labels=LABELS):
    return {token.removeprefix("\u0120") for token in learned(said, size, labels).get_vocab()}


def test_a_name_in_one_persons_rows_becomes_no_token():
    hers = [f"please call {NAME} about order {n}, {ADDRESS}" for n in range(30)]
    found = tokens([*common(), *of("her", *hers)])
    assert {"parcel", "where", "call"} <= found
    letters = {token for token in found if len(token) > 2}
    for word in (*NAME.lower().split(), "zwiebelmeier@example", "example", "please", "about", "order"):
        assert not {token for token in letters if token in word} - {"call", "back", "parcel", "where"}, word


def test_a_word_becomes_one_when_enough_people_use_it():
    few, enough = (
        [pair for n in range(number) for pair in of(f"q{n}", *["zwiebelkuchen"] * 9)]
        for number in (LEAST_PEOPLE - 1, LEAST_PEOPLE)
    )
    assert "zwiebelkuchen" not in tokens([*common(), *few])
    assert "zwiebelkuchen" in tokens([*common(), *enough])


def test_with_labels_one_word_is_the_same_in_any_case():
    said = [*of("a", "Zwiebel " * 9), *of("b", "ZWIEBEL " * 9), *of("c", "zwiebel " * 9)]
    assert "zwiebel" in tokens(said)
    assert not any("wiebel" in token.lower() for token in tokens(said, labels=()))


def test_how_often_a_word_is_used_counts():
    people = [f"p{n}" for n in range(LEAST_PEOPLE)]
    said = [(person, "rarewords " + "abundance " * 50) for person in people]
    assert "abundance" in tokens(said, size=256 + 9)
    assert "rarewords" not in tokens(said, size=256 + 9)


@given(st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=40))
def test_what_it_never_saw_can_be_read_and_said(text):
    words = learned(common(), 400)
    ids = words(text, add_special_tokens=False)["input_ids"]
    assert words.decode(ids, clean_up_tokenization_spaces=False).removeprefix(" ") == text.removeprefix(" ")


def test_texts_of_nobody_make_a_tokenizer_of_bytes():
    assert len(tokens([])) >= 256
