"""OpenAI's own SDK before the gateway, before a provider."""

import asyncio
import json
from array import array

import openai
import pytest
from pydantic import BaseModel

ASK = {"model": "up/small", "messages": [{"role": "user", "content": "where is my parcel?"}]}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def test_chat(gate):
    client = gate.openai()
    answer = client.chat.completions.create(**ASK)
    assert answer.choices[0].message.content == "Echo: where is my parcel?"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 12
    assert answer.id.startswith("chatcmpl-fake")
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.id == call.id
    assert (exchange.input, exchange.output) == ("where is my parcel?", "Echo: where is my parcel?")
    assert (call.surface, call.status, call.reply, call.estimated) == ("chat", 200, answer.id, False)


def test_a_streamed_chat(gate):
    client = gate.openai()
    with client.chat.completions.create(**ASK, stream=True) as stream:
        chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Echo: where is my parcel?"
    assert chunks[-1].choices[0].finish_reason == "stop"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.output == "Echo: where is my parcel?"
    assert call.stream
    assert call.response.endswith(b"data: [DONE]\n\n")
    assert call.estimated, "nobody asked for usage, so nobody told it"


def test_the_usage_chunk(gate):
    client = gate.openai()
    options = {"include_usage": True}
    with client.chat.completions.create(**ASK, stream=True, stream_options=options) as stream:
        last = list(stream)[-1]
    assert last.choices == []
    assert last.usage.total_tokens == 12
    [call] = gate.calls()
    assert (call.input_tokens, call.output_tokens, call.estimated) == (5, 7, False)


def test_the_stream_helper(gate):
    client = gate.openai()
    with client.chat.completions.stream(**ASK) as stream:
        kinds = {event.type for event in stream}
        whole = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert whole.choices[0].message.content == "Echo: where is my parcel?"


def test_tools(gate):
    client = gate.openai()
    asked = {**ASK, "tools": TOOLS, "tool_choice": "required"}
    [call] = client.chat.completions.create(**asked).choices[0].message.tool_calls
    assert call.function.name == "weather"
    assert set(json.loads(call.function.arguments)) == {"city"}
    with client.chat.completions.stream(**asked) as stream:
        [streamed] = stream.get_final_completion().choices[0].message.tool_calls
    assert (streamed.function.name, streamed.function.arguments) == ("weather", call.function.arguments)


class Place(BaseModel):
    city: str
    people: int


def test_parse(gate):
    client = gate.openai()
    answer = client.chat.completions.parse(**ASK, response_format=Place)
    assert isinstance(answer.choices[0].message.parsed, Place)
    with client.chat.completions.stream(**ASK, response_format=Place) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Place)


