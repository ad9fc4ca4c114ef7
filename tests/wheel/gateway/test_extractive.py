"""Text tasks over HTTP: quotes first, then the fallback, or a person."""

import msgspec
import pytest

from openflywheel.base.nouns import Row
from openflywheel.store import Store

PAYING = Row(text="how can I pay", source="test", uri="faq.csv", labels={"answer": "Cards, or cash."})


@pytest.fixture
def quoting(gateway, tmp_path):
    """Start a gateway whose store has a curated answer."""

    def start(route=None, **changes):
        store = Store(tmp_path / "wheel")
        store.append([PAYING])
        store.close()
        variants = {"variants": {"small": None, "own": {"model": "flywheel/extractive"}}}
        return gateway(serve={"routes": {"answer": variants | (route or {})}}, **changes)

    return start


def ask(client, text, model="flywheel/answer", **options):
    return client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": text}], **options
    )


def test_a_quote_answers_with_its_source_and_is_kept_under_its_variant(quoting):
    gate = quoting()
    reply = ask(gate.openai(), "How can I pay?", user="ann")
    assert reply.choices[0].message.content == "Cards, or cash."
    assert reply.flywheel["sources"] == [{"row": PAYING.id, "uri": "faq.csv"}]
    assert reply.flywheel["confidence"] == 1
    [exchange] = gate.exchanges()
    assert (exchange.output, exchange.variant, exchange.propensity) == ("Cards, or cash.", "own", 1)
    assert (exchange.task, exchange.ended) == ("answer", "")
    [call] = gate.calls()
    assert msgspec.json.decode(call.request)["messages"][0]["content"] == "How can I pay?"


def test_without_a_fallback_an_unsure_question_is_handed_over(quoting):
    gate = quoting()
    reply = ask(gate.openai(), "do you plant trees")
    assert (reply.choices[0].message.content, reply.choices[0].message.refusal) == (
        None,
        "handed to a person",
    )
    assert "sources" not in reply.flywheel
    assert [(e.output, e.variant) for e in gate.exchanges()] == [("", "own")]


def test_a_fallback_answers_an_unsure_question_and_is_named(quoting, fake):
    gate = quoting({"fallback": ["up/large"]})
    reply = ask(gate.openai(), "do you plant trees")
    assert reply.choices[0].message.content
    [exchange] = gate.exchanges()
    assert (exchange.variant, exchange.output) == ("up/large", reply.choices[0].message.content)
    assert 0 <= exchange.confidence < 0.5
    assert ask(gate.openai(), "how can I pay").choices[0].message.content == "Cards, or cash."


def test_a_stream_quotes_too(quoting):
    gate = quoting()
    said = "".join(c.choices[0].delta.content or "" for c in ask(gate.openai(), "how can I pay", stream=True))
    assert said == "Cards, or cash."


def test_anthropics_sdk_hears_it_too(quoting):
    gate = quoting()
    reply = gate.anthropic().messages.create(
        model="flywheel/answer", max_tokens=9, messages=[{"role": "user", "content": "how can I pay"}]
    )
    assert reply.content[0].text == "Cards, or cash."


def test_the_split_draws_it_with_its_propensity(quoting):
    gate = quoting(
        {
            "variants": {
                "small": {"model": "up/small", "weight": 1},
                "own": {"model": "flywheel/extractive", "weight": 3},
            }
        }
    )
    for person in range(12):
        ask(gate.openai(), "how can I pay", user=f"p{person}")
    found = {(e.variant, e.propensity) for e in gate.exchanges()}
    assert found == {("own", 0.75), ("small", 0.25)}
    assert {e.output for e in gate.exchanges() if e.variant == "own"} == {"Cards, or cash."}
    assert (
        ask(gate.openai(), "how can I pay", "flywheel/answer/own").choices[0].message.content
        == "Cards, or cash."
    )


def test_what_a_guard_refuses_goes_to_nobody_else(quoting):
    gate = quoting({"fallback": ["up/large"]}, guard={"pii": {"mode": "refuse"}})
    reply = ask(gate.openai(), "how can I pay, ann@example.com")
    assert reply.choices[0].message.refusal == "handed to a person"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert (exchange.input, exchange.variant, call.attempts, call.request) == ("", "own", (), b"")


def test_what_only_a_generator_can_do_the_fallback_does(quoting):
    gate = quoting({"fallback": ["claude/large"]})
    counted = gate.anthropic().messages.count_tokens(
        model="flywheel/answer", messages=[{"role": "user", "content": "how can I pay"}]
    )
    assert counted.input_tokens > 0
