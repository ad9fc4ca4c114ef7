import pytest

from openflywheel.signals import Episode
from openflywheel.signals.abandonment import abandonment


def heard(encoder, *exchanges, heard=None, silent=600.0):
    episode = Episode(exchanges, heard or {}, until=exchanges[-1].at + silent)
    return [(s.exchange, s.value) for s in abandonment(episode, after=600.0, encoder=encoder)]


def test_silence_after_a_settled_question_is_no_abandonment(asked, encoder):
    assert heard(encoder, asked("parcel late", at=0), asked("refund please", at=60)) == []
    assert heard(encoder, asked("parcel late")) == []


def test_silence_after_a_question_that_was_asked_before_is(asked, encoder):
    talk = asked("parcel late", at=0), asked("other thing", at=50), asked("parcel, where?", at=60)
    assert heard(encoder, *talk) == [(talk[2].id, -0.5)]
    assert heard(encoder, *talk, silent=599.0) == []


@pytest.mark.parametrize("ended", ["disconnected", "cut", "failed"])
def test_silence_after_half_an_answer_is(asked, encoder, ended):
    half = asked("parcel late", ended=ended)
    assert heard(encoder, half) == [(half.id, -0.5)]


def test_after_a_hand_over_the_answer_before_is_blamed_and_without_one_nothing(asked, encoder):
    answer, handed = asked("parcel late", at=0), asked("refund me", "", at=60)
    assert heard(encoder, answer, handed) == [(answer.id, -0.5)]
    assert heard(encoder, handed) == []


def test_where_somebody_was_content_nothing_was_abandoned(asked, told, encoder):
    first, again = asked("parcel late", at=0), asked("parcel, where?", at=60)
    praise, anger = told(again), told(again, value=-1.0)
    assert heard(encoder, first, again, heard={again.id: [praise]}) == []
    assert heard(encoder, first, again, heard={"e": [told(again, exchange="", value=0.5)]}) == []
    assert heard(encoder, first, again, heard={again.id: [anger]}) == [(again.id, -0.5)]


def test_another_task_is_another_question(asked, encoder):
    assert heard(encoder, asked("parcel late", at=0, task="tone"), asked("parcel, where?", at=9)) == []


def test_a_question_that_a_guard_refused_repeats_nothing(asked, encoder):
    assert heard(encoder, asked("", at=0), asked("", at=9)) == []
