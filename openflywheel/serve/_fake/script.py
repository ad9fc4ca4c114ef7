"""What a test tells the fake provider to do, as JSON. Every unknown field is an error."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from openflywheel.base.errors import SettingsError, suggest

Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Ordinal = Annotated[int, Meta(ge=1)]
Failure = Annotated[int, Meta(ge=400, le=599)]


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Lognormal(_Table, frozen=True, kw_only=True):
    """A delay whose logarithm is normal: `median` in seconds, `sigma` of the logarithm."""

    median: Seconds
    sigma: Seconds


class ToolCall(_Table, frozen=True, kw_only=True):
    """A call of a tool; without `arguments` they are made from the tool's own schema."""

    name: str
    arguments: dict[str, Any] | None = None


class Price(_Table, frozen=True, kw_only=True):
    """Dollars for a million tokens."""

    input: Seconds = 0
    output: Seconds = 0


class Tuning(_Table, frozen=True, kw_only=True):
    """How fine-tuning jobs go: seconds in each status, and what they cost.

    `fail` is the message of an error in which they end; `price` is dollars for a million trained tokens.
    """

    validating_files: Seconds = 0
    queued: Seconds = 0
    running: Seconds = 0
    fail: str = ""
    price: Seconds = 25


class Rule(_Table, frozen=True, kw_only=True):
    """Which requests it meets, and what they get. Without any condition it meets all.

    A rule counts the requests that fit `model`, `path` and `contains` and that no rule before it took;
    `nth` takes only that one of them, `times` only the first so many.
    """

    model: str = ""
    path: str = ""
    contains: str = ""
    nth: Ordinal | None = None
    times: Count | None = None

    answer: str | None = None
    tool_call: ToolCall | None = None
    latency: Seconds | Lognormal = 0
    per_token: Seconds = 0
    repeat_id: bool = False

    status: Failure | None = None
    code: str | None = None
    message: str = ""
    retry_after: Seconds | None = None
    retry_after_ms: Seconds | None = None
    should_retry: bool | None = msgspec.field(name="x-should-retry", default=None)

    cut_after: Count | None = None
    error_after: Count | None = None
    refuse: bool = False
    hang: bool = False


PRICES: Mapping[str, Price] = {
    "fake-large": Price(input=2.5, output=10),
    "fake-small": Price(input=0.15, output=0.6),
    "fake-embedding": Price(input=0.02),
}


class Script(_Table, frozen=True, kw_only=True):
    """All that a fake provider is told. No `keys`: every key is welcome, and none is needed."""

    rules: tuple[Rule, ...] = ()
    keys: tuple[str, ...] = ()
    prices: dict[str, Price] = msgspec.field(default_factory=lambda: dict(PRICES))
    tuning: Tuning = Tuning()
    seed: int = 0


def parse(told: bytes | Mapping[str, Any]) -> Script:
    """A script of JSON text or of plain data. Raises SettingsError that names the place and the field."""
    try:
        if isinstance(told, bytes):
            return msgspec.json.decode(told, type=Script)
        return msgspec.convert(told, Script)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"the script cannot be used: {_explain(str(error))}") from error


def _explain(error: str) -> str:
    unknown = re.match(r"Object contains unknown field `(.+?)`(?: - at `(.*)`)?", error)
    if unknown is None:
        return error
    name, place = unknown[1], (unknown[2] or "$").removeprefix("$").removeprefix(".")
    return f"{place or 'its top level'} has no field {name!r}; {suggest(name, _fields(place))}"


def _fields(place: str) -> list[str]:
    """The fields of the table at a place such as rules[0].tool_call."""
    by_end: dict[str, type[Struct]] = {
        "tool_call": ToolCall, "latency": Lognormal, "tuning": Tuning, "[...]": Price,
    }  # fmt: skip
    found = next((table for end, table in by_end.items() if place.endswith(end)), Rule if place else Script)
    return [field.encode_name for field in msgspec.structs.fields(found)]
