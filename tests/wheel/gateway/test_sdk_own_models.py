"""The SDKs before the flywheel's own models: a label task with a champion, and the encoder."""

import base64
import json
import math
from array import array

import anthropic
import openai
import pytest
from pydantic import BaseModel

QUESTION = "i want a refund of my money back"
LABELS = {"refund", "parcel", "login"}
ASK = {"model": "flywheel/route", "messages": [{"role": "user", "content": QUESTION}]}


def test_chat(taught):
    gate = taught()
    answer = gate.openai().chat.completions.create(**ASK)
    assert answer.choices[0].message.content == "refund"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.id == call.id == answer.id
    assert (exchange.task, exchange.input, exchange.output) == ("route", QUESTION, "refund")
    assert set(exchange.choices) == LABELS
    assert 0 < exchange.confidence < 1
    assert answer.flywheel["variant"] == exchange.variant
    assert answer.usage.total_tokens == exchange.tokens == 8 + 2
    assert call.estimated


def test_streamed_chat(taught):
    gate = taught()
    options = {"include_usage": True}
    with gate.openai().chat.completions.stream(**ASK, stream_options=options) as stream:
        whole = stream.get_final_completion()
    assert whole.choices[0].message.content == "refund"
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage.total_tokens == 10
    [call] = gate.calls()
    assert call.response.endswith(b"data: [DONE]\n\n")


def test_n_and_logprobs(taught):
    gate = taught()
    answer = gate.openai().chat.completions.create(**ASK, n=2, logprobs=True)
    assert [c.message.content for c in answer.choices] == ["refund", "refund"]
    [token] = answer.choices[1].logprobs.content
    assert token.token == "refund"
    assert math.exp(token.logprob) == pytest.approx(gate.exchanges()[0].confidence)


@pytest.mark.parametrize("n", [0, -1, 129])
def test_too_many_answers_are_refused(taught, n):
    with pytest.raises(openai.BadRequestError, match="128"):
        taught().openai().chat.completions.create(**ASK, n=n)


class Routed(BaseModel):
    topic: str


def test_json_schema(taught):
    gate = taught()
    answer = gate.openai().chat.completions.parse(**ASK, response_format=Routed)
    assert answer.choices[0].message.parsed == Routed(topic="refund")
    assert gate.exchanges()[0].output == "refund"


def test_json_without_a_schema(taught):
    answer = taught().openai().chat.completions.create(**ASK, response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content) == {"label": "refund"}


def test_a_response_format_that_is_none(taught):
    for odd in ({"type": 5}, {"type": "json_schema", "json_schema": {"schema": []}}):
        with pytest.raises(openai.BadRequestError, match="response_format"):
            taught().openai().chat.completions.create(**ASK, response_format=odd)


def test_responses(taught):
    gate = taught()
    client = gate.openai()
    assert client.responses.create(model="flywheel/route", input=QUESTION).output_text == "refund"
    with client.responses.stream(model="flywheel/route", input=QUESTION) as stream:
        assert stream.get_final_response().output_text == "refund"
    assert [e.output for e in gate.exchanges()] == ["refund", "refund"]


def test_messages(taught):
    gate = taught()
    client = gate.anthropic()
    asked = {**ASK, "max_tokens": 10}
    answer = client.messages.create(**asked)
    assert (answer.content[0].text, answer.stop_reason) == ("refund", "end_turn")
    with client.messages.stream(**asked) as stream:
        assert stream.get_final_message().content[0].text == "refund"
    assert len({e.id for e in gate.exchanges()}) == 2


def test_the_answer_carries_the_exchanges_name(taught):
    gate = taught()
    raw = gate.openai().chat.completions.with_raw_response.create(**ASK)
    assert raw.headers["x-flywheel-exchange"] == raw.headers["x-request-id"] == gate.exchanges()[0].id
    asked = gate.anthropic().messages.create(**ASK, max_tokens=10)
    assert asked._request_id == gate.exchanges()[1].id


def test_a_person_answers_when_the_model_is_not_sure(taught):
    gate = taught(serve={"cascade": {"route": {"least": 1}}})
    client = gate.openai()
    message = client.chat.completions.create(**ASK).choices[0].message
    assert message.content is None
    assert "person" in message.refusal
    with client.chat.completions.stream(**ASK) as stream:
        assert stream.get_final_completion().choices[0].message.refusal == message.refusal
    response = client.responses.create(model="flywheel/route", input=QUESTION)
    assert response.output[0].content[0].type == "refusal"
    with client.responses.stream(model="flywheel/route", input=QUESTION) as streamed:
        assert streamed.get_final_response().output[0].content[0].refusal == message.refusal
    told = gate.anthropic().messages.create(**ASK, max_tokens=10)
    assert (told.content, told.stop_reason) == ([], "refusal")
    assert {e.output for e in gate.exchanges()} == {""}
    assert set(gate.exchanges()[0].choices) == LABELS


