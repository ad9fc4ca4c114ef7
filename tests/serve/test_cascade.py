from math import inf

import pytest

from openflywheel.base.door import check
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.base.nouns import Verdict
from openflywheel.base.settings import Costs, Task, parse
from openflywheel.serve.cascade import Limit, Rule, cascade, certified, rules

TASKS = {
    "route": Task(kind="label", costs=Costs(call=0.5, error=6, person=4)),
    "risk": Task(kind="label"),
    "answer": Task(kind="text"),
}
HEAD = "name: x\nstore: s\ntasks: {route: {kind: label}, answer: {kind: text}}\n"


def chow(**costs):
    return cascade({"route": Task(kind="label", costs=Costs(**costs))})["route"].threshold(None)


def verdict(score=0.8, high=0.02, passed="yes", about="m"):
    return Verdict(check="cascade", about=about, passed=passed, score=score, high=high, task="route")


class TestChow:
    def test_at_the_threshold_an_answer_costs_what_a_person_costs(self):
        costs = Costs(call=0.5, error=6, person=4)
        threshold = cascade(TASKS)["route"].threshold(None)
        assert 0 < threshold < 1
        assert costs.call + (1 - threshold) * costs.error == pytest.approx(costs.person)

    def test_the_model_always_answers_where_an_error_costs_less_than_a_person(self):
        assert chow(error=2, person=4) == 0

    def test_errors_that_cost_nothing_are_risked(self):
        assert chow(error=0, person=4) == 0

    def test_every_label_task_has_a_rule_and_no_other(self):
        assert set(cascade(TASKS, route=Limit(least=0.5))) == {"route", "risk"}


class TestLimits:
    def test_a_threshold_by_hand_overrides_the_costs(self):
        assert cascade(TASKS, route=Limit(least=0.7))["route"] == Rule(0.7, None, "person")
        assert cascade(TASKS, risk=Limit(least=0.7))["route"] == cascade(TASKS)["route"]

    def test_with_an_error_nothing_is_answered_before_it_is_certified(self):
        rule = cascade(TASKS, route=Limit(error=0.02, else_="openai/gpt-large"))["route"]
        assert rule == Rule(inf, 0.02, "openai/gpt-large")
        assert rule.threshold(None) == inf
        assert rule.threshold(verdict(passed="inconclusive", score=None, high=None)) == inf

    @pytest.mark.parametrize(("error", "threshold"), [(0.02, 0.8), (0.05, 0.8), (0.01, inf)])
    def test_what_was_certified_for_a_larger_error_does_not_hold(self, error, threshold):
        assert cascade(TASKS, route=Limit(error=error))["route"].threshold(verdict()) == threshold

    def test_without_an_error_no_certificate_counts(self):
        assert cascade(TASKS, route=Limit(least=0.3))["route"].threshold(verdict()) == 0.3

    @pytest.mark.parametrize(
        ("name", "limit", "said"),
        [
            ("rout", Limit(), "there is no task 'rout'; did you mean 'route'"),
            ("answer", Limit(), "answer is a task of the kind 'text'; a cascade needs a label task"),
            ("route", Limit(error=0.1, least=0.5), "route: error and least exclude each other"),
            ("route", Limit(error=0.0), "route: error = 0 is not a share between 0 and 1"),
            ("route", Limit(error=1.0), "route: error = 1 is not a share between 0 and 1"),
            ("route", Limit(error=float("nan")), "route: error = nan is not a share"),
            ("route", Limit(least=1.5), "route: least = 1.5 is not a probability between 0 and 1"),
            ("route", Limit(least=-0.1), "route: least = -0.1 is not a probability between 0 and 1"),
            ("route", Limit(else_="gpt-large"), "route: else = 'gpt-large'; write person, or PROVIDER/MODEL"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name(self, name, limit, said):
        with pytest.raises(SettingsError, match="serve.cascade: ") as raised:
            cascade(TASKS, **{name: limit})
        assert said in str(raised.value)


class TestSettings:
    def test_the_word_else_is_written_as_it_is_said(self):
        given = check("serve", "cascade", {"route": {"error": 0.02, "else": "openai/gpt-large"}})
        assert given == {"route": Limit(error=0.02, else_="openai/gpt-large")}

    def test_unknown_keys_are_refused(self):
        with pytest.raises(UnknownSetting, match="route"):
            check("serve", "cascade", {"route": {"eror": 0.02}})

    def test_the_rules_come_from_the_settings(self):
        assert rules(parse(HEAD)) == {}
        assert set(rules(parse(HEAD + "serve: {cascade: {}}"))) == {"route"}
        found = rules(parse(HEAD + "serve: {cascade: {route: {error: 0.02, else: a/b}}}"))
        assert found == {"route": Rule(inf, 0.02, "a/b")}

    def test_a_task_that_is_not_there_is_refused_when_the_rules_are_made(self):
        with pytest.raises(SettingsError, match="there is no task 'price'"):
            rules(parse(HEAD + "serve: {cascade: {price: {least: 0.5}}}"))


def test_the_newest_verdict_of_each_model_counts():
    promotion = Verdict(check="promotion", about="m", passed="yes", task="route")
    found = certified([verdict(0.7), verdict(0.9, about="n"), verdict(0.8), promotion])
    assert {model: v.score for model, v in found.items()} == {"m": 0.8, "n": 0.9}
