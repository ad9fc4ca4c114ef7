import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.errors import SettingsError
from openflywheel.guard._spans import Detector, Span, find, found, judged, merged, replaced

spans = st.builds(
    lambda start, size, kind: Span(start, start + size, kind),
    st.integers(0, 50),
    st.integers(1, 20),
    st.sampled_from("abc"),
)


def test_found_gives_the_match_or_its_value() -> None:
    assert list(found("a1 b2", Detector("digit", re.compile(r"\d")))) == [(1, 2, "digit"), (4, 5, "digit")]
    assert list(found("a1", Detector("digit", re.compile(r"[a-z](?P<value>\d)")))) == [(1, 2, "digit")]


def test_a_match_that_fails_its_check_does_not_hide_the_next() -> None:
    pairs = Detector("even", re.compile(r"\d\d"), lambda m: int(m[0]) % 2 == 0)
    assert list(found("134", pairs)) == [(1, 3, "even")]


def test_the_longest_names_an_overlap_and_all_of_it_is_covered() -> None:
    assert merged([Span(0, 4, "short"), Span(3, 9, "long")]) == [(0, 9, "long")]
    assert merged([Span(0, 9, "outer"), Span(2, 4, "inner")]) == [(0, 9, "outer")]


def test_of_equally_long_spans_the_first_detector_names_it() -> None:
    assert merged([Span(0, 4, "first"), Span(0, 4, "second")]) == [(0, 4, "first")]


def test_spans_that_touch_stay_two() -> None:
    assert merged([Span(4, 8, "b"), Span(0, 4, "a")]) == [(0, 4, "a"), (4, 8, "b")]


@given(st.lists(spans))
def test_merging_covers_the_same_characters_once_and_in_order(given_spans: list[Span]) -> None:
    result = merged(given_spans)
    covered = [i for s in result for i in range(s.start, s.end)]
    assert covered == sorted({i for s in given_spans for i in range(s.start, s.end)})


def test_replaced_puts_placeholders_in_place() -> None:
    assert replaced("call Ann now", [Span(0, 4, "verb"), Span(5, 8, "name")], "<{}>") == "<verb> <name> now"
    assert replaced("as it was", [], "<{}>") == "as it was"


@given(st.text(max_size=80), st.lists(spans))
def test_replacing_keeps_every_other_character(text: str, given_spans: list[Span]) -> None:
    inside = merged(s for s in given_spans if s.end <= len(text))
    hidden = {i for s in inside for i in range(s.start, s.end)}
    assert replaced(text, inside, "") == "".join(c for i, c in enumerate(text) if i not in hidden)


def test_find_takes_the_wanted_kinds_only() -> None:
    detectors = [Detector("digit", re.compile(r"\d")), Detector("letter", re.compile(r"[a-z]"))]
    assert find("a1", detectors, ("digit",)) == [(1, 2, "digit")]
    assert find("a1", detectors, ()) == []
    with pytest.raises(SettingsError, match="no kind 'digits'; choices: digit, letter"):
        find("a1", detectors, ("digits",))


def test_judged_counts_kinds_and_says_no_only_when_it_refuses() -> None:
    two = [Span(0, 1, "email"), Span(2, 3, "card"), Span(4, 5, "email")]
    verdict = judged("pii", two, "redact")
    assert (verdict.check, verdict.about, verdict.passed, verdict.n) == ("pii", "", "yes", 3)
    assert verdict.reason == "2 email, 1 card"
    assert judged("pii", two, "refuse").passed == "no"
    assert judged("pii", [], "refuse").passed == "yes"


def test_an_unknown_mode_names_the_choices() -> None:
    with pytest.raises(SettingsError, match="no mode 'drop'; choices: redact, refuse"):
        judged("pii", [], "drop")
