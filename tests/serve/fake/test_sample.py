import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, Optional
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from openflywheel.serve._fake.sample import sample, sample_json


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    id: UUID
    on: date
    at: datetime
    colour: Colour
    kind: Literal["leaf"]


class Tree(BaseModel):
    name: Annotated[str, Field(min_length=10, max_length=12)]
    height: Annotated[float, Field(gt=0, lt=0.5)]
    age: Annotated[int, Field(ge=18)]
    debt: Annotated[int, Field(le=-3)]
    leaf: Leaf
    other: Leaf | int
    tags: Annotated[list[str], Field(min_length=3)]
    pair: dict[str, int]
    price: Decimal
    left: Optional["Tree"] = None
    children: list["Tree"] = []


def test_a_value_fits_the_schema_that_pydantic_writes():
    tree = Tree.model_validate_json(sample_json(Tree.model_json_schema()))
    assert 10 <= len(tree.name) <= 12
    assert (tree.age, tree.debt, len(tree.tags)) == (18, -3, 3)
    assert tree.leaf.colour is Colour.RED


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "text"),
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "format": "email"}, "ada@example.com"),
        ({"type": "string", "format": "unheard-of"}, "text"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "integer", "minimum": -5, "maximum": 0}, 0),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["integer", "null"]}, 1),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 0}, 0),
        ({"const": None}, None),
        ({"type": "array"}, ["text"]),
        ({"type": "array", "minItems": 2, "items": {"type": "null"}}, [None, None]),
        ({"type": "object"}, {}),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 1),
        ({"oneOf": [{"const": "x"}, {"const": "y"}]}, "x"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, 3),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"const": 7}}, "$ref": "#/$defs/a"}, 7),
        ({"definitions": {"a": {"type": "integer"}}, "$ref": "#/definitions/a", "minimum": 4}, 4),
    ],
)
def test_simple_schemas(schema, value):
    assert sample(schema) == value
    assert json.loads(sample_json(schema)) == value


def test_an_integer_is_written_as_one():
    assert sample_json({"type": "integer", "minimum": 2.0}) == "2"


@pytest.mark.parametrize(
    "link",
    [
        {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        {"type": "array", "items": {"$ref": "#"}},
    ],
)
def test_a_recursive_schema_ends(link):
    schema = {"type": "object", "properties": {"next": link}, "required": ["next"]}
    depth, value = 0, sample(schema)
    while value:
        value, depth = value["next"] if isinstance(value, dict) else value[0], depth + 1
    assert 2 <= depth <= 12


def test_an_optional_recursion_is_left_out_when_deep():
    text = sample_json({"type": "object", "properties": {"next": {"$ref": "#"}}})
    assert text == '{"next":' * 4 + "{}" + "}" * 4
