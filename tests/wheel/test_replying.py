"""One reply a question, whatever the kind of the task."""

import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.answers import Asked, Drawn
from openflywheel.wheel.replying import Question, asked, explored, reply


class Able:
    """Answers everything; remembers what it was asked."""

    labels = ("yes", "no")

    def probabilities(self, texts):
        return np.array([[0.9, 0.1] if "please" in text else [0.4, 0.6] for text in texts], np.float32)

    def estimates(self, texts):
        return np.array([[len(text), len(text) - 1.5, len(text) + 1.5] for text in texts])

    def best(self, asked, k):
        self.asked = asked
        return [[(f"i{n}", 1 / (n + 1)) for n in range(min(k, 3))] for _ in asked]

    def write(self, chats, *, most_tokens=256):
        return [f"you said: {chat[-1]['content']}" for chat in chats]


QUESTIONS = [Question("go, please", "ann"), Question("no", "bob")]


def test_labels_come_with_their_confidence_and_a_person_answers_the_doubtful():
    sure, doubtful = reply("label", Able(), QUESTIONS, least=0.7)
    assert (sure.output, sure.choices) == ("yes", ("yes", "no"))
    assert sure.confidence == pytest.approx(0.9)
    assert (doubtful.output, doubtful.choices[0]) == ("", "no")


def test_a_number_comes_with_the_ends_of_its_interval():
    first, second = reply("number", Able(), QUESTIONS)
    assert (first.output, first.choices) == ("10", ("8.5", "11.5"))
    assert second.output == "2"


def test_a_number_that_is_not_known_is_a_persons():
    able = Able()
    able.estimates = lambda texts: np.full((len(texts), 3), np.nan)
    assert [r.output for r in reply("number", able, QUESTIONS)] == ["", ""]


def test_a_ranking_is_its_items_one_a_line():
    able = Able()
    (best,) = reply("rank", able, [Question('{"text": "shoes", "session": ["i7"]}', "ann")])
    assert best.output == "i0\ni1\ni2"
    assert best.choices == ("i0", "i1", "i2")
    assert able.asked == [Asked("shoes", "ann", ("i7",))]


def test_an_explored_ranking_tells_the_chance_that_it_had():
    able = Able()
    able.drawn = lambda asked, k, seed: [[Drawn("i2", 0.1, 0.5), Drawn("i0", 0.9, 0.25)] for _ in asked]
    (drawn, _) = explored(able, QUESTIONS)
    assert (drawn.output, drawn.propensity) == ("i2\ni0", 0.125)


def test_a_text_is_written():
    assert [r.output for r in reply("text", Able(), QUESTIONS)] == ["you said: go, please", "you said: no"]


@pytest.mark.parametrize("text", ["shoes", '{"text": 3}', "{shoes}", '{"other": "x"}'])
def test_what_is_no_such_object_is_words(text):
    assert asked(Question(text, "ann")) == Asked(text, "ann")


@pytest.mark.parametrize("kind", ["label", "number", "rank", "text"])
def test_nothing_is_asked_without_questions(kind):
    assert reply(kind, object(), []) == []


@pytest.mark.parametrize(
    ("kind", "what"),
    [("label", "no labels"), ("number", "no numbers"), ("rank", "no items"), ("text", "no texts")],
)
def test_a_model_that_cannot_is_told(kind, what):
    with pytest.raises(SettingsError, match=what):
        reply(kind, object(), QUESTIONS)
