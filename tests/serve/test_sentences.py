"""Documents cut into what can be quoted."""

import pytest

from openflywheel.serve._sentences import LONGEST, pieces


def texts(document):
    return [piece.text for piece in pieces(document)]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("We ship daily. Returns are free!", ["We ship daily.", "Returns are free!"]),
        ("Dr. Smith lives in St. Ives.", ["Dr. Smith lives in St. Ives."]),
        ("It is approx. 3.5 kg, e.g. tea. So be it.", ["It is approx. 3.5 kg, e.g. tea.", "So be it."]),
        ("Order No. 5 is late. It comes soon.", ["Order No. 5 is late.", "It comes soon."]),
        ("The answer was no. Nobody knew why.", ["The answer was no.", "Nobody knew why."]),
        ("J. K. Rowling of the U.S. Army.", ["J. K. Rowling of the U.S. Army."]),
        ("Es dauert z. B. drei Tage. Danke sehr.", ["Es dauert z. B. drei Tage.", "Danke sehr."]),
        ("See www.shop.com/x.html for version 2.10 now.", ["See www.shop.com/x.html for version 2.10 now."]),
        ("He said “We are open.” Then he left.", ["He said “We are open.”", "Then he left."]),
        ("Wait... then press the button.", ["Wait... then press the button."]),
        ("送料は無料です。返品は三十日以内です。", ["送料は無料です。", "返品は三十日以内です。"]),
        ("शिपिंग मुफ्त है। वापसी आसान है।", ["शिपिंग मुफ्त है।", "वापसी आसान है।"]),
        ("الشحن مجاني في أوروبا. الدفع آمن ومضمون.", ["الشحن مجاني في أوروبا.", "الدفع آمن ومضمون."]),
        ("", []),
        ("Yes. No.", []),
        (" \n\n ", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(document, expected):
    assert texts(document) == expected


def test_a_wrapped_line_goes_on_and_a_short_one_does_not():
    wrapped = (
        "Shipping is free above 50 euros, unless you live on an island that\nour carrier does not serve."
    )
    assert texts(wrapped) == [wrapped.replace("\n", " ")]
    assert texts("Colour: dark red\nSize: very large") == ["Colour: dark red", "Size: very large"]


def test_list_items_stand_by_themselves_without_their_marks():
    assert texts("- print the label\n* pack the parcel\n2. bring it to us\nb) wait a week") == [
        "print the label", "pack the parcel", "bring it to us", "wait a week",
    ]  # fmt: skip


def test_a_question_is_answered_by_what_stands_under_it():
    document = (
        "# Returns\nHow do I send it back?\nPrint the label. Bring it to us.\nWho pays?\nWe pay for it."
    )
    found = {piece.text: piece.answer for piece in pieces(document)}
    assert found["How do I send it back?"] == "Print the label. Bring it to us."
    assert found["Who pays?"] == "We pay for it."
    assert "Returns" not in found
    assert found["Print the label."] == "Print the label."


def test_a_question_without_an_answer_is_not_quoted():
    assert pieces("How do I send it back?") == []


def test_a_colon_keeps_its_list_and_nothing_after_it():
    lead, *_ = pieces("You may return it if:\n- it is unworn\n- it has its label\nShipping takes a week.")
    assert lead.answer == "You may return it if:\nit is unworn\nit has its label"


def test_what_is_long_is_cut_between_words():
    found = texts("word " * 200)
    assert len(found) > 1
    assert all(len(text) <= LONGEST and not text.strip("word ") for text in found)
    assert " ".join(found) == ("word " * 200).strip()
    assert [len(text) for text in texts("x" * 1_000)] == [400, 400, 200]


def test_what_stands_under_a_lead_is_not_longer_than_a_quote():
    [lead, *_] = pieces("What is it?\n" + "This is a sentence of some length. " * 40)
    assert LONGEST / 2 < len(lead.answer) <= LONGEST
    assert lead.answer.endswith(".")
