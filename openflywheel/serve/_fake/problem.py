"""What is wrong with a request, before any API's own words for it."""

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct


class Problem(Exception):
    """A request is answered with an error: `status`, and what its API says; `headers` are added."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.headers = headers or {}


class Mistake(Struct, frozen=True):
    """A field that is missing or wrong: `param` is a path such as messages[0].role, "" the whole body.

    `expected` is "" for a missing field; `got` is "" when the type is right and the value is not.
    """

    param: str
    expected: str = ""
    got: str = ""


def mistake(error: msgspec.ValidationError) -> Mistake:
    """Where and what, from msgspec's sentence."""
    what, _, place = str(error).partition(" - at `$")
    place = place.rstrip("`").removeprefix(".")
    if missing := re.fullmatch(r"Object missing required field `(.+)`", what):
        return Mistake(f"{place}.{missing[1]}".removeprefix("."))
    expected, _, got = what.removeprefix("Expected ").partition(", got ")
    return Mistake(place, expected, got)
