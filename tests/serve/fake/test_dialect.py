import msgspec
import pytest
from msgspec import Struct

from openflywheel.serve._fake.dialect import ANTHROPIC, OPENAI
from openflywheel.serve._fake.problem import Mistake, Problem, mistake


class Inner(Struct):
    name: str


class Outer(Struct):
    items: list[Inner]
    word: str | None = None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{}", Mistake("items")),
        (b'{"items": [{}]}', Mistake("items[0].name")),
        (b'{"items": 1}', Mistake("items", "`array`", "`int`")),
        (b'{"items": [{"name": "a"}, {"name": 1}]}', Mistake("items[1].name", "`str`", "`int`")),
        (b'{"items": [], "word": 1}', Mistake("word", "`str | null`", "`int`")),
        (b"[]", Mistake("", "`object`", "`array`")),
    ],
)
def test_a_mistake_is_found_in_msgspecs_sentence(body, found):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=Outer)
    assert mistake(caught.value) == found


@pytest.mark.parametrize(
    ("found", "openai", "anthropic"),
    [
        (Mistake("a"), "Missing required parameter: 'a'.", "a: Field required"),
        (
            Mistake("a[0].b", "`str | null`", "`int`"),
            "Invalid type for 'a[0].b': expected a string or null, but got an integer instead.",
            "a.0.b: Input should be a string or null",
        ),
        (
            Mistake("n", "`int` >= 1"),
            "Invalid value for 'n': expected an integer >= 1.",
            "n: Input should be an integer >= 1",
        ),
    ],
)
def test_each_api_has_its_words(found, openai, anthropic):
    assert OPENAI.mistaken(found).message == openai
    assert ANTHROPIC.mistaken(found).message == anthropic


@pytest.mark.parametrize(
    ("status", "kind", "code", "anthropic"),
    [
        (400, "invalid_request_error", None, "invalid_request_error"),
        (401, "invalid_request_error", "invalid_api_key", "authentication_error"),
        (403, "invalid_request_error", None, "permission_error"),
        (404, "invalid_request_error", None, "not_found_error"),
        (413, "invalid_request_error", None, "request_too_large"),
        (429, "requests", "rate_limit_exceeded", "rate_limit_error"),
        (500, "server_error", None, "api_error"),
        (503, "server_error", None, "api_error"),
        (529, "server_error", None, "overloaded_error"),
    ],
)
def test_the_type_follows_from_the_status(status, kind, code, anthropic):
    problem = Problem(status, "why")
    assert OPENAI.error(problem, "r") == {
        "error": {"message": "why", "type": kind, "param": None, "code": code}
    }
    said = {"type": "error", "error": {"type": anthropic, "message": "why"}, "request_id": "r"}
    assert ANTHROPIC.error(problem, "r") == said


def test_a_told_code_wins():
    problem = Problem(429, "why", code="insufficient_quota")
    assert OPENAI.error(problem, "r")["error"]["code"] == "insufficient_quota"
    assert ANTHROPIC.error(problem, "r")["error"]["type"] == "insufficient_quota"


def test_nothing_is_left_on_a_429():
    for dialect, name in (
        (OPENAI, "x-ratelimit-remaining-requests"),
        (ANTHROPIC, "anthropic-ratelimit-requests-remaining"),
    ):
        assert dict(dialect.headers("r", 429, 1))[name] == "0"
        assert int(dict(dialect.headers("r", 200, 1))[name]) > 0
