import pytest

from openflywheel.signals import Episode
from openflywheel.signals.escalation import escalation


def heard(*exchanges, heard=None, **settings):
    return [(s.exchange, s.value) for s in escalation(Episode(exchanges, heard or {}), **settings)]


@pytest.mark.parametrize(
    "words",
    [
        "I want to TALK to a person",
        "is this a real person?",
        "let me speak to someone!",
        "mit einem Mitarbeiter",
    ],
)
def test_who_asks_for_a_person_was_not_helped_by_the_answer_before(asked, words):
    first, second = asked("where is it?", at=0), asked(words, at=1)
    assert heard(first, second) == [(first.id, -1.0)]


@pytest.mark.parametrize("words", ["human resources", "the personal data", "someone else's parcel", ""])
def test_other_words_ask_for_nobody(asked, words):
    assert heard(asked("where?", at=0), asked(words, at=1)) == []


def test_the_first_message_follows_no_answer(asked):
    assert heard(asked("a human please")) == []


def test_a_hand_over_by_the_flywheel_blames_the_answer_before_it_by_half(asked):
    first, handed = asked("where?", at=0), asked("and?", "", at=1)
    assert heard(first, handed) == [(first.id, -0.5)]
    assert heard(handed) == []
    assert heard(first, handed, asked("hello", "", at=2)) == [(first.id, -0.5)]


def test_the_outcome_is_about_its_answer_or_the_last_of_the_episode(asked, told):
    first, last = asked("where?", at=0), asked("and?", at=1)
    own = told(first, "outcome", -1.0, outcome="escalated")
    whole = told(first, "outcome", -1.0, outcome="escalated", exchange="")
    assert heard(first, last, heard={first.id: [own]}) == [(first.id, -1.0)]
    assert heard(first, last, heard={"e": [whole]}) == [(last.id, -1.0)]
    assert heard(first, last, heard={"e": [told(first, "outcome", outcome="bought", exchange="")]}) == []


def test_the_words_are_a_setting_and_may_be_none(asked):
    talk = asked("where?", at=0), asked("quiero un agente", at=1)
    assert heard(*talk, words=("un agente",)) == [(talk[0].id, -1.0)]
    assert heard(*talk, words=()) == []
