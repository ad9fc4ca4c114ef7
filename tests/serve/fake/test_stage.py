from statistics import median

import pytest

from openflywheel.serve._fake.script import Rule, Script, parse
from openflywheel.serve._fake.stage import PLAIN, Stage
from openflywheel.serve._fake.talk import Ask

PATH = "/v1/chat/completions"


def stage(*rules, **more):
    return Stage(parse({"rules": list(rules), **more}))


def answers(stage, count, model="m", text="hello", path=PATH):
    ask = Ask(model=model, text=text)
    return [stage.rule(path, ask).answer for _ in range(count)]


def test_without_a_rule_that_fits_nothing_special_happens():
    assert Stage(Script()).rule(PATH, Ask(model="m")) is PLAIN
    assert stage({"model": "other", "answer": "x"}).rule(PATH, Ask(model="m")) is PLAIN
    assert Rule() == PLAIN


def test_the_first_rule_that_fits_decides():
    assert answers(stage({"model": "n", "answer": "1"}, {"answer": "2"}, {"answer": "3"}), 2) == ["2", "2"]


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"model": "m"}, True),
        ({"model": "M"}, False),
        ({"contains": "ell"}, True),
        ({"contains": "Ell"}, False),
        ({"path": "/v1/chat/completions"}, True),
        ({"path": "chat/completions"}, True),
        ({"path": "/v1/messages"}, False),
        ({"model": "m", "contains": "bye"}, False),
        ({"model": "m", "contains": "hello", "path": "completions"}, True),
    ],
)
def test_all_conditions_of_a_rule_must_hold(rule, fits):
    assert answers(stage({**rule, "answer": "x"}), 1) == ["x" if fits else None]


def test_times_gives_way_to_the_next_rule():
    play = stage({"times": 2, "answer": "1"}, {"times": 1, "answer": "2"}, {"answer": "3"})
    assert answers(play, 5) == ["1", "1", "2", "3", "3"]


def test_a_rule_for_no_time_is_passed_over():
    assert answers(stage({"times": 0, "answer": "1"}), 1) == [None]


def test_nth_takes_one_request():
    assert answers(stage({"nth": 3, "answer": "x"}), 5) == [None, None, "x", None, None]


def test_a_rule_counts_only_what_fits_it():
    play = stage({"nth": 2, "model": "a", "answer": "x"})
    asked = [answers(play, 1, model=model)[0] for model in ("a", "b", "b", "a", "a")]
    assert asked == [None, None, None, "x", None]


def test_a_script_that_is_put_begins_anew():
    play = stage({"times": 1, "answer": "x"})
    assert answers(play, 2) == ["x", None]
    play.put(play.script)
    assert answers(play, 2) == ["x", None]


def test_a_fixed_latency_is_fixed():
    assert stage().latency(parse({"rules": [{"latency": 2}]}).rules[0]) == 2
    assert stage().latency(PLAIN) == 0


def test_a_lognormal_latency_is_seeded_and_has_its_median():
    rule = {"latency": {"median": 0.5, "sigma": 0.4}}

    def drawn(seed):
        play = stage(rule, seed=seed)
        return [play.latency(play.script.rules[0]) for _ in range(2000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 0.47 < median(drawn(1)) < 0.53  # 5 standard errors: 0.5 * 0.4 * 1.25 / sqrt(2000) = .0056
    assert min(drawn(1)) > 0
