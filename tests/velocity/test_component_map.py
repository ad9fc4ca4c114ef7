"""Each component's share from planted facts, and the weakest one circled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.champion import PROMOTION
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Exchange, Signal, Step, Verdict
from openflywheel.velocity.component_map import component_map


def step(room, took, gave, *, turn=3, at=1000.0, error="", **dropped):
    return Step(turn=turn, room=room, took=took, gave=gave, at=at, error=error, dropped=dropped)


def asked(id, at=900.0, episode="talk"):
    return Exchange(id=id, episode=episode, task="route", input="?", output="x", variant="m", at=at)


def heard(exchange, source="user", explicit=True, episode=""):
    return Signal(
        exchange=exchange, kind="k", value=0, source=source, explicit=explicit, episode=episode, task="route"
    )


def decided(about, passed):
    return Verdict(check=PROMOTION, about=about, passed=passed, task="route")


def read(log, **parts):
    return {r.name.removeprefix("component_"): r for r in component_map(log(**parts))}


def test_collection_is_the_share_of_gaps_that_brought_records(log):
    found = read(log, new_steps=[step("collect", 4, 1), step("collect", 6, 2)])["collection"]
    assert found.value == pytest.approx(0.3)
    assert (found.low, found.high) == wilson(3, 10)
    assert found.note == "3 of 10 gaps brought records"
    assert (found.unit, found.turn) == ("share", 3)


def test_many_records_of_one_gap_count_once(log):
    assert read(log, new_steps=[step("collect", 4, 100)])["collection"].value == 1


def test_storage_is_the_share_of_records_that_passed(log):
    dropped = {"too short": 3, "stored already": 5}
    found = read(log, new_steps=[step("curate", 10, 7, **dropped)])["storage"]
    assert found.value == pytest.approx(0.7)
    assert found.note == "7 of 10 records passed curation"


def test_analysis_is_the_share_of_exchanges_that_drew_a_signal(log):
    exchanges = [asked("a"), asked("b"), asked("c", episode="other"), asked("d", episode="third")]
    signals = [heard("a", "code", False), heard("a"), heard("", "model", False, episode="other")]
    assert read(log, new_exchanges=exchanges, new_signals=signals)["analysis"].value == pytest.approx(0.5)


def test_feedback_is_the_share_of_exchanges_that_people_spoke_about(log):
    exchanges = [asked(i) for i in "abcd"]
    signals = [
        heard("a"),
        heard("a"),
        heard("b", "expert"),
        heard("c", "model", False),
        heard("d", explicit=False),
    ]
    assert read(log, new_exchanges=exchanges, new_signals=signals)["feedback"].value == pytest.approx(0.5)


def test_exchanges_after_the_ear_was_open_had_no_chance(log):
    exchanges = [asked("a", at=900), asked("b", at=1100), asked("c", at=1200)]
    parts = {"new_exchanges": exchanges, "new_signals": [heard("a")]}
    assert read(log, new_steps=[step("signals", 1, 1)], **parts)["analysis"].value == 1
    # a failed passage heard nobody, and that is the component's fault
    failed = [step("signals", 3, 0, error="ValueError: x")]
    assert read(log, new_steps=failed, **parts)["analysis"].value == pytest.approx(1 / 3)


def test_application_is_the_share_of_the_last_five_candidates_promoted(log):
    said = ["yes", "yes", "no", "inconclusive", "no", "yes", "no"]
    found = read(log, verdicts=[decided(f"m{i}", p) for i, p in enumerate(said)])["application"]
    assert found.value == pytest.approx(1.5 / 5)  # the last five: no, inconclusive, no, yes, no
    assert found.note.startswith("1.5 of 5")


def test_the_last_word_about_a_candidate_counts_and_other_checks_do_not(log):
    verdicts = [decided("m", "inconclusive"), decided("m", "yes")]
    verdicts += [Verdict(check="accuracy", about="n", passed="no", task="route")]
    assert read(log, verdicts=verdicts)["application"].value == 1


def test_the_weakest_is_named_with_its_facts_and_the_silent_are_said(log):
    found = read(log, new_steps=[step("collect", 10, 9), step("curate", 10, 4, short=6)])
    assert set(found) == {"collection", "storage", "weakest_component"}
    assert found["weakest_component"].value == pytest.approx(0.4)
    assert found["weakest_component"].note == (
        "storage: 4 of 10 records passed curation; without data: analysis, application, feedback"
    )


def test_a_failed_room_without_data_scores_nothing(log):
    found = read(log, new_steps=[step("collect", 5, 0, error="TimeoutError: slow (web.py:7)")])
    assert found["collection"].value == 0
    assert found["weakest_component"].note.startswith("collection: collect failed: TimeoutError: slow")


def test_a_room_that_recovered_is_judged_by_what_it_did(log):
    steps = [step("collect", 5, 0, error="TimeoutError: slow"), step("collect", 5, 4)]
    assert read(log, new_steps=steps)["collection"].value == pytest.approx(0.8)
    idle = [step("collect", 5, 0, error="TimeoutError: slow"), step("collect", 0, 0)]
    assert "collection" not in read(log, new_steps=idle)


def test_a_room_that_is_off_scores_nothing(log):
    found = read(log, new_steps=[step("customize", 2, 0)])["application"]
    assert (found.value, found.note) == (0, "customize took 2 and gave nothing")


def test_other_turns_do_not_count(log):
    assert read(log, new_steps=[step("collect", 5, 0, turn=2), step("curate", 1, 0, turn=2, error="x")]) == {}


def test_an_empty_log_has_no_map(log):
    assert read(log) == {}
    assert read(log, new_steps=[step("collect", 0, 0), step("curate", 0, 0), step("study", 0, 0)]) == {}


ROOM = st.sampled_from(["collect", "curate", "customize", "signals", "serve"])
STEPS = st.lists(st.builds(step, ROOM, st.integers(0, 99), st.integers(0, 99), short=st.integers(0, 99)))


@given(STEPS, st.lists(st.sampled_from(["yes", "no", "inconclusive"])), st.sets(st.sampled_from("abcdef")))
def test_scores_are_shares_and_the_weakest_is_the_least(log, steps, said, loud):
    verdicts = [decided(f"m{i}", p) for i, p in enumerate(said)]
    exchanges, signals = [asked(i) for i in "abcd"], [heard(i) for i in sorted(loud)]
    found = read(log, new_steps=steps, verdicts=verdicts, new_exchanges=exchanges, new_signals=signals)
    weakest = found.pop("weakest_component")
    assert all(0 <= r.value <= 1 for r in found.values())
    assert weakest.value == min(r.value for r in found.values())
    assert all(r.low <= r.value <= r.high for r in found.values() if r.low is not None)
