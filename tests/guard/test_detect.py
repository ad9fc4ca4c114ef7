import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel import guard
from openflywheel.base import door
from openflywheel.base.nouns import Verdict
from openflywheel.guard import _phones, pii, secrets
from openflywheel.guard._spans import REACH, Detector, find, found, hints, merged, renamed

GUARDS = [door.load("guard", "pii"), door.load("guard", "secrets")]
ALL = (*pii.DETECTORS, *secrets.DETECTORS)
KINDS = tuple(d.kind for d in ALL)

pieces = st.sampled_from([
    "jo@example.com", "4111 1111 1111 1111", "4000 0000 0000 0000 006", "MT84MALT011000012345MTLCAST001S",
    "536-22-1234", "SSN 536221234", "203.0.113.9", "2001:DB8::1", "212-555-0143", "\u0660\u0661\u0662 3395",
    "0049", "call ", "sk-" + "Ab1" * 16, "AKIA" + "IOSFODNN7EXAMPLE", "AIza" + "Ab1_-" * 7,
    "xox" + "b-123456789012", 
    "sk_" + "live_" + "Ab1" * 8, "-----BEGIN RSA PRIVATE KEY-----", "pa\u017fsword", "to\u212aen",
    "Contrase\u00d1a", "PWD", "=", ": ", " \u0130s ", " for my phone is ", "hunter22!", "(0)", "+1", "7",
])  # fmt: skip
messy = st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=8).map("".join)


@settings(deadline=None)
@given(messy)
def test_no_detector_finds_anything_without_what_it_needs(text: str) -> None:
    assert find(text, ALL, KINDS) == merged(span for d in ALL for span in found(text, d))


@settings(deadline=None)
@given(st.lists(messy, max_size=3).map("\n".join))
def test_bulk_hints_match_wherever_a_guard_finds(text: str) -> None:
    lines, texts = guard.Detect(GUARDS).hints or ((), ())
    near = pc.match_substring_regex(pa.array([text]), "|".join(f"(?:{p})" for p in (*lines, *texts)))
    assert near[0].as_py() or guard.apply(GUARDS, text) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        "\u017fecret=hunter22",
        "to\u212aen: hunter22",
        "password \u0130s hunter22!",
        "030/ .901820",
    ],
)
def test_needs_and_hints_are_as_wide_as_what_they_stand_for(text: str) -> None:
    (span,) = find(text, ALL, KINDS)
    hint = "|".join(f"(?:{p})" for p in (guard.Detect(GUARDS).hints or ((),))[0])
    assert pc.match_substring_regex(pa.array([text]), hint)[0].as_py()
    assert span.end == len(text)


def test_hints_stay_within_their_line_and_name_digits_of_all_scripts() -> None:
    lines, texts = guard.Detect(GUARDS).hints or ((), ())
    assert texts == (secrets.BEGINS,)
    for pattern in lines:
        bare = pattern.replace("[^\\w\\n]", "").replace("[^\\n]", "").replace("\\S", "")
        assert "\n" not in bare
        assert not re.search(r"\\s|\[\^|\\d", bare)
        assert r"\d" not in pattern
    every = "".join(c for c in map(chr, range(0x110000)) if re.match(r"\d", c))
    assert pc.match_substring_regex(pa.array(list(every)), r"\p{Nd}").to_pylist() == [True] * len(every)


def test_what_is_said_before_a_number_is_within_reach() -> None:
    assert _phones.WINDOW < REACH
    said = "registered number" + "," * 30
    assert pii.pii(f"{said}5550143")[0] == f"{said}<phone>"


def test_equal_needs_become_one_hint() -> None:
    digit = re.compile(r"\d")
    some = (
        Detector("a", digit, needs=r"\d"),
        Detector("b", digit, needs=r"\d"),
        Detector("c", digit, hint="x"),
    )
    assert hints(some) == ((r"\p{Nd}", "x"), ())
    assert hints((Detector("d", digit, needs="BEGIN", long=True),)) == ((), ("BEGIN",))


def test_words_are_needed_in_any_case() -> None:
    told = Detector("told", re.compile("key=.", re.IGNORECASE), needs=("key", "word"))
    assert [find(t, (told,), ("told",)) for t in ("KEY=1", "\u212aey=1", "ke=1")] == [
        [(0, 5, "told")], [(0, 5, "told")], [],
    ]  # fmt: skip


def test_detect_passes_a_text_through_all_guards() -> None:
    text, verdicts = guard.Detect(GUARDS)("I am jo@example.com, my password is hunter22!")
    assert text == "I am <email>, my password is <secret>"
    assert [v.check for v in verdicts] == ["pii", "secrets"]


def test_pseudonyms_stand_for_personal_data_and_never_for_secrets() -> None:
    seen = []

    def name(kind: str, value: str) -> str:
        seen.append((kind, value))
        return f"<{kind}-{len(seen)}>"

    text, verdicts = guard.Detect(GUARDS).pseudonymous("jo@example.com, 8.8.8.8, password: hunter22", name)
    assert text == "<email-1>, <ip-2>, password: <secret>"
    assert seen == [("email", "jo@example.com"), ("ip", "8.8.8.8")]
    assert [v.reason for v in verdicts] == ["1 email, 1 ip", "1 password"]


def test_pseudonyms_follow_the_guards_settings() -> None:
    strict = door.load("guard", "pii", {"mode": "refuse", "kinds": ["email"]})
    text, verdicts = guard.Detect([strict]).pseudonymous("jo@example.com 8.8.8.8", lambda kind, value: "!")
    assert (text, verdicts[0].passed) == ("! 8.8.8.8", "no")


def test_a_guard_without_hints_or_pseudonyms_takes_part() -> None:
    def own(text: str) -> tuple[str, Verdict]:
        return text.replace("x", "*"), Verdict(check="own", about="", passed="yes", n=text.count("x"))

    detect = guard.Detect([*GUARDS, own])
    assert detect.hints is None
    assert detect.pseudonymous("x jo@example.com", lambda kind, value: "!")[0] == "* !"
    assert guard.Detect([]).hints == ((), ())
    assert guard.Detect([])("any") == ("any", ())


@pytest.mark.parametrize(("spans", "shown"), [([], "ab cd"), ([(0, 2, "k"), (3, 5, "l")], "k=ab l=cd")])
def test_renamed_shows_kind_and_value(spans: list[tuple[int, int, str]], shown: str) -> None:
    from openflywheel.guard._spans import Span

    assert renamed("ab cd", [Span(*s) for s in spans], lambda kind, value: f"{kind}={value}") == shown
