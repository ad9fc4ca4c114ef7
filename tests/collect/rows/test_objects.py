import json
from io import BytesIO

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._rows import objects as module
from openflywheel.collect._rows.objects import objects


def found(said):
    return list(objects(BytesIO(said if isinstance(said, bytes) else said.encode())))


ROWS = [{"a": 1, "t": "ü " * 50}, {"b": [1, {"c": "]"}]}]


@pytest.mark.parametrize(
    "said",
    [
        "\n".join(map(json.dumps, ROWS)),
        "\n\n".join(map(json.dumps, ROWS)) + "\n",
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2, ensure_ascii=False),
        b"\xef\xbb\xbf" + json.dumps(ROWS).encode(),
        b"\xef\xbb\xbf" + "\n".join(map(json.dumps, ROWS)).encode(),
    ],
)
def test_arrays_and_lines(said):
    assert found(said) == ROWS


def test_an_object_over_several_lines_is_one():
    assert found(json.dumps({"tickets": ROWS}, indent=2)) == [{"tickets": ROWS}]
    assert found('{\n "a": ') == [Drop("file is no JSON")]


def test_nothing_is_nothing():
    assert found("") == [] == found(" \n") == found("[]")


def test_a_broken_line_is_dropped_and_the_next_is_read():
    assert found('{"a": 1}\n{"a": \n["x"]\n{"b": 2}\n') == [
        {"a": 1},
        Drop("line is no JSON"),
        ["x"],
        {"b": 2},
    ]
    assert found(b'{"a": 1}\n\xff\xfe\n{"b": 2}\n') == [{"a": 1}, Drop("line is no JSON"), {"b": 2}]


def test_a_line_that_is_still_being_written_is_left_for_later():
    assert found('{"a": 1}\n{"b": 2, "c') == [{"a": 1}]
    assert found('{"a": 1}\n{"b": 2}') == [{"a": 1}, {"b": 2}]


def test_deep_nesting_is_dropped():
    assert found('{"a": 1}\n' + "[" * 100_000 + "\n") == [{"a": 1}, Drop("line is no JSON")]
    assert found("[" + "[" * 100_000) == [Drop("file broken off")]


def test_huge_lines_and_items_are_dropped(monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 100)
    monkeypatch.setattr(module, "CHUNK", 32)
    long = json.dumps({"a": "x" * 300})
    assert found(f'{{"b": 1}}\n{long}\n{{"c": 2}}\n') == [{"b": 1}, Drop("line too long"), {"c": 2}]
    assert found(f'[{{"b": 1}}, {long}, {{"c": 2}}]') == [{"b": 1}, Drop("file broken off")]


def test_an_array_is_read_piece_by_piece(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 7)
    rows = [{"n": n, "t": "é€" * (n % 5)} for n in range(200)]
    assert found(json.dumps(rows, ensure_ascii=False)) == rows
    assert found(json.dumps(rows)[:-20])[-1] == Drop("file broken off")
