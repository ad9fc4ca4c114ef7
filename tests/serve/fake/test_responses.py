import json

import openai
import pytest
from pydantic import BaseModel

LOOK_UP = {
    "type": "function",
    "name": "look_up",
    "strict": False,
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}


class City(BaseModel):
    name: str
    people: int


def ask(client, input="hello", **more):
    return client.responses.create(model="fake-small", input=input, **more)


def test_the_input_is_echoed(client):
    said = ask(client)
    assert said.output_text == "Echo: hello"
    assert (said.object, said.status, said.model) == ("response", "completed", "fake-small")
    assert (said.error, said.incomplete_details) == (None, None)


def test_the_last_user_item_is_heard_and_everything_is_counted(client):
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "1234"}]},
        {"role": "assistant", "content": "5678"},
        {"type": "function_call_output", "call_id": "c", "output": "90ab"},
    ]
    said = ask(client, items, instructions="cdef")
    assert said.output_text == "Echo: 1234"
    assert (said.usage.input_tokens, said.usage.output_tokens, said.usage.total_tokens) == (4, 3, 7)
    assert said.instructions == "cdef"


def test_a_stream_has_the_real_events_in_their_order(client):
    events = list(ask(client, stream=True))
    assert [e.type.removeprefix("response.") for e in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert "".join(e.delta for e in events if e.type.endswith("delta")) == "Echo: hello"
    assert events[0].response.status == "in_progress"
    assert events[0].response.usage is None
    assert events[-1].response.output_text == "Echo: hello"
    assert events[-1].response.usage == ask(client).usage


def test_events_are_named_and_nothing_is_done(http):
    text = http.post("/v1/responses", json={"model": "m", "input": "x", "stream": True}).text
    events = [block.split("\n") for block in text.strip().split("\n\n")]
    assert all(json.loads(data[6:])["type"] == name[7:] for name, data in events)
    assert "[DONE]" not in text


def test_the_sdks_own_accumulation_gets_the_same_response(client):
    with client.responses.stream(model="m", input="hello") as stream:
        final = stream.get_final_response()
    assert final.output_text == "Echo: hello"
    assert final.output[0].status == "completed"


def test_a_limit_makes_it_incomplete(client):
    said = ask(client, max_output_tokens=2)
    assert (said.output_text, said.status) == ("Echo: he", "incomplete")
    assert said.incomplete_details.reason == "max_output_tokens"
    *_, last = ask(client, max_output_tokens=2, stream=True)
    assert last.type == "response.incomplete"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "look_up"}])
def test_a_required_tool_is_called(client, choice):
    [call] = ask(client, tools=[LOOK_UP], tool_choice=choice).output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "look_up",
        {"word": "text"},
    )
    assert call.call_id.startswith("call_")


def test_a_tool_call_is_streamed(fake, client):
    fake.script(
        {"rules": [{"answer": "wait", "tool_call": {"name": "look_up", "arguments": {"word": "ox"}}}]}
    )
    events = list(ask(client, tools=[LOOK_UP], stream=True))
    said = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
    assert json.loads(said) == {"word": "ox"}
    [done] = [e for e in events if e.type == "response.function_call_arguments.done"]
    assert (done.arguments, done.output_index) == (said, 1)
    assert [item.type for item in events[-1].response.output] == ["message", "function_call"]


def test_a_schema_is_answered_with_json_that_fits(client):
    said = client.responses.parse(model="m", input="hello", text_format=City)
    assert said.output_parsed == City(name="text", people=1)


def test_a_json_object_echoes(client):
    said = ask(client, text={"format": {"type": "json_object"}})
    assert json.loads(said.output_text) == {"echo": "hello"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "x"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": 3}, "input"),
        ({"model": "m", "input": [{"role": 1}]}, "input[0].role"),
        ({"model": "m", "input": "x", "max_output_tokens": 0}, "max_output_tokens"),
    ],
)
def test_a_wrong_request_names_its_parameter(http, body, param):
    response = http.post("/v1/responses", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_an_error_in_mid_stream_raises_in_the_sdk(fake, client):
    fake.script({"rules": [{"error_after": 5, "code": "rate_limit_exceeded", "message": "too much"}]})
    seen = []
    with pytest.raises(openai.APIError, match="too much") as caught:
        seen.extend(ask(client, stream=True))
    assert caught.value.code == "rate_limit_exceeded"
    assert len(seen) == 5
    assert seen[-1].type == "response.output_text.delta"


def test_the_frame_of_an_error_is_nested_as_the_service_sends_it(fake, http):
    fake.script({"rules": [{"error_after": 2}]})
    text = http.post("/v1/responses", json={"model": "m", "input": "x", "stream": True}).text
    name, data = text.strip().split("\n\n")[-1].split("\n")
    error = json.loads(data.removeprefix("data: "))
    assert name == "event: error"
    assert (error["type"], error["sequence_number"]) == ("error", 2)
    assert set(error["error"]) == {"message", "type", "param", "code"}
