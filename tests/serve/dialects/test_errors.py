import json

import anthropic
import msgspec
import openai
import pytest
from anthropic.types.shared.error_response import ErrorResponse
from hypothesis import given
from hypothesis import strategies as st
from openai.types.shared import ErrorObject

from openflywheel.base.errors import FlywheelError
from openflywheel.serve._dialects.errors import (
    MESSAGE_LIMIT,
    EventTooLarge,
    Untranslatable,
    error_to_anthropic,
    error_to_openai,
    read,
    status_in,
)

OVERLOADED = (
    b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}'
)
NO_KEY = (
    b'{"error":{"message":"Incorrect API key provided: sk-x. You can find your API key at https://example.com",'
    b'"type":"invalid_request_error","param":null,"code":"invalid_api_key"}}'
)
bodies = st.one_of(
    st.binary(max_size=30),
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 999) | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["error", "message", "type", "code", "param", "detail"]), inner, max_size=4
            )
            | st.lists(inner, max_size=2)
        ),
    ).map(lambda value: json.dumps(value).encode()),
)


def test_anthropics_error_reaches_an_openai_client():
    assert json.loads(error_to_openai(529, OVERLOADED)) == {
        "error": {"message": "Overloaded", "type": "server_error", "param": None, "code": "overloaded_error"}
    }


def test_openais_error_reaches_an_anthropic_client():
    said = json.loads(error_to_anthropic(401, NO_KEY))
    assert said["error"]["type"] == "authentication_error"
    assert said["error"]["message"].startswith("Incorrect API key provided")


@pytest.mark.parametrize(
    ("status", "openai_type", "anthropic_type"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (403, "permission_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (422, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "server_error", "api_error"),
        (503, "server_error", "overloaded_error"),
        (529, "server_error", "overloaded_error"),
    ],
)
def test_the_status_says_the_type(status, openai_type, anthropic_type):
    assert json.loads(error_to_openai(status, b"{}"))["error"]["type"] == openai_type
    assert json.loads(error_to_anthropic(status, b"{}"))["error"]["type"] == anthropic_type


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the provider answered with status 502 and gave no reason"),
        (b"null", "the provider answered with status 502 and gave no reason"),
        (b'{"error":{"message":""}}', "the provider answered with status 502 and gave no reason"),
        (b"<html>Bad gateway</html>\n", "<html>Bad gateway</html>"),
        (b"\xff", "�"),
        (b'{"error":"model not found"}', "model not found"),
        (b'{"object":"error","message":"too long","code":400}', "too long"),
        (b'{"detail":[{"loc":["body"]}]}', '[{"loc":["body"]}]'),
        (b'["no"]', '["no"]'),
    ],
)
def test_whatever_a_server_says_is_passed_on(body, message):
    assert json.loads(error_to_openai(502, body))["error"]["message"] == message
    assert json.loads(error_to_anthropic(502, body))["error"]["message"] == message


def test_a_long_page_is_cut():
    assert len(json.loads(error_to_openai(502, b"<p>" * 1000))["error"]["message"]) == MESSAGE_LIMIT


def test_the_parameter_at_fault_is_kept():
    body = b'{"error":{"message":"no","type":"invalid_request_error","param":"n","code":null}}'
    error = json.loads(error_to_openai(400, body))["error"]
    assert (error["param"], error["code"]) == ("n", "invalid_request_error")


@given(st.integers(400, 599), bodies)
def test_any_body_becomes_an_error_of_both_dialects(status, body):
    ErrorObject.model_validate(json.loads(error_to_openai(status, body))["error"], strict=True)
    assert json.loads(error_to_anthropic(status, body))["error"]["message"]
    assert 400 <= status_in(body) < 600


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 429, 500, 503, 504, 529])
def test_anthropics_types_are_those_of_its_sdk(status):
    ErrorResponse.model_validate_json(error_to_anthropic(status, OVERLOADED), strict=True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (OVERLOADED, 529),
        (NO_KEY, 401),
        (b'{"error":{"message":"x","type":"server_error","code":null}}', 500),
        (b'{"error":{"message":"x","type":"tokens","code":"rate_limit_exceeded"}}', 429),
        (b'{"error":{"message":"x","code":502}}', 502),
        (b'{"error":{"message":"x","code":7,"type":"timeout_error"}}', 504),
        (b'{"error":{"message":"x","type":"invalid_request_error"}}', 400),
        (b"gone", 500),
    ],
)
def test_an_error_in_a_stream_says_which_status_it_stands_for(body, status):
    assert status_in(body) == status


def test_the_sdks_raise_what_the_status_says(serving):
    said = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    with (
        serving(error_to_openai(429, OVERLOADED), 429, "application/json") as url,
        openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client,
        pytest.raises(openai.RateLimitError, match="Overloaded"),
    ):
        client.chat.completions.create(**said)
    with (
        serving(error_to_anthropic(401, NO_KEY), 401, "application/json") as url,
        anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError, match="Incorrect API key"),
    ):
        client.messages.create(max_tokens=1, **said)


def test_they_are_errors_for_users():
    assert issubclass(Untranslatable, FlywheelError)
    assert issubclass(EventTooLarge, Untranslatable)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": "x"}', b"[]", b'{"a": 1, "b": "\xff"}'])
def test_what_cannot_be_read_is_named(body):
    decoder = msgspec.json.Decoder(dict[str, int | msgspec.Raw] if b"\xff" in body else dict[str, int])
    with pytest.raises(Untranslatable, match="the thing cannot be read: "):
        read(decoder, body, "the thing")
