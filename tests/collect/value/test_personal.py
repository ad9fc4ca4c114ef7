"""What may say who wrote a text does not go to a search engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.nouns import Verdict
from openflywheel.collect._value.personal import impersonal

SECRETS = [
    ("write to bob.smith@example.com now", "bob"),
    ("call +49 (0)30 123 456 please", "123"),
    ("call 212-555-0143 please", "555"),
    ("my card 4111 1111 1111 1111 was refused", "4111"),
    ("IBAN DE89 3704 0044 0532 0130 00 is wrong", "DE89"),
    ("iban GB82WEST12345698765432 is wrong", "WEST"),
    ("order number A-77 is late", "A-77"),
    ("order #4711 is late", "4711"),
    ("account no: 99 is locked", "99"),
    ("ticket AB-1234 again", "1234"),
    ("my name is john and it broke", "john"),
    ("my name is Mary Jane Watson and it broke", "Watson"),
    ("ich heiße Müller und warte", "Müller"),
    ("Mrs Jane Miller waits", "Miller"),
    ("it broke again. Regards, John Smith", "Smith"),
    ("I live at 12 Baker Street here", "Baker"),
    ("ich wohne in der Hauptstraße 5 hier", "Hauptstra"),
    ("born on 12.03.1984 in Rome", "1984"),
    ("my ip is 192.168.17.4 at home", "168"),
    ("see https://shop.example.com/orders?user=bob", "bob"),
    ("@bobby_tables said so", "bobby"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_personal_things_are_taken_out(text, secret):
    assert secret not in impersonal(text)


@pytest.mark.parametrize(
    "text",
    [
        "how do I dispose of a battery",
        "python 3.11 and utf-8 on windows 10",
        "error 404 in 2021",
        "mp3 files and sha256 sums",
        "can I return shoes within 30 days",
        "in order to win",
        "what is the id of a table",
    ],
)
def test_what_is_not_personal_stays(text):
    assert impersonal(text) == text


def test_placeholders_of_guards_are_no_words():
    assert impersonal("write to <email> or call <phone> now") == "write to or call now"


def test_what_the_guards_find_is_taken_out_too():
    def detect(text):
        return text.replace("Voldemort", "<name>"), (Verdict(check="names", about="", passed="yes", n=1),)

    assert impersonal("who is Voldemort really", detect) == "who is really"


def test_what_the_guards_forbid_is_kept_back():
    no = Verdict(check="secrets", about="", passed="no", n=1)
    assert impersonal("anything", lambda text: (text, (no,))) == ""


@given(st.text(max_size=300))
def test_a_second_look_finds_nothing_more_and_spaces_are_single(text):
    once = impersonal(text)
    assert once == " ".join(once.split())
    assert len(impersonal(once)) <= len(once)


@given(st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}@[a-z]{1,9}\.(com|org|de)", fullmatch=True))
def test_no_e_mail_address_survives(address):
    assert "@" not in impersonal(f"please write to {address} about it")


@given(st.integers(10_000, 10**15))
def test_no_long_number_survives(number):
    assert not any(c.isdigit() for c in impersonal(f"about {number}, again"))


def test_long_texts_take_linear_time():
    assert impersonal("a-" * 20_000)
    assert impersonal("12 " * 20_000) == ""
    assert impersonal("order " * 5_000)
