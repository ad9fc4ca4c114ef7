"""Why a value does not fit its type, in plain words: what is expected there, or which choices there are."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Struct, ValidationError

from openflywheel.base.errors import suggest

WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table of names and values",
    "null": "nothing",
}
PLACE, ANY = " - at `$", "..."
ENUM = re.compile(r"Invalid enum value '?(.*?)'?")
TYPE = re.compile(r"Expected `(.+?)`( [<>]=? \S+)?(, got `.+`)?")


def misfit(error: ValidationError, kind: Any) -> str:
    """What msgspec says of a value that should be of a kind, behind the place inside it, if there is any."""
    names = [part for part in _place(error) if not part.isdigit() and part != ANY]
    return "".join(f"{name}: " for name in names) + plain(error, kind)


def plain(error: ValidationError, kind: Any) -> str:
    """The same without the place."""
    for part in _place(error):
        kind = _below(kind, part)
    return _plain(str(error).partition(PLACE)[0], list(_choices(kind)))


def _place(error: ValidationError) -> list[str]:
    """Names of fields, positions in lists, and ANY for a key of a dictionary."""
    return re.findall(r"\.\.\.|[^.\[\]`]+", str(error).partition(PLACE)[2])


def _plain(said: str, choices: list[str]) -> str:
    if wrong := ENUM.fullmatch(said):
        return suggest(wrong[1], choices)
    if choices and TYPE.fullmatch(said):
        return f"choices: {', '.join(sorted(choices))}"
    if wrong := TYPE.fullmatch(said):
        return f"expected {' or '.join(WORDS.get(k, k) for k in wrong[1].split(' | '))}{wrong[2] or ''}"
    return said


def _options(kind: Any) -> tuple[Any, ...]:
    """The types of a union; any other type is the only one."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _choices(kind: Any) -> Iterator[str]:
    for option in _options(kind):
        if get_origin(option) is Literal:
            yield from map(str, get_args(option))


def _below(kind: Any, part: str) -> Any:
    """The type of a field, or of the items of a list, tuple or dictionary; Any where nobody knows."""
    for option in _options(kind):
        if isinstance(option, type) and issubclass(option, Struct):
            return get_type_hints(option).get(part, Any)
        if inner := [each for each in get_args(option) if each is not ...]:
            return inner[-1]
    return Any
