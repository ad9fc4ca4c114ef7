import pytest

from openflywheel.signals import Episode, _past
from openflywheel.signals._past import Past
from openflywheel.signals.returns import returns

WEEK = 604_800.0


def heard(exchange, others, until=WEEK, **settings):
    episode = Episode((exchange,), {}, until, Past(lambda: [exchange, *others]))
    return [s.value for s in returns(episode, **settings)]


def visit(asked, at, subject="ann", episode="other"):
    return asked(at=at, subject=subject, episode=episode)


@pytest.mark.parametrize(("at", "value"), [(WEEK / 4, 0.5), (WEEK / 2, 0.0), (WEEK, -1.0), (2 * WEEK, -1.0)])
def test_the_sooner_somebody_is_back_the_better(asked, at, value):
    assert heard(asked(subject="ann"), [visit(asked, at)]) == [pytest.approx(value)]


def test_the_first_return_counts_and_nobody_elses(asked):
    visits = [visit(asked, WEEK / 2), visit(asked, WEEK / 4), visit(asked, 9.0, "bob")]
    assert heard(asked(subject="ann"), visits) == [0.5]
    assert heard(asked(subject="ann"), [visit(asked, WEEK / 4, "bob")]) == [-1.0]


def test_going_on_in_the_same_conversation_is_no_return(asked):
    assert heard(asked(subject="ann"), [visit(asked, 9.0, episode="e")]) == [-1.0]


def test_nothing_is_said_before_the_time_is_over_or_of_the_nameless(asked):
    assert heard(asked(subject="ann"), [visit(asked, 9.0)], until=WEEK - 1) == []
    assert heard(asked(subject=""), [visit(asked, 9.0, "")]) == []
    assert heard(asked(subject="ann"), [visit(asked, 50.0)], until=100.0, after=100.0) == [0.0]


def test_where_memory_ends_nothing_is_said(asked, monkeypatch):
    monkeypatch.setattr(_past, "NEWEST", 2)
    late = [visit(asked, 8.0), visit(asked, 9.0)]
    episode = Episode((asked(subject="ann"),), {}, WEEK, Past(lambda: late))
    assert list(returns(episode)) == []
