"""Models of a store are opened whatever their form, and answer with texts, numbers and rankings."""

import json
from threading import Thread

import msgspec
import numpy as np
import pytest

from openflywheel.base.champion import PROMOTION, ROLLBACK
from openflywheel.base.errors import EncoderError, SettingsError, StoreError
from openflywheel.base.forms import prompt as prompted
from openflywheel.base.forms.number import Regression
from openflywheel.base.forms.prompt import Pool, Prompted, Sureness
from openflywheel.base.forms.recommender import Recommender, Tastes
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Labelling, Writing
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.instruments.prompting import Example, Template
from openflywheel.base.nouns import Exchange, Model, Row, Verdict
from openflywheel.wheel.asking import AskFailed
from openflywheel.wheel.opening import Opener

OWN = "flywheel/champion"
ROUTES = "routes: {answer: {variants: {tuned: {model: %s}}}}, "
TASKS = ("tasks: {", "tasks: {answer: {kind: text, costs: {call: 0.5, person: 4}}, price: {kind: number}, "
         "next: {kind: rank}, ")  # fmt: skip
FOUR = ("tent", "stove", "lipstick", "card")
HELP = Row(text="Parcels arrive within five days.", source="test", uri="help.html")


def stored(wheel, task, place, name=""):
    model = Model(
        name=name or task, task=task, base="", method="test", taught_by=(), uri=f"models/{place.name}"
    )
    wheel.store.append([model])
    return model


def serve(wheel, model, check=PROMOTION):
    wheel.store.append([Verdict(check=check, about=model.id, task=model.task, passed="yes", reason=check)])
    return model


def prompt(wheel, instructions="Answer."):
    """A model of a text task that asks the provider."""
    known = (Example("r1", "are dogs welcome", "On a lead."),)
    encoder = NgramEncoder()
    made = Prompted(
        Template("text", instructions), Pool(known, encoder.encode(["are dogs welcome"])), 1, "up/small",
        Sureness(0.9, 0.5), lambda prompt, *, model: "", encoder,
    )  # fmt: skip
    return stored(wheel, "answer", prompted.keep(made, wheel.store.artefacts), instructions)


def number(wheel, value, encoder="ngrams-1024-v1", errors=19):
    weights, bias = np.zeros((1024, 2)), np.full(2, float(value))
    made = Regression(weights, bias, np.ones(errors), np.ones(errors, np.uint8), encoder)
    return stored(wheel, "price", made.keep(wheel.store.artefacts), f"{value}")


def recommender(wheel, explore=0.0):
    n = len(FOUR)
    tastes = Tastes(
        ids=FOUR, people={}, factors=np.zeros((n, 2), np.float32), persons=np.zeros((0, 2), np.float32),
        content=np.zeros((n, 1024), np.float32), popularity=np.array([0.1, 0.4, 0.3, 0.9], np.float32),
        weights=np.array([0, 0, 1.0]),
    )  # fmt: skip
    made = Recommender(tastes, NgramEncoder(), explore)
    return stored(wheel, "next", made.keep(wheel.store.artefacts, task="next"))


@pytest.fixture
def wheel(new, reopen, fake):
    """Tasks of every kind, a provider, and a text task that its champion answers."""
    up = f"serve: {{providers: {{up: {{url: '{fake.url}'}}}}, "
    return reopen(new, TASKS, ("serve: {", up + ROUTES % OWN))


