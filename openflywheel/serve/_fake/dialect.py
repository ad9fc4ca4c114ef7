"""Headers and errors, in the words of OpenAI and of Anthropic."""

import re
from typing import Any, Protocol

from openflywheel.serve._fake.problem import Mistake, Problem

Headers = list[tuple[str, str]]
LIMIT, LEFT = "10000", "9999"  # what the ratelimit headers say; 0 is left on a 429
MINUTE = "2030-01-01T00:00:00Z"


class Dialect(Protocol):
    """What differs between the two families of APIs."""

    def headers(self, id: str, status: int, milliseconds: int) -> Headers:
        """The headers of every response."""

    def error(self, problem: Problem, id: str) -> dict[str, Any]:
        """The body of an error."""

    def mistaken(self, found: Mistake) -> Problem:
        """A field that is missing or wrong."""

    def malformed(self, why: str) -> Problem:
        """A body that is not JSON."""

    def unknown(self, method: str, path: str, other_method: bool) -> Problem:
        """A path that does not exist, or not with this method."""


class _OpenAI:
    def headers(self, id: str, status: int, milliseconds: int) -> Headers:
        left = "0" if status == 429 else LEFT
        return [
            ("x-request-id", id),
            ("openai-processing-ms", str(milliseconds)),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", LIMIT),
            ("x-ratelimit-remaining-requests", left),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-limit-tokens", LIMIT + "000"),
            ("x-ratelimit-remaining-tokens", left + "000"),
            ("x-ratelimit-reset-tokens", "6ms"),
        ]

    def error(self, problem: Problem, id: str) -> dict[str, Any]:
        del id  # it is in the headers
        kinds = {429: "requests", **dict.fromkeys(range(500, 600), "server_error")}
        codes = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
        return {
            "error": {
                "message": problem.message,
                "type": kinds.get(problem.status, "invalid_request_error"),
                "param": problem.param,
                "code": problem.code or codes.get(problem.status),
            }
        }

    def mistaken(self, found: Mistake) -> Problem:
        name = f"'{found.param}'" if found.param else "the request body"
        if not found.expected:
            said, code = f"Missing required parameter: {name}.", "missing_required_parameter"
        elif not found.got:
            said, code = f"Invalid value for {name}: expected {_words(found.expected)}.", "invalid_value"
        else:
            expected, got = _words(found.expected), _words(found.got)
            said = f"Invalid type for {name}: expected {expected}, but got {got} instead."
            code = "invalid_type"
        return Problem(400, said, code=code, param=found.param or None)

    def malformed(self, why: str) -> Problem:
        return Problem(400, f"We could not parse the JSON body of your request: {why}")

    def unknown(self, method: str, path: str, other_method: bool) -> Problem:
        if other_method:
            return Problem(405, f"Not allowed to {method} on {path}", code="method_not_supported")
        return Problem(404, f"Invalid URL ({method} {path})", code="unknown_url")


class _Anthropic:
    def headers(self, id: str, status: int, milliseconds: int) -> Headers:
        del milliseconds
        left = "0" if status == 429 else LEFT
        return [
            ("request-id", id),
            ("anthropic-ratelimit-requests-limit", LIMIT),
            ("anthropic-ratelimit-requests-remaining", left),
            ("anthropic-ratelimit-requests-reset", MINUTE),
            ("anthropic-ratelimit-tokens-limit", LIMIT + "000"),
            ("anthropic-ratelimit-tokens-remaining", left + "000"),
            ("anthropic-ratelimit-tokens-reset", MINUTE),
        ]

    def error(self, problem: Problem, id: str) -> dict[str, Any]:
        kinds = {
            401: "authentication_error",
            403: "permission_error",
            404: "not_found_error",
            413: "request_too_large",
            429: "rate_limit_error",
            504: "timeout_error",
            529: "overloaded_error",
        }
        usual = "api_error" if problem.status >= 500 else "invalid_request_error"
        kind = problem.code or kinds.get(problem.status, usual)
        return {"type": "error", "error": {"type": kind, "message": problem.message}, "request_id": id}

    def mistaken(self, found: Mistake) -> Problem:
        name = re.sub(r"\[(\w+)\]", r".\1", found.param) or "body"
        wrong = f"Input should be {_words(found.expected)}" if found.expected else "Field required"
        return Problem(400, f"{name}: {wrong}")

    def malformed(self, why: str) -> Problem:
        return Problem(400, f"The request body is not valid JSON: {why}")

    def unknown(self, method: str, path: str, other_method: bool) -> Problem:
        if other_method:
            return Problem(405, "Method Not Allowed")
        return Problem(404, f"Not found: {method} {path}")


WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def _words(types: str) -> str:
    """msgspec's `str | null` as the APIs say it; a bound such as >= 1 stays."""
    return re.sub(r"\w+", lambda m: WORDS.get(m[0], m[0]), types.replace("`", "")).replace(" | ", " or ")


OPENAI: Dialect = _OpenAI()
ANTHROPIC: Dialect = _Anthropic()
