"""What people say outright becomes signals."""

import math

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Exchange
from openflywheel.wheel.hearing import signals_from

ASKED = Exchange(episode="talk", task="route", input="?", output="parcel", variant="m", subject="key")
NOTHING = {"rating": None, "correction": "", "choice": "", "label": "", "comment": ""}


def heard(exchange=ASKED, subject="", **said):
    return signals_from(exchange, subject, **{**NOTHING, **said})


def only(**said):
    (signal,) = heard(**said)
    return signal


@pytest.mark.parametrize(
    ("said", "value"), [(True, 1), (False, -1), (1, 1), (-1, -1), (0, 0), (0.25, 0.25), (-0.5, -0.5)]
)
def test_a_rating_lies_between_bad_and_good(said, value):
    signal = only(rating=said)
    assert (signal.kind, signal.value, signal.correction) == ("rating", value, "")


@pytest.mark.parametrize("said", [1.01, -2, 5, math.nan, math.inf])
def test_a_rating_out_of_range_is_refused_with_its_value(said):
    with pytest.raises(SettingsError, match=rf"rating = {said} is outside -1 \(bad\) to 1 \(good\)"):
        heard(rating=said, correction="refund")


def test_a_correction_says_that_it_was_bad_and_what_was_right():
    signal = only(correction="refund")
    assert (signal.kind, signal.value, signal.correction, signal.source) == (
        "correction",
        -1,
        "refund",
        "user",
    )


@pytest.mark.parametrize(("kind", "source"), [("choice", "user"), ("label", "expert")])
@pytest.mark.parametrize(("right", "value"), [("parcel", 1), ("refund", -1)])
def test_a_choice_and_a_label_say_what_is_right_and_so_whether_it_was(kind, source, right, value):
    signal = only(**{kind: right})
    assert (signal.kind, signal.value, signal.correction, signal.source) == (kind, value, right, source)


@pytest.mark.parametrize("kind", ["choice", "label"])
def test_where_nothing_was_answered_nothing_was_right_or_wrong(kind):
    handed_over = Exchange(episode="talk", task="route", input="?", output="", variant="m")
    (signal,) = heard(handed_over, **{kind: "parcel"})
    assert (signal.value, signal.correction) == (0, "parcel")


def test_a_comment_is_kept_in_its_words():
    signal = only(comment="well, thank you")
    assert (signal.kind, signal.value, signal.comment) == ("comment", 0, "well, thank you")


def test_each_thing_that_is_said_is_a_signal():
    said = heard(rating=-1, correction="refund", choice="refund", label="refund", comment="no")
    assert [s.kind for s in said] == ["rating", "correction", "choice", "label", "comment"]
    assert len({s.id for s in said}) == 5


def test_saying_nothing_is_refused_with_the_choices():
    with pytest.raises(SettingsError, match="one of: rating, correction, choice, label, comment"):
        heard()


def test_a_signal_knows_its_exchange_and_who_spoke():
    told = [only(rating=1), heard(rating=1, subject="other")[0]]
    for signal, subject in zip(told, ("key", "other"), strict=True):
        assert (signal.exchange, signal.episode, signal.task) == (ASKED.id, "talk", "route")
        assert (signal.subject, signal.explicit) == (subject, True)


def test_the_same_words_of_the_same_person_are_the_same_signal():
    assert only(rating=1).id == only(rating=True).id
    assert only(rating=1).id != only(rating=0).id
    assert only(rating=1).id != heard(rating=1, subject="other")[0].id