class TestOpener:
    @pytest.fixture
    def open(self, wheel):
        return Opener(wheel.settings, wheel.store, NgramEncoder())

    def test_a_prompt_is_handed_the_encoder_and_what_asks_the_provider(self, open, wheel, fake):
        fake.script({"rules": [{"answer": "On a lead."}]})
        answers = open(prompt(wheel))
        assert isinstance(answers, Writing)
        assert answers.write([prompted.user("may my dog come")]) == ["On a lead."]
        (request,) = fake.requests()
        assert request.body["model"] == "small"
        assert "are dogs welcome" in request.body["messages"][0]["content"]

    def test_one_without_a_form_is_a_head(self, desk, reopen):
        wheel = reopen(desk)
        model = wheel.champion("route")
        said = json.loads((wheel.store.path / model.uri / "manifest.json").read_text())
        assert said.get("form", "head") == "head"
        assert isinstance(Opener(wheel.settings, wheel.store, NgramEncoder())(model), Labelling)

    def test_a_form_that_nobody_reads_is_told_with_the_nearest(self, open, wheel):
        place = artefact.keep(wheel.store.artefacts, {"form": "numbr"})
        with pytest.raises(StoreError, match=r"its form is 'numbr'; did you mean 'number'"):
            open(stored(wheel, "price", place))

    def test_one_whose_folder_is_gone_is_told_by_its_path(self, open, wheel):
        model = Model(name="lost", task="price", base="", method="", taught_by=(), uri="models/lost")
        with pytest.raises(StoreError, match=r"there is no model in .*models/lost"):
            open(model)

    def test_each_call_opens_anew(self, open, wheel):
        model = number(wheel, 2)
        assert open(model) is not open(model)
        assert open(model).estimates(["a", "b"]).shape == (2, 3)


class TestText:
    def test_before_a_champion_and_without_quotes_it_says_what_to_add(self, wheel):
        with pytest.raises(
            SettingsError, match=r"no variant of the text task 'answer' answers in this process"
        ):
            wheel.ask("answer", "may my dog come")
        assert wheel.store.all(Exchange) == []

    def test_its_champion_answers_under_the_variants_name(self, wheel, fake):
        fake.script({"rules": [{"answer": "On a lead."}]})
        serve(wheel, prompt(wheel))
        exchange = wheel.ask("answer", "may my dog come")
        assert (exchange.output, exchange.variant, exchange.confidence) == ("On a lead.", "tuned", 1)
        assert (exchange.cost, exchange.choices, exchange.propensity) == (0.5, (), 1)
        assert wheel.exchange(exchange.id) == exchange

    def test_another_that_is_promoted_takes_over_and_a_rollback_gives_back(self, wheel, fake):
        fake.script({"rules": [{"answer": "On a lead."}]})
        first, second = prompt(wheel), prompt(wheel, "Be brief.")
        said = []
        for model, check in ((first, PROMOTION), (second, PROMOTION), (first, ROLLBACK)):
            serve(wheel, model, check)
            wheel.ask("answer", "may my dog come")
            said.append("Be brief." in fake.requests()[-1].body["messages"][0]["content"])
        assert said == [False, True, False]

    def test_without_a_route_to_the_champion_quotes_answer_though_there_is_one(self, new, reopen, fake):
        wheel = reopen(new, TASKS, ("serve: {", "serve: {" + ROUTES % "flywheel/extractive"))
        wheel.store.append([HELP])
        serve(wheel, prompt(wheel))
        exchange = wheel.ask("answer", "Parcels arrive within five days.")
        assert (exchange.output, exchange.variant) == (HELP.text, "tuned")
        assert fake.requests() == []

    def test_a_provider_that_fails_keeps_no_exchange(self, wheel, fake):
        serve(wheel, prompt(wheel))
        fake.script({"rules": [{"status": 400, "message": "no"}]})
        with pytest.raises(AskFailed, match="the provider up gave no answer"):
            wheel.ask("answer", "may my dog come")
        assert wheel.store.all(Exchange) == []
        fake.script({"rules": [{"answer": "Yes."}]})
        assert wheel.ask("answer", "may my dog come").output == "Yes."

    def test_a_model_that_cannot_write_is_told_with_what_to_do(self, wheel):
        model = msgspec.structs.replace(number(wheel, 2), id="", task="answer")
        wheel.store.append([model])
        serve(wheel, model)
        with pytest.raises(
            SettingsError, match="RegressionOnEncoder, which writes no texts.*plugins customize"
        ):
            wheel.ask("answer", "may my dog come")

    def test_one_that_is_never_asked_is_never_opened(self, wheel):
        place = artefact.keep(wheel.store.artefacts, {"form": "nobody's"})
        serve(wheel, stored(wheel, "answer", place))
        serve(wheel, number(wheel, 2))
        assert wheel.ask("price", "a box of apples").output == "2"
        with pytest.raises(StoreError, match='its form is "nobody\'s"'):
            wheel.ask("answer", "may my dog come")
        assert wheel.ask("price", "a box of apples").output == "2"