def test_a_teacher_answers_when_the_model_is_not_sure(taught, fake):
    fake.script({"rules": [{"model": "large", "answer": "parcel"}]})
    gate = taught(serve={"cascade": {"route": {"least": 1, "else": "up/large"}}})
    answer = gate.openai().chat.completions.create(**ASK)
    assert answer.choices[0].message.content == "parcel"
    with gate.anthropic().messages.stream(**ASK, max_tokens=10) as stream:
        assert stream.get_final_message().content[0].text == "parcel"
    for exchange in gate.exchanges():
        assert (exchange.task, exchange.input, exchange.output) == ("route", QUESTION, "parcel")
        assert exchange.variant == "up/large"
        assert exchange.confidence > 0
        assert exchange.cost > 0


def test_nothing_is_taught_yet(gate):
    assert gate.openai().chat.completions.create(**ASK).choices[0].message.refusal
    assert gate.exchanges()[0].variant == "person"


PRIVATE = "refund to ann.other@example.com please"


def found_in(folder, words: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


def test_personal_data_of_a_question_are_not_kept(taught):
    gate = taught()
    ask = {**ASK, "messages": [{"role": "user", "content": PRIVATE}]}
    answer = gate.openai().chat.completions.create(**ask)
    assert answer.choices[0].message.content in LABELS
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.input == "refund to <email> please"
    assert call.request == b""
    assert not found_in(gate.store, b"ann.other")


def test_nor_those_of_the_history_or_the_variables(taught):
    gate = taught()
    history = [
        {"role": "user", "content": PRIVATE},
        {"role": "assistant", "content": "refund"},
        {"role": "user", "content": "and now?"},
    ]
    variables = {"variables": {"mail": "ann.other@example.com"}}
    gate.openai().chat.completions.create(model="flywheel/route", messages=history)
    ask = {**ASK, "messages": history[:1]}
    gate.openai().chat.completions.create(**ask, extra_body={"flywheel": variables})
    assert len(gate.calls()) == 2
    assert not found_in(gate.store, b"ann.other")


def test_nor_when_a_teacher_answers(taught, fake):
    fake.script({"rules": [{"answer": "refund"}]})
    gate = taught(serve={"cascade": {"route": {"least": 1, "else": "up/large"}}})
    gate.openai().chat.completions.create(**{**ASK, "messages": [{"role": "user", "content": PRIVATE}]})
    assert gate.exchanges()[0].output == "refund"
    assert not found_in(gate.store, b"ann.other")


def test_what_a_guard_refuses_goes_to_a_person_and_to_no_provider(taught, fake):
    cascade = {"route": {"least": 0, "else": "up/large"}}
    gate = taught(guard={"pii": {"mode": "refuse"}}, serve={"cascade": cascade})
    ask = {**ASK, "messages": [{"role": "user", "content": PRIVATE}]}
    answer = gate.openai().chat.completions.create(**ask)
    assert answer.choices[0].message.refusal
    assert not fake.requests()
    assert not found_in(gate.store, b"ann.other")


def test_embeddings(taught):
    gate = taught()
    client = gate.openai()
    floats = client.embeddings.create(
        model="flywheel/encoder", input=["one two", "three"], encoding_format="float"
    )
    packed = client.embeddings.create(model="flywheel/encoder", input=["one two", "three"])
    for plain, unpacked in zip(floats.data, packed.data, strict=True):
        assert array("f", plain.embedding) == array("f", unpacked.embedding)
        assert sum(x * x for x in plain.embedding) == pytest.approx(1, abs=1e-3)
    sent = json.loads(gate.calls()[1].response)["data"][0]["embedding"]
    assert array("f", base64.b64decode(sent)) == array("f", packed.data[0].embedding)
    single = client.embeddings.create(model="flywheel/encoder", input="one two", encoding_format="float")
    assert single.data[0].embedding == floats.data[0].embedding


@pytest.mark.parametrize(("model", "input"), [("flywheel/encoder", [1, 2]), ("flywheel/route", "a")])
def test_embeddings_that_cannot_be(taught, model, input):
    with pytest.raises(openai.BadRequestError):
        taught().openai().embeddings.create(model=model, input=input)


def test_no_embeddings_of_nothing(gate):
    with pytest.raises(openai.BadRequestError, match="empty"):
        gate.openai().embeddings.create(model="flywheel/encoder", input=[])


def test_the_encoder_does_not_chat(gate):
    with pytest.raises(openai.BadRequestError, match="chat"):
        gate.openai().chat.completions.create(**{**ASK, "model": "flywheel/encoder"})
    with pytest.raises(anthropic.BadRequestError, match="count_tokens"):
        gate.anthropic().messages.count_tokens(**ASK)


def test_another_encoder_than_the_champion_was_taught_on(taught):
    """The client is told as its SDK expects, and the wheel's operator is told what to do."""
    gate = taught(encoder="words")
    with pytest.raises(openai.InternalServerError, match="words") as raised:
        gate.openai().chat.completions.create(**ASK)
    assert raised.value.response.json()["error"]["code"]
