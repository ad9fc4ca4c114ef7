import json

import pytest

from openflywheel.base.nouns import Row
from openflywheel.customize._preference.liking import FEW, bounded, pairs, telling, thumbs

TASK = "shop"


def row(text, answer, subject="", weight=1.0, **meta):
    return Row(text=text, source="test", labels={TASK: answer}, subject=subject, weight=weight, meta=meta)


def corrected(text, answer, rejected, **more):
    return row(text, answer, rejected=rejected, **more)


def said(found):
    return [(pair.chosen, pair.rejected, pair.weight) for pair in found]


def judged(found):
    return [(thumb.answer, thumb.up, thumb.weight) for thumb in found]


def test_a_correction_is_better_than_what_was_given():
    assert said(pairs([corrected("where?", "here", "there", weight=0.5)], TASK)) == [("here", "there", 0.5)]


def test_rows_that_say_nothing_of_liking_are_left_out():
    told = [corrected("a", "b", "c"), row("a", "b", thumb="up")]
    silent = [row("a", "b"), row("a", "b", rejected=""), corrected("a", "b", "d", weight=0.0)]
    assert telling([*silent, *told]) == told


def test_answers_to_one_question_with_thumbs_up_and_down_make_pairs():
    rows = [
        row("where?", "here", thumb="up"),
        row("where?", "there", thumb="down", counts="0.4"),
        row("where?", "nowhere", thumb="down"),
        row("when?", "now", thumb="down"),
    ]
    assert said(pairs(rows, TASK)) == [("here", "there", 0.4), ("here", "nowhere", 1.0)]


def test_a_question_within_another_conversation_is_another_question():
    before = [{"role": "user", "content": "hello"}, {"role": "user", "content": "where?"}]
    rows = [row("where?", "here", thumb="up", chat=json.dumps(before)), row("where?", "there", thumb="down")]
    assert pairs(rows, TASK) == []


def test_the_same_pair_counts_once_by_its_greatest_weight():
    rows = [
        corrected("where?", "here", "there", subject="a", weight=0.3),
        corrected("where?", "here", "there", subject="b", weight=0.8),
        row("where?", "here", thumb="up"),
        row("where?", "there", thumb="down", counts="0.5"),
    ]
    assert said(pairs(rows, TASK)) == [("here", "there", 0.8)]


def test_people_who_contradict_each_other_are_both_heard():
    rows = [corrected("where?", "here", "there"), corrected("where?", "there", "here")]
    assert said(pairs(rows, TASK)) == [("here", "there", 1.0), ("there", "here", 1.0)]


def test_an_answer_is_not_better_than_itself():
    assert pairs([corrected("where?", "here", "here")], TASK) == []


def test_a_thumb_weighs_what_its_row_and_its_signal_weigh():
    rows = [
        row("a", "b", thumb="up", counts="0.3", weight=0.5),
        row("c", "d", thumb="down", counts="0.3"),
        row("e", "f", thumb="up"),
    ]
    assert judged(thumbs(rows, TASK)) == [("b", True, 0.15), ("d", False, 0.3), ("f", True, 1.0)]


def test_thumbs_of_one_answer_are_averaged():
    rows = [row("a", "b", subject=str(i), thumb="up" if i else "down") for i in range(4)]
    assert judged(thumbs(rows, TASK)) == [("b", True, 0.5)]
    rows = [row("a", "b", subject=str(i), thumb="up" if i % 2 else "down") for i in range(4)]
    assert thumbs(rows, TASK) == []


def test_a_correction_is_a_thumb_up_and_one_down():
    rows = [corrected("a", "good", "bad", weight=0.5), row("a", "bad", thumb="down")]
    assert judged(thumbs(rows, TASK)) == [("good", True, 0.5), ("bad", False, 0.75)]


def test_counts_that_are_no_number_are_an_error():
    with pytest.raises(ValueError, match="many"):
        thumbs([row("a", "b", thumb="up", counts="many")], TASK)


def test_nobody_gives_more_than_a_share():
    keen = [row(f"question {i}", "b", "keen", thumb="up") for i in range(80)]
    others = [row(f"question {i}", "b", f"person {i}", thumb="up") for i in range(100)]
    unknown = [row(f"question {i}", "c", thumb="up") for i in range(20)]
    kept = bounded([*others, *keen, *unknown], 0.1)
    assert len(kept) == 140  # a tenth of 200 of the keen one
    assert [r for r in kept if r.subject != "keen"] == [*others, *unknown]
    assert bounded([*keen, *unknown, *others], 0.1) != kept
    assert {r.id for r in bounded([*keen, *unknown, *others], 0.1)} == {r.id for r in kept}


def test_of_few_rows_a_person_may_give_some():
    rows = [row(f"question {i}", "b", "one", thumb="up") for i in range(FEW + 5)]
    assert len(bounded(rows, 0.01)) == FEW
    assert bounded(rows[:FEW], 0.01) == rows[:FEW]
