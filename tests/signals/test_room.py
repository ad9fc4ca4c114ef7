"""The room through a real store: whole conversations, silence, late words, nothing twice."""

import pytest

from openflywheel import signals
from openflywheel.base import door
from openflywheel.base.nouns import Row, Signal, Step, Verdict
from openflywheel.signals import Episode, derived, patience
from openflywheel.store import Store


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


@pytest.fixture
def listen(store):
    """One passage of the room at a moment, kept with its Step; returns what the listeners were given."""
    turns = iter(range(99))

    def passage(at, *listeners, error=""):
        episodes, turn = [], next(turns)

        def spy(episode):
            episodes.append(episode)
            return []

        with store.passage("signals", signals.ARROW, f"turn {turn}") as opened:
            out = list(
                signals.run(opened.took, opened.given, [spy, *listeners], judge=lambda _: (), now=lambda: at)
            )
            step = Step(turn=turn, room="signals", took=0, gave=len(out), at=at, error=error)
            opened.tray += [*out, step]
        return {e.exchanges[0].episode: e for e in episodes}

    return passage


def complain(episode):
    """About every exchange."""
    return [derived(e, "complain", -0.5) for e in episode.exchanges]


def patient(episode, *, after=100.0):
    """About what has been silent long enough."""
    last = episode.exchanges[-1]
    return [derived(last, "patient", -0.5)] if episode.until - last.at >= after else []


def kinds(store):
    return [(s.kind, s.exchange) for s in store.all(Signal)]


def test_exchanges_are_grouped_by_conversation_in_order_of_time(store, listen, asked, told):
    late, early, other = asked("b", at=2.0), asked("a", at=1.0), asked("c", at=3.0, episode="f")
    rating, whole = told(late), told(late, "outcome", exchange="")
    store.append([late, early, other, rating, whole])
    heard = listen(9.0)
    assert [e.input for e in heard["e"].exchanges] == ["a", "b"]
    assert heard["e"].heard == {late.id: [rating], "e": [whole]}
    assert heard["e"].about(late) == [rating, whole]
    assert heard["e"].about(early) == [whole]
    assert (heard["f"].heard, heard["f"].until) == ({}, 9.0)


def test_a_conversation_that_a_turn_cuts_is_heard_whole_and_nothing_twice(store, listen, asked):
    first, second = asked("a", at=1.0), asked("b", at=2.0)
    store.append([first])
    listen(10.0, complain)
    store.append([second])
    assert [e.input for e in listen(20.0, complain)["e"].exchanges] == ["a", "b"]
    assert kinds(store) == [("complain", first.id), ("complain", second.id)]
    assert [step.gave for step in store.all(Step)] == [1, 1]


def test_what_rests_is_not_heard_again(store, listen, asked):
    store.append([asked("a", at=1.0)])
    assert list(listen(10.0)) == ["e"]
    assert list(listen(20.0)) == []


def test_a_word_that_comes_days_later_brings_its_conversation_back(store, listen, asked, told):
    talk = asked("a", at=1.0)
    store.append([talk])
    listen(10.0)
    store.append([told(talk, "demonstration", 0.0)])
    assert list(listen(9e5)) == ["e"]
    store.append([told(talk, "rating", exchange="")])
    assert list(listen(9e6)) == ["e"]


def test_what_the_room_hears_itself_brings_nothing_back(store, listen, asked):
    store.append([asked("a", at=1.0)])
    listen(10.0, complain)
    assert list(listen(20.0, complain)) == []


def test_silence_is_judged_once_it_is_long_enough(store, listen, asked):
    young = asked("a", at=50.0)
    store.append([young])
    for moment in (60.0, 149.0):
        listen(moment, patient)
    assert kinds(store) == []
    listen(151.0, patient)
    assert kinds(store) == [("patient", young.id)]
    assert list(listen(500.0, patient)) == []


def test_silence_that_a_failed_passage_should_have_judged_is_judged_by_the_next(store, listen, asked):
    young = asked("a", at=50.0)
    store.append([young])
    listen(60.0, patient)
    store.append([Step(turn=50, room="signals", took=0, at=200.0, error="disk full")])
    listen(300.0, patient)
    assert kinds(store) == [("patient", young.id)]


def test_the_past_is_everybodys(store, listen, asked):
    store.append([asked("a", at=1.0), asked("b", at=2.0, episode="f")])
    listen(10.0)
    store.append([asked("c", at=20.0, episode="g")])
    (episode,) = listen(30.0).values()
    assert [e.input for e in episode.past.exchanges] == ["a", "b", "c"]


def test_judgements_are_given_even_when_nobody_listens(store, asked):
    store.append([asked("a")])
    refused = Verdict(check="quarantine", about="s", passed="no")
    with store.passage("signals", signals.ARROW, "one") as opened:
        opened.given.all(Row), opened.given.all(Verdict)  # the judge may look at these
        assert list(signals.run(opened.took, opened.given, [], judge=lambda _: [refused])) == [refused]


def test_a_listener_is_as_patient_as_its_setting_says():
    assert patience(patient) == 100.0
    assert patience(lambda episode, *, after=7: []) == 7.0
    assert patience(complain) == 0.0


def test_a_conversation_by_itself_is_over(asked):
    assert Episode((asked("a", at=0),), {}).until == float("inf")


def test_every_mark_has_a_listener():
    assert set(door.names("signals")) >= signals.MARKS
