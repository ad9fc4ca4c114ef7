"""What a client may say, and what it means."""

import math

import msgspec
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.wheel.said import AHEAD, OUTCOMES, Said, Stars, block, moment, outcome, rating

NOW = 1_800_000_000.0


def read(body):
    return msgspec.json.decode(body, type=Said)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"rating": true}', 1),
        (b'{"rating": false}', -1),
        (b'{"rating": 1}', 1),
        (b'{"rating": -0.5}', -0.5),
        (b'{"rating": 0}', 0),
        (b'{"stars": "5/5"}', 1),
        (b'{"stars": "1/5"}', -1),
        (b'{"stars": " 3 / 5 "}', 0),
        (b'{"stars": "4.5/5"}', 0.75),
        (b'{"stars": {"stars": 4}}', 0.5),
        (b'{"stars": {"stars": 1, "of": 2}}', -1),
    ],
)
def test_a_rating_lies_between_bad_and_good(body, value):
    assert rating(read(body)) == pytest.approx(value)


def test_nothing_rated_is_none_and_not_zero():
    assert rating(Said()) is None
    assert outcome(Said()) is None


@pytest.mark.parametrize("value", [1.01, -2, 5, math.nan, math.inf])
def test_a_rating_out_of_range_is_refused_with_its_value(value):
    with pytest.raises(SettingsError, match=rf"rating = {value} is outside -1 \(bad\) to 1 \(good\)"):
        rating(Said(rating=value))


@pytest.mark.parametrize(
    "stars",
    ["", "5", "0/5", "6/5", "1/1", "-1/5", "4/500", "four/five", Stars(stars=math.nan), Stars(stars=2, of=1)],
)
def test_stars_that_are_none_are_refused(stars):
    with pytest.raises(SettingsError, match='stars = .*: write "4/5"'):
        rating(Said(stars=stars))


def test_a_rating_and_stars_are_one_too_many():
    with pytest.raises(SettingsError, match="a rating or stars, not both"):
        rating(Said(rating=True, stars="4/5"))


@pytest.mark.parametrize("word", OUTCOMES)
def test_a_known_outcome_has_its_value_and_may_be_given_another(word):
    assert outcome(Said(outcome=word)) == OUTCOMES[word]
    assert outcome(Said(outcome=word, value=0.25)) == 0.25


def test_another_word_needs_a_value():
    assert outcome(Said(outcome="upgraded", value=1)) == 1
    with pytest.raises(
        SettingsError, match="'upgraded' needs a value from -1 to 1; choices: accepted, bought"
    ):
        outcome(Said(outcome="upgraded"))
    with pytest.raises(SettingsError, match="did you mean 'bought'?"):
        outcome(Said(outcome="bougt"))


@pytest.mark.parametrize("word", ["two words", "", "-x", "a" * 51, "<b>", "a\nb"])
def test_an_outcome_is_a_word(word):
    with pytest.raises(SettingsError):
        outcome(Said(outcome=word, value=0.5))


def test_the_value_of_an_outcome_has_bounds():
    with pytest.raises(SettingsError, match="value = 7 is outside"):
        outcome(Said(outcome="bought", value=7))


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (12.5, 12.5),
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T01:00:10.5+01:00", 10.5),
        (0, 0),
        (NOW + AHEAD, NOW + AHEAD),
    ],
)
def test_a_moment_is_in_seconds_or_as_rfc_3339_says(at, seconds):
    assert moment(Said(at=at), NOW) == seconds
    assert moment(Said(), NOW) is None


@pytest.mark.parametrize(
    "at", ["yesterday", "1970-01-01T00:00:10", "2026-13-01T00:00:00Z", "", math.nan, math.inf, -1.0]
)
def test_what_is_no_moment_is_refused(at):
    with pytest.raises(SettingsError, match="at = "):
        moment(Said(at=at), NOW)


def test_the_future_has_not_happened():
    with pytest.raises(SettingsError, match="is 301 seconds in the future"):
        moment(Said(at=NOW + 301), NOW)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
    ],
)
def test_an_address_becomes_its_block(address, network):
    assert block(Said(address=address)) == network


@pytest.mark.parametrize("address", ["localhost", "203.0.113", "1.2.3.4/8", "1.2.3.4:80"])
def test_what_is_no_address_is_refused_without_repeating_it(address):
    with pytest.raises(SettingsError) as error:
        block(Said(address=address))
    assert address not in str(error.value)


@pytest.mark.parametrize(
    "body",
    [b'{"ratting": 1}', b'{"source": "model"}', b'{"rating": "good"}', b'{"stars": {"start": 1}}', b"[]"],
)
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(msgspec.ValidationError):
        read(body)