def test_logprobs_and_n(gate):
    client = gate.openai()
    answer = client.chat.completions.create(**ASK, logprobs=True, top_logprobs=2, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len(answer.choices[2].logprobs.content[0].top_logprobs) == 2
    [exchange] = gate.exchanges()
    assert exchange.output == "Echo: where is my parcel?", "of several answers the first"


def test_responses(gate):
    client = gate.openai()
    answer = client.responses.create(model="up/small", input="hello you", instructions="be kind")
    assert answer.output_text == "Echo: hello you"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert (exchange.input, exchange.output, call.surface) == ("hello you", "Echo: hello you", "responses")
    assert call.reply == answer.id
    assert exchange.tokens == answer.usage.total_tokens


def test_streamed_responses(gate):
    client = gate.openai()
    with client.responses.stream(model="up/small", input="hello you") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        whole = stream.get_final_response()
    assert text == whole.output_text == "Echo: hello you"
    [exchange] = gate.exchanges()
    assert (exchange.output, exchange.ended) == ("Echo: hello you", "")
    assert exchange.tokens == whole.usage.total_tokens


def test_embeddings(gate):
    client = gate.openai()
    asked = {"model": "up/embed", "input": ["one", "two"], "dimensions": 8}
    floats = client.embeddings.create(**asked, encoding_format="float")
    packed = client.embeddings.create(**asked)  # the SDK asks for base64 and unpacks it
    assert array("f", floats.data[1].embedding) == array("f", packed.data[1].embedding)
    assert [json.loads(call.request)["encoding_format"] for call in gate.calls()] == ["float", "base64"]


def test_models(gate):
    names = {model.id for model in gate.openai().models.list()}
    assert {"flywheel/answer", "flywheel/answer/small", "flywheel/route", "flywheel/encoder"} <= names


def test_what_the_sdk_does_not_know_arrives_unchanged(gate, fake):
    client = gate.openai()
    body = {"future": {"deep": [1, 2.50, None]}, "price": 1e2, "flywheel": {"subject": "ann"}}
    client.chat.completions.create(**ASK, temperature=0.0, extra_body=body)
    [call], [seen] = gate.calls(), fake.requests()
    sent = json.loads(call.request)
    assert seen.body == {k: v for k, v in sent.items() if k != "flywheel"} | {"model": "small"}
    assert seen.body["future"] == {"deep": [1, 2.5, None]}


def test_the_providers_key_is_used_and_the_clients_is_not(gate, fake):
    fake.script({"keys": ["sk-upstream"]})
    client = gate.openai(organization="acme")
    assert client.chat.completions.create(**ASK).choices
    [seen] = fake.requests()
    assert seen.headers["openai-organization"] == "acme"


def test_headers_of_the_provider_reach_the_client(gate):
    raw = gate.openai().chat.completions.with_raw_response.create(**ASK)
    assert raw.headers["x-ratelimit-remaining-requests"] == "9999"
    assert raw.parse()._request_id.startswith("req_fake")
    assert raw.headers["x-flywheel-exchange"] == gate.exchanges()[0].id


def test_the_async_client(gate):
    async def ask() -> tuple[str, str, str]:
        async with openai.AsyncOpenAI(base_url=gate.url, api_key="k", max_retries=0) as client:
            whole = await client.chat.completions.create(**ASK)
            stream = await client.chat.completions.create(**ASK, stream=True)
            said = [chunk.choices[0].delta.content or "" async for chunk in stream]
            response = await client.responses.create(model="up/small", input="hi")
            return whole.choices[0].message.content, "".join(said), response.output_text

    assert asyncio.run(ask()) == ("Echo: where is my parcel?", "Echo: where is my parcel?", "Echo: hi")
    assert len(gate.exchanges()) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (413, openai.APIStatusError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (502, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_errors(gate, fake, status, error, stream):
    fake.script({"rules": [{"status": status, "message": "so it is", "retry_after": 60}]})
    with pytest.raises(error, match="so it is") as raised:
        gate.openai().chat.completions.create(**ASK, stream=stream)
    assert raised.value.status_code == status
    assert raised.value.request_id.startswith("req_fake")
    assert raised.value.response.headers["retry-after"] == "60"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert (exchange.ended, exchange.output, call.status) == ("failed", "", status)


def test_the_sdk_retries_when_the_headers_say_so(gate, fake):
    fake.script({"rules": [{"times": 4, "status": 429, "retry_after_ms": 1, "x-should-retry": True}]})
    assert gate.openai(max_retries=1).chat.completions.create(**ASK).choices
    statuses = [[a.status for a in call.attempts] for call in gate.calls()]
    assert statuses == [[429, 429, 429], [429, 200]], "the gateway tries 3 times, then the SDK does"


def test_the_sdk_does_not_retry_what_it_should_not(gate, fake):
    fake.script({"rules": [{"status": 500, "x-should-retry": False, "retry_after": 60}]})
    with pytest.raises(openai.InternalServerError):
        gate.openai(max_retries=5).chat.completions.create(**ASK)
    assert len(gate.calls()) == 1


def test_an_error_in_the_middle_of_a_stream(gate, fake):
    fake.script({"rules": [{"error_after": 3, "message": "out of breath"}]})
    with pytest.raises(openai.APIError, match="out of breath"):
        list(gate.openai().chat.completions.create(**ASK, stream=True))
    [exchange] = gate.exchanges()
    assert exchange.ended == "cut"
    assert exchange.output
    assert "Echo: where is my parcel?".startswith(exchange.output)


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_a_stream_that_breaks_off(gate, fake, surface):
    fake.script({"rules": [{"cut_after": 4}]})
    client = gate.openai()
    with pytest.raises(openai.APIError, match="broke off"):
        if surface == "chat":
            list(client.chat.completions.create(**ASK, stream=True))
        else:
            list(client.responses.create(model="up/small", input="where is my parcel?", stream=True))
    [exchange] = gate.exchanges()
    assert exchange.ended == "cut"


def test_an_answer_that_breaks_off_is_asked_for_again(gate, fake):
    fake.script({"rules": [{"cut_after": 0, "times": 1}]})
    assert gate.openai().chat.completions.create(**ASK).choices
    [first, second] = gate.calls()[0].attempts
    assert (first.status, second.status) == (0, 200)
    assert first.error


@pytest.mark.parametrize(
    ("model", "said"),
    [("flywheel/anser", "flywheel/answer|answer"), ("flywheel/answer/smal", "small"), ("", "no model")],
)
def test_a_model_that_nobody_has(gate, model, said):
    with pytest.raises(openai.NotFoundError, match=said) as raised:
        gate.openai().chat.completions.create(**{**ASK, "model": model})
    assert raised.value.code == "model_not_found"
    assert not gate.calls()


def test_what_is_too_large(gateway):
    gate = gateway(serve={"gateway": {"largest_request": 1000}})
    message = [{"role": "user", "content": "x" * 2000}]
    with pytest.raises(openai.APIStatusError) as raised:
        gate.openai().chat.completions.create(model="up/small", messages=message)
    assert raised.value.status_code == 413
    assert "1,000 bytes" in raised.value.message
    with pytest.raises(openai.APIStatusError) as raised:
        gate.openai().chat.completions.create(model="up/small", messages=message * 10_000)
    assert raised.value.status_code == 413


def test_what_is_no_request(gate):
    http = gate.http()
    for body in (b"", b"[]", b"{", b'{"model": 1}', b'{"model": "up/small", "stream": "yes"}', b"\xff\xfe"):
        said = http.post("/v1/chat/completions", content=body)
        assert said.status_code == 400
        assert said.json()["error"]["type"] == "invalid_request_error"