class TestNumber:
    def test_the_value_is_said_with_its_interval(self, wheel):
        model = serve(wheel, number(wheel, 1234567))
        exchange = wheel.ask("price", "a box of apples")
        assert (exchange.output, exchange.choices) == ("1.23457e+06", ("1.23457e+06", "1.23457e+06"))
        assert (exchange.variant, exchange.confidence) == (model.id, 1)

    def test_with_too_few_errors_the_interval_has_no_ends(self, wheel):
        serve(wheel, number(wheel, 2.5, errors=3))
        assert wheel.ask("price", "apples").choices == ("-inf", "inf")

    def test_what_the_model_does_not_know_a_person_says(self, wheel):
        serve(wheel, number(wheel, float("nan")))
        exchange = wheel.ask("price", "apples")
        assert (exchange.output, exchange.choices, exchange.confidence) == ("", (), 0)

    def test_one_that_was_taught_on_another_encoder_is_refused(self, wheel):
        serve(wheel, number(wheel, 2, encoder="other"))
        with pytest.raises(EncoderError, match="'other', this process has 'ngrams-1024-v1'"):
            wheel.ask("price", "apples")

    def test_no_questions_have_no_answers(self, wheel):
        assert wheel.ask_many("price", []) == []
        serve(wheel, number(wheel, 2))
        assert wheel.ask_many("price", []) == []


class TestRank:
    def test_items_are_drawn_with_their_chance(self, wheel):
        model = serve(wheel, recommender(wheel, explore=0.5))
        asked = wheel.ask_many("next", ["what now"] * 30)
        assert {frozenset(e.choices) for e in asked} == {frozenset(FOUR)}
        assert {tuple(e.output.split("\n")) == e.choices for e in asked} == {True}
        assert len({e.choices for e in asked}) > 1
        assert all(0 < e.propensity < 1 and e.variant == model.id for e in asked)
        chances = {e.choices: e.propensity for e in asked}
        assert sum(chances.values()) <= 1 + 1e-9
        assert [e.propensity for e in asked] == pytest.approx([chances[e.choices] for e in asked])

    def test_a_session_leaves_its_items_out(self, wheel):
        serve(wheel, recommender(wheel))
        exchange = wheel.ask("next", json.dumps({"session": ["card", "stove", "unheard of"]}))
        assert sorted(exchange.choices) == ["lipstick", "tent"]

    def test_with_nothing_left_a_person_answers(self, wheel):
        serve(wheel, recommender(wheel))
        exchange = wheel.ask("next", json.dumps({"session": list(FOUR)}))
        assert (exchange.output, exchange.choices) == ("", ())


def test_promotions_while_many_ask_never_mix_two_models(wheel):
    """Each answer is that of the model whose id it carries, and the last one promoted answers in the end."""
    models = [number(wheel, n) for n in range(4)]
    names = {model.id: model.name for model in models}
    serve(wheel, models[0])
    found = []
    threads = [
        Thread(target=lambda: found.extend(wheel.ask("price", "apples") for _ in range(12))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for model in models[1:]:
        serve(wheel, model)
    for thread in threads:
        thread.join()
    assert len(found) == 36
    assert all(names[e.variant] == e.output for e in found)
    assert wheel.ask("price", "apples").output == "3"
