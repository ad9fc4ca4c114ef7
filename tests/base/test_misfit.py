"""What is said of a value that does not fit its type."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest

from openflywheel.base.misfit import misfit

Shape = Literal["rss", "atom"]


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    shape: Shape = "rss"
    size: int = 0


def said(value: Any, kind: Any) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    return misfit(caught.value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("many", int, "a whole number"),
        (1.5, int, "a whole number"),
        ("x", float, "a number"),
        (3, str, "a text"),
        ("yes", bool, "true or false"),
        ("a", tuple[str, ...], "a list"),
        (5, dict[str, str], "a table of names and values"),
        (1.5, int | str | None, "a whole number or a text or nothing"),
        ([1], str | tuple[str, ...], "a text"),
    ],
)
def test_what_is_expected_is_said_in_plain_words(value, kind, expected):
    assert said(value, kind) == f"expected {expected}"


@pytest.mark.parametrize("kind", [Shape, Shape | None])
def test_a_wrong_choice_gets_the_nearest_or_all_of_them(kind):
    assert said("atm", kind) == "did you mean 'atom'?"
    assert said("json", kind) == "choices: atom, rss"
    assert said(3, kind) == "choices: atom, rss"


def test_choices_may_be_numbers():
    assert said(3, Literal[1, 2]) == "choices: 1, 2"


def test_a_bound_stays():
    assert said(-1, Annotated[int, msgspec.Meta(ge=0)]) == "expected a whole number >= 0"


def test_a_place_inside_the_value_is_named():
    assert said({"shape": "atm"}, Inner) == "shape: did you mean 'atom'?"
    assert said({"size": "x"}, Inner | None) == "size: expected a whole number"
    assert said(["json"], list[Shape]) == "choices: atom, rss"
    assert said(["json"], tuple[Shape, ...]) == "choices: atom, rss"
    assert said({"a": {"shape": 3}}, Mapping[str, Inner] | None) == "shape: choices: atom, rss"
    assert said({"a": [{"size": "x"}]}, dict[str, list[Inner]]) == "size: expected a whole number"


def test_what_is_wrong_in_another_way_is_said_as_it_is():
    assert said({"shap": "rss"}, Inner) == "Object contains unknown field `shap`"
