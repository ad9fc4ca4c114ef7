"""The experts' queue in the terminal."""

from contextlib import closing

import pytest

from openflywheel.base.holdout import DRAWN
from openflywheel.base.nouns import Exchange, Signal
from openflywheel.store import Store


@pytest.fixture
def labels(desk):
    """What experts have said so far, oldest first."""

    def said():
        store = Store(desk / "wheel")
        found = [s.correction for s in store.all(Signal) if s.kind == "label"]
        store.close()
        return found

    return said


@pytest.fixture
def choices(desk):
    """The choices of each open question."""
    store = Store(desk / "wheel")
    asked = [q.exchange for q in store.experts.open()]
    exchanges = store.get(Exchange, asked)
    store.close()
    return [exchanges[e].choices for e in asked]


def test_a_number_takes_a_choice(flywheel, labels, choices):
    result = flywheel("label", input="2\n1\nq\n")
    assert labels() == [choices[0][1], choices[1][0]]
    assert result.stdout.startswith(f"Answered 2, skipped 0; {len(choices) - 2} questions left.")


def test_the_expert_sees_the_question_and_why_it_is_asked(flywheel, choices):
    shown = flywheel("label", input="q\n").stderr
    assert f"1 of {len(choices)}, route: " in shown
    assert "   ".join(f"{n} {choice}" for n, choice in enumerate(choices[0], 1)) in shown


def test_a_known_label_is_taken_as_it_is(flywheel, labels):
    flywheel("label", input="billing\nq\n")
    assert labels() == ["billing"]


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("biling\ny\nq\n", ["billing"]),
        ("biling\nn\ny\nq\n", ["biling"]),
        ("biling\nn\nn\nreturns\nq\n", ["returns"]),
        ("something else\ny\nsomething else\nq\n", ["something else", "something else"]),
        ("something else\n\nq\n", []),
        ("9\n\n1\nq\n", ["first choice"]),
    ],
)
def test_an_unknown_label_is_asked_about(typed, taken, flywheel, labels, choices):
    flywheel("label", input=typed)
    assert labels() == [choices[0][0] if label == "first choice" else label for label in taken]


def test_a_near_label_is_proposed(desk, flywheel):
    shown = flywheel("label", input="biling\nn\nn\nq\n").stderr
    assert (
        "there is no label 'biling'; did you mean 'billing'? y/n: make 'biling' a new label? y/n: " in shown
    )


def test_a_skipped_question_stays_open(ask_json, labels, choices):
    session = ask_json("label", input="s\ns\nq\n")
    assert session == {"answered": 0, "skipped": 2, "left": len(choices)}
    assert labels() == []


def test_the_end_of_the_input_ends_the_session_and_keeps_the_answers(ask_json, labels, choices):
    session = ask_json("label", input="1\nnew\n")
    assert session == {"answered": 1, "skipped": 0, "left": len(choices) - 1}
    assert labels() == [choices[0][0]]


def test_a_limit_is_kept(ask_json, choices):
    assert ask_json("label", "--limit", "1", input="1\n1\n")["left"] == len(choices) - 1


@pytest.fixture
def asked_about(desk, ask_json):
    """Put a message into the queue, before all others; returns its exchange."""

    def ask(text, why):
        exchange = ask_json("ask", "route", text)
        with closing(Store(desk / "wheel")) as store:
            for question in store.experts.open():
                store.append([], [store.experts.answered(question.exchange)])
            store.experts.ask([exchange["id"]], task="route", why=why)
        return exchange

    return ask


def test_a_question_cannot_steer_the_terminal(asked_about, flywheel):
    asked_about("red \x1b[31malert\r\x07", "doubt")
    shown = flywheel("label", input="q\n").stderr
    assert "“red  [31malert  ”" in shown
    assert "\x1b" not in shown


def test_what_the_model_thinks_is_shown(asked_about, flywheel):
    exchange = asked_about("where is my parcel?", "doubt")
    shown = flywheel("label", input="q\n").stderr
    assert f"the model said {exchange['output']} (" in shown
    assert f"  1 {exchange['choices'][0]}   2 {exchange['choices'][1]}" in shown


def test_an_answer_that_will_judge_models_is_given_blindly(asked_about, flywheel, labels):
    exchange = asked_about("where is my parcel?", DRAWN)
    shown = flywheel("label", input="3\n").stderr
    assert "the model said" not in shown
    in_order = sorted(exchange["choices"])
    assert f"  1 {in_order[0]}   2 {in_order[1]}   3 {in_order[2]}" in shown
    assert labels()[-1] == in_order[2]


def test_without_questions_there_is_nothing_to_do(flywheel, ask_json, labels):
    flywheel("label", input="1\n" * 50)
    answered = len(labels())
    assert ask_json("label") == {"answered": 0, "skipped": 0, "left": 0}
    assert len(labels()) == answered > 0
