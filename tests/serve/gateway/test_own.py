"""Our own answers, in the form of each API."""

import json

import pytest

from openflywheel.base.nouns import Exchange
from openflywheel.serve._gateway import intake, own, own_embeddings
from openflywheel.serve._gateway.surfaces import SURFACES, Refusal

SURE = Exchange(
    episode="",
    task="route",
    input="q",
    output="refund",
    variant="m1",
    confidence=0.5,
    choices=("refund", "b"),
)
UNSURE = Exchange(episode="", task="route", input="q", output="", variant="m1", choices=("refund", "b"))
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "x", "schema": {"properties": {"topic": {}, "b": {}}}},
}


def request(surface="chat", **fields):
    body = {"model": "flywheel/route", "messages": [{"role": "user", "content": "12345"}], **fields}
    path = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}.get(surface, f"/v1/{surface}")
    return intake.read(SURFACES[path], json.dumps(body).encode(), {}, None, str, 0.0)


def rendered(asked, exchange=SURE) -> bytes:
    return own.rendered(asked, exchange, own.answered(asked, exchange))


def test_tokens_are_counted_roughly():
    found = own.answered(request(), SURE)
    assert (found.text, found.turn, found.input_tokens, found.output_tokens) == ("refund", "refund", 2, 2)
    assert found.estimated


@pytest.mark.parametrize("surface", ["chat", "messages", "responses"])
@pytest.mark.parametrize("exchange", [SURE, UNSURE])
@pytest.mark.parametrize("stream", [False, True])
def test_every_form(surface, exchange, stream):
    said = rendered(request(surface, stream=stream), exchange)
    assert (b"refund" in said.replace(b"refusal", b"").split(b'"flywheel"')[0]) == bool(exchange.output)
    assert said.endswith(b"\n\n") == stream
    if not stream:
        assert json.loads(said)["flywheel"]["choices"] == ["refund", "b"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (None, "refund"),
        ({"type": "text"}, "refund"),
        ({"type": "json_object"}, '{"label":"refund"}'),
        (SCHEMA, '{"topic":"refund"}'),
        ({"type": "json_schema"}, '{"label":"refund"}'),
    ],
)
def test_the_form_of_the_content(form, said):
    asked = request(response_format=form) if form else request()
    assert own.content(asked.asked, "refund") == said
    assert own.content(asked.asked, "") == "", "who hands over says nothing"


@pytest.mark.parametrize("n", [0, -1, 129])
def test_how_many_answers_there_may_be(n):
    with pytest.raises(Refusal, match="1 to 128"):
        own.check(request(n=n))
    own.check(request(n=128))


@pytest.mark.parametrize(
    ("surface", "empty", "field"),
    [
        ("chat", {"messages": []}, "messages"),
        ("chat", {"messages": None}, "messages"),
        ("messages", {"messages": [3]}, "messages"),
        ("responses", {"messages": [], "input": []}, "input"),
    ],
)
def test_a_request_without_a_question(surface, empty, field):
    with pytest.raises(Refusal, match=f"no question in '{field}'") as refused:
        own.check(request(surface, **empty))
    assert refused.value.status == 400


@pytest.mark.parametrize("form", [{"type": 5}, {"type": "json_schema", "json_schema": {"schema": []}}])
def test_a_form_that_is_none(form):
    with pytest.raises(Refusal, match="response_format"):
        own.check(request(response_format=form))


def test_vectors():
    asked = request("embeddings", input=["a", "bcdef"])
    texts = own_embeddings.texts(asked.asked)
    answer = own_embeddings.answered(texts)
    body = json.loads(own_embeddings.rendered(asked, [[1.0, 0.0], [0.0, 1.0]], answer))
    assert [d["embedding"] for d in body["data"]] == [[1.0, 0.0], [0.0, 1.0]]
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    packed = request("embeddings", input="a", encoding_format="base64")
    body = json.loads(own_embeddings.rendered(packed, [[1.0, 0.0]], answer))
    assert body["data"][0]["embedding"] == "AACAPwAAAAA="


@pytest.mark.parametrize("given", [[], [1, 2], 5, None, [["a"]]])
def test_what_cannot_be_embedded(given):
    with pytest.raises(Refusal):
        own_embeddings.texts(request("embeddings", input=given).asked)
