"""Anthropic's own SDK before the gateway, before a provider."""

import asyncio

import anthropic
import pytest

ASK = {
    "model": "claude/big",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "where is my parcel?"}],
}
ECHO = "Echo: where is my parcel?"
WEATHER = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_messages(gate):
    answer = gate.anthropic().messages.create(**ASK)
    assert answer.content[0].text == ECHO
    assert answer.stop_reason == "end_turn"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.id == call.id
    assert (exchange.input, exchange.output) == ("where is my parcel?", ECHO)
    assert exchange.tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert (call.surface, call.reply, call.estimated) == ("messages", answer.id, False)


def test_streamed_messages(gate):
    with gate.anthropic().messages.stream(**ASK) as stream:
        text = "".join(stream.text_stream)
        whole = stream.get_final_message()
    assert text == whole.content[0].text == ECHO
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert (exchange.output, exchange.ended) == (ECHO, "")
    assert (call.input_tokens, call.output_tokens) == (whole.usage.input_tokens, whole.usage.output_tokens)
    assert not call.estimated
    assert b"message_stop" in call.response


def test_tools(gate):
    asked = {**ASK, "tools": [WEATHER], "tool_choice": {"type": "any"}}
    [block] = gate.anthropic().messages.create(**asked).content
    assert (block.type, block.name, set(block.input)) == ("tool_use", "weather", {"city"})
    with gate.anthropic().messages.stream(**asked) as stream:
        [streamed] = stream.get_final_message().content
    assert (streamed.name, streamed.input) == (block.name, block.input)


def test_count_tokens_asks_nothing_and_keeps_nothing(gate):
    asked = {k: v for k, v in ASK.items() if k != "max_tokens"}
    assert gate.anthropic().messages.count_tokens(**asked).input_tokens == 5
    assert not gate.exchanges()


def test_what_the_sdk_does_not_know_arrives_unchanged(gate, fake):
    extra = {"future": {"deep": [1, None]}, "flywheel": {"subject": "ann"}}
    client = gate.anthropic(default_headers={"anthropic-beta": "new-2026"})
    client.messages.create(**ASK, extra_body=extra, metadata={"user_id": "bob"})
    [seen] = fake.requests()
    assert seen.body["future"] == {"deep": [1, None]}
    assert seen.body["model"] == "big"
    assert "flywheel" not in seen.body
    assert seen.headers["anthropic-beta"] == "new-2026"
    assert seen.headers["anthropic-version"]


def test_the_providers_key_is_used_and_the_clients_is_not(gate, fake):
    fake.script({"keys": ["sk-upstream"]})
    assert gate.anthropic().messages.create(**ASK).content


def test_the_async_client(gate):
    async def ask() -> tuple[str, str]:
        async with anthropic.AsyncAnthropic(base_url=gate.root, api_key="k", max_retries=0) as client:
            whole = await client.messages.create(**ASK)
            async with client.messages.stream(**ASK) as stream:
                said = [text async for text in stream.text_stream]
            return whole.content[0].text, "".join(said)

    assert asyncio.run(ask()) == (ECHO, ECHO)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (413, anthropic.RequestTooLargeError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (502, anthropic.InternalServerError),
        (503, anthropic.ServiceUnavailableError),
        (529, anthropic.OverloadedError),
    ],
)
def test_a_providers_errors(gate, fake, status, error):
    fake.script({"rules": [{"status": status, "message": "so it is", "retry_after": 60}]})
    with pytest.raises(error, match="so it is") as raised:
        gate.anthropic().messages.create(**ASK)
    assert raised.value.status_code == status
    assert raised.value.request_id.startswith("req_fake")
    assert raised.value.response.headers["retry-after"] == "60"
    assert gate.exchanges()[0].ended == "failed"


def test_the_sdk_retries(gate, fake):
    fake.script({"rules": [{"times": 3, "status": 529, "retry_after_ms": 1}]})
    assert gate.anthropic(max_retries=1).messages.create(**ASK).content
    assert len(gate.calls()) == 2


def test_an_error_in_the_middle_of_a_stream(gate, fake):
    fake.script({"rules": [{"error_after": 4, "message": "out of breath", "code": "overloaded_error"}]})
    with pytest.raises(anthropic.APIStatusError, match="out of breath"), _stream(gate) as stream:
        list(stream.text_stream)
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.ended == "cut"
    assert call.response.count(b"event: error") == 1


def test_a_stream_that_breaks_off(gate, fake):
    fake.script({"rules": [{"cut_after": 5}]})
    with pytest.raises(anthropic.APIStatusError, match="broke off"), _stream(gate) as stream:
        list(stream.text_stream)
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.ended == "cut"
    assert exchange.output
    assert ECHO.startswith(exchange.output)
    assert call.estimated


def _stream(gate):
    return gate.anthropic().messages.stream(**ASK)


def test_refusals_of_the_gateway(gate):
    with pytest.raises(anthropic.NotFoundError, match="answer"):
        gate.anthropic().messages.create(**{**ASK, "model": "flywheel/anser"})
    with pytest.raises(anthropic.BadRequestError, match="no messages request"):
        gate.anthropic().messages.create(**{**ASK, "model": 5})


def test_what_is_too_large(gateway):
    gate = gateway(serve={"gateway": {"largest_request": 1000}})
    with pytest.raises(anthropic.RequestTooLargeError, match="1,000 bytes"):
        gate.anthropic().messages.create(**{**ASK, "system": "x" * 2000})
