import pytest

from openflywheel.collect._scrape.amounts import number, plain, price, rating


@pytest.mark.parametrize(
    ("said", "amount", "currency"),
    [
        ("1.234,50 €", "1234.50", "EUR"),
        ("$1,234.50", "1234.50", "USD"),
        ("19.99", "19.99", ""),
        ("19,99 EUR", "19.99", "EUR"),
        ("1,234", "1234", ""),
        ("1.234.567", "1234567", ""),
        ("0.999", "0.999", ""),
        ("1'234.50 CHF", "1234.50", "CHF"),
        ("1\u00a0234,50 zł", "1234.50", "PLN"),
        ("₹1,23,456.00", "123456.00", "INR"),
        ("EUR 19,-", "19", "EUR"),
        ("\u221212,00 £", "-12.00", "GBP"),
        ("R$ 10", "10", "BRL"),
        ("A$5", "5", "AUD"),
        ("kr 199", "199", ""),
        ("from 5 to 300 usd", "5", "USD"),
        ("Buy All 2", "2", ""),  # ALL is the lek; a word is none
        ("The price is free", "", ""),
        ("", "", ""),
    ],
)
def test_prices_are_plain_decimals_with_their_currency(said, amount, currency):
    assert price(said) == (amount, currency)


@pytest.mark.parametrize(
    ("said", "value", "best"),
    [
        ("4,5 out of 5", "4.5", "5"),
        ("Rated 9/10", "9", "10"),
        ("87 %", "87", "100"),
        ("3 von 5 Sternen", "3", "5"),
        ("4.125", "4.125", ""),
        ("no stars", "", ""),
    ],
)
def test_ratings_tell_their_best_if_the_page_does(said, value, best):
    assert rating(said) == (value, best)


def test_only_what_is_a_number_of_sense_is_plain():
    assert plain("1E+2") == "100"
    assert plain("007.50") == "7.50"
    for odd in ("", "x", "NaN", "Infinity", "1e999999", "1e-999999", "9" * 5000):
        assert plain(odd) == "", odd


def test_digits_apart_are_two_numbers_and_thousands_are_one():
    assert number("5 3 stars") == "5"
    assert number("12 345 678") == "12345678"
    assert number("x" * 10_000 + "5") == ""
