import pytest

from openflywheel.base.nouns import Signal
from openflywheel.store import Store


@pytest.fixture
def kept(both):
    """Everything here holds for SQLite and for PostgreSQL."""
    return both


def asked(store: Store) -> list[tuple[str, str, str]]:
    return [(q.exchange, q.task, q.why) for q in store.experts.open()]


def test_questions_are_open_in_the_order_in_which_they_were_asked(store):
    store.experts.ask(["b", "a"], task="route", why="unsure")
    store.experts.ask(["c"], task="risk", why="thumbs down")
    assert asked(store) == [("b", "route", "unsure"), ("a", "route", "unsure"), ("c", "risk", "thumbs down")]
    assert [q.exchange for q in store.experts.open(2)] == ["b", "a"]


def test_asking_twice_asks_once_and_the_first_reason_stays(store):
    store.experts.ask(["a", "a"], task="route", why="unsure")
    store.experts.ask(["a"], task="route", why="audit")
    assert asked(store) == [("a", "route", "unsure")]
    assert (store.experts.why("a"), store.experts.why("b")) == ("unsure", "")


def test_an_answer_and_its_signal_are_kept_together(store):
    store.experts.ask(["a", "b"], task="route", why="unsure")
    answer = Signal(
        exchange="a", kind="label", value=1.0, source="expert", explicit=True, correction="orders"
    )
    store.append([answer], [store.experts.answered("a")])
    assert [q.exchange for q in store.experts.open()] == ["b"]
    assert store.heard(["a"]) == {"a": [answer]}
    assert store.experts.why("a") == "unsure"


def test_an_answered_question_is_not_asked_again(store):
    store.experts.ask(["a"], task="route", why="unsure")
    store.append([], [store.experts.answered("a")])
    store.experts.ask(["a"], task="route", why="unsure")
    assert asked(store) == []


def test_what_is_known_already_is_noted_and_not_asked(store):
    store.experts.ask(["a", "b"], task="route", why="holdout", known=["a"])
    assert asked(store) == [("b", "route", "holdout")]
    assert store.experts.why("a") == "holdout"


def test_asking_nothing_is_harmless(store):
    store.experts.ask([], task="route", why="unsure")
    assert asked(store) == []


def test_questions_survive_closing(store, kept):
    store.experts.ask(["a"], task="route", why="unsure")
    store.close()
    again = kept.store(store.path)
    assert [q.exchange for q in again.experts.open()] == ["a"]
    again.close()
