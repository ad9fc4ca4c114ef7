import pytest

from openflywheel.signals import Episode
from openflywheel.signals.accept import accept

ANSWER = "You can send the lamp back within thirty days, free of charge, from any post office."


def heard(*exchanges, heard=None, **settings):
    return [(s.exchange, s.value) for s in accept(Episode(exchanges, heard or {}), **settings)]


def test_an_answer_that_comes_back_was_taken_over(asked):
    answer = asked("returns?", ANSWER, at=0)
    assert heard(answer, asked(f"forwarded: {ANSWER.upper()}", at=9)) == [(answer.id, 1.0)]
    (half,) = heard(answer, asked("You can send the lamp back within thirty days, free of charge", at=9))
    assert half == (answer.id, pytest.approx(8 / 12))


def test_a_few_words_of_it_are_not_enough(asked):
    talk = asked("returns?", ANSWER, at=0), asked("within thirty days, free of charge, really?", at=9)
    assert heard(*talk) == []
    assert len(heard(*talk, share=0.1)) == 1


def test_a_label_that_stands_in_the_next_message_was_not_copied(asked):
    assert heard(asked("returns?", "delivery", at=0), asked("my delivery is late", at=9)) == []
    assert heard(asked("returns?", "", at=0), asked("", at=9), share=0.0) == []


def test_only_the_next_message_counts(asked):
    assert heard(asked("a", ANSWER, at=0), asked("b", at=1), asked(ANSWER, at=2)) == []


def test_what_was_sent_instead_counts_too(asked, told):
    answer = asked("returns?", ANSWER)
    sent = told(answer, "demonstration", 0.0, correction=f"Hello, {ANSWER} Yours, Bob")
    assert heard(answer, heard={answer.id: [sent]}) == [(answer.id, 1.0)]


@pytest.mark.parametrize(("outcome", "drawn"), [("copied", 1), ("accepted", 1), ("bought", 0)])
def test_the_client_may_say_it_outright(asked, told, outcome, drawn):
    answer = asked("returns?", "delivery")
    said = {answer.id: [told(answer, "outcome", 0.5, outcome=outcome)]}
    assert heard(answer, heard=said) == [(answer.id, 1.0)] * drawn
