import json

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.serve._fake.script import PRICES, Lognormal, Price, Rule, Script, ToolCall, parse


def test_an_empty_script_echoes_takes_every_key_and_has_prices():
    assert parse({}) == parse(b"{}") == Script()
    assert parse({}).prices == PRICES
    assert parse({}).keys == ()


def test_text_and_data_are_read_alike():
    told = {
        "rules": [
            {"model": "m", "nth": 2, "status": 429, "retry_after_ms": 5, "x-should-retry": False},
            {"latency": {"median": 0.1, "sigma": 0.5}, "tool_call": {"name": "f", "arguments": {"x": 1}}},
            {"latency": 2, "cut_after": 0},
        ],
        "keys": ["a"],
        "prices": {"m": {"input": 1, "output": 2.5}},
        "seed": 7,
    }
    script = parse(told)
    assert script == parse(json.dumps(told).encode())
    assert script.rules[0] == Rule(model="m", nth=2, status=429, retry_after_ms=5, should_retry=False)
    assert script.rules[1].latency == Lognormal(median=0.1, sigma=0.5)
    assert script.rules[1].tool_call == ToolCall(name="f", arguments={"x": 1})
    assert (script.rules[2].latency, script.rules[2].cut_after) == (2, 0)
    assert (script.prices, script.seed) == ({"m": Price(input=1, output=2.5)}, 7)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"rule": []}, "its top level has no field 'rule'; did you mean 'rules'?"),
        ({"rules": [{}, {"anser": "x"}]}, "rules[1] has no field 'anser'; did you mean 'answer'?"),
        ({"rules": [{"should_retry": True}]}, "did you mean 'x-should-retry'?"),
        (
            {"rules": [{"latency": {"mean": 1}}]},
            "rules[0].latency has no field 'mean'; did you mean 'median'?",
        ),
        (
            {"rules": [{"tool_call": {"nam": "f"}}]},
            "rules[0].tool_call has no field 'nam'; did you mean 'name'?",
        ),
        ({"tuning": {"runing": 1}}, "tuning has no field 'runing'; did you mean 'running'?"),
        ({"tuning": {"queued": -1}}, "$.tuning.queued"),
        ({"prices": {"m": {"inputs": 1}}}, "has no field 'inputs'; did you mean 'input'?"),
        ({"rules": [{"status": 200}]}, "Expected `int` >= 400 - at `$.rules[0].status`"),
        ({"rules": [{"nth": 0}]}, "Expected `int` >= 1 - at `$.rules[0].nth`"),
        ({"rules": [{"latency": -1}]}, "$.rules[0].latency"),
        ({"rules": [{"hang": "yes"}]}, "Expected `bool`, got `str` - at `$.rules[0].hang`"),
    ],
)
def test_a_mistake_is_named_with_its_place(told, said):
    for form in (told, json.dumps(told).encode()):
        with pytest.raises(SettingsError) as caught:
            parse(form)
        assert str(caught.value).startswith("the script cannot be used: ")
        assert said in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"rules: []"])
def test_what_is_not_a_json_object_is_refused(text):
    with pytest.raises(SettingsError, match="the script cannot be used"):
        parse(text)
