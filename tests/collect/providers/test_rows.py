"""Deliveries as providers send them: what comes out, and what a broken one costs."""

import gzip
import json
from typing import Any

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._providers import rows as module
from openflywheel.collect._providers.rows import failure, rows

GOOD = [{"url": "https://a.example/1", "text": "one"}, {"url": "https://a.example/2", "text": "zwei ü"}]
BAD = {
    "error": "Crawler error: Cannot find https://a.example/3?id=77",
    "error_code": "dead_page",
    "input": {"url": "https://a.example/3"},
    "timestamp": "2026-11-22T02:00:00Z",
}


def ndjson(items: list[Any]) -> bytes:
    return b"\n".join(json.dumps(item).encode() for item in items)


def table(*lines: str) -> bytes:
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        (json.dumps(GOOD).encode(), "application/json"),
        (json.dumps(GOOD, indent=2).encode(), "application/json"),
        (ndjson(GOOD), "application/x-ndjson"),
        (ndjson(GOOD) + b"\n\n", "application/jsonl"),
        (b"\xef\xbb\xbf" + ndjson(GOOD), ""),
        (b"\n \n" + json.dumps(GOOD).encode(), "text/plain"),
        (
            table("url,text", "https://a.example/1,one", "https://a.example/2,zwei ü"),
            "text/csv; charset=utf-8",
        ),
        (ndjson(GOOD), "application/json"),  # the order was JSON; lines came
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_form_gives_the_same_rows(body: bytes, mime: str, zipped: bool) -> None:
    assert list(rows(gzip.compress(body) if zipped else body, mime)) == GOOD


@pytest.mark.parametrize("body", [json.dumps(GOOD[0]).encode(), json.dumps(GOOD[0], indent=2).encode()])
def test_one_object_is_one_row(body: bytes) -> None:
    assert list(rows(body, "application/json")) == GOOD[:1]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"[]", gzip.compress(b"", mtime=0)])
def test_an_empty_delivery_has_no_rows(body: bytes) -> None:
    assert list(rows(body, "application/json")) == []


@pytest.mark.parametrize(
    "body", [json.dumps([GOOD[0], BAD, GOOD[1]]).encode(), ndjson([GOOD[0], BAD, GOOD[1]])]
)
def test_error_rows_are_drops_named_by_their_code_alone(body: bytes) -> None:
    assert list(rows(body, "application/json")) == [GOOD[0], Drop("provider error: dead_page"), GOOD[1]]


def test_error_columns_of_a_table_are_empty_where_a_row_is_good() -> None:
    body = table("url,text,error,error_code", "u1,one,,", "u2,,gone,Dead Page!")
    assert list(rows(body, "text/csv")) == [
        {"url": "u1", "text": "one", "error": "", "error_code": ""},
        Drop("provider error: dead_page"),
    ]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (BAD, "provider error: dead_page"),
        ({"error": "no page at https://a.example", "input": {}}, "provider error: no code"),
        ({"error": None, "error_code": None, "text": "fine"}, ""),
        ({"error": "E42 at boot", "text": "how do I fix it?"}, ""),  # a column of the data
        ({"warning": "slow", "warning_code": "slow", "text": "fine"}, ""),
        ({}, ""),
    ],
)
def test_which_rows_are_errors(row: dict[str, Any], why: str) -> None:
    assert failure(row) == why


def test_an_error_without_a_code_or_with_a_very_long_one_gives_a_short_reason() -> None:
    [nameless] = rows(json.dumps({"error": "see https://x"}).encode(), "")
    [long] = rows(json.dumps({"error_code": "x" * 500}).encode(), "")
    assert nameless == Drop("provider error: no code")
    assert isinstance(long, Drop)
    assert len(long.reason) <= 60


def test_a_broken_line_costs_that_line() -> None:
    body = ndjson([GOOD[0]]) + b'\n{"text": "cut off\n7\n' + ndjson([GOOD[1]])
    assert list(rows(body, "")) == [GOOD[0], Drop("broken row"), Drop("row is not an object"), GOOD[1]]


@pytest.mark.parametrize("body", [b'[{"text": "cut', b'{"a": 1,\n "b": ', b"[" * 100_000, b'{"a":' * 100_000])
def test_a_broken_document_is_one_drop(body: bytes) -> None:
    assert list(rows(body, "application/json")) == [Drop("broken row")]


def test_a_table_with_broken_rows_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROW", 50)
    body = table("a,b", "1,2,3", "4", f'5,"{"x" * 30}', "x" * 30 + '"', "7,8")
    found = list(rows(body, "text/csv"))
    assert found == [
        Drop("more values than columns"),
        {"a": "4"},
        Drop("line too long"),  # a quote that goes on in the next line
        {"a": "7", "b": "8"},
    ]


def test_a_table_says_which_row_is_broken_and_leaves_out_columns_without_a_name() -> None:
    assert list(rows(table("a,,b", "1,2,3", "4\r5", "", "6"), "text/csv")) == [
        {"a": "1", "b": "3"},
        Drop("broken row"),
        {"a": "6"},
    ]


def test_a_field_may_hold_a_whole_page() -> None:
    page = "x" * 300_000
    assert list(rows(table("page", page), "text/csv")) == [{"page": page}]


def test_what_is_neither_is_one_drop() -> None:
    assert list(rows(b"<html>sorry</html>", "text/html")) == [Drop("delivery in an unknown form")]


CUT = gzip.compress(ndjson(GOOD * 99), mtime=0)[:-20]


@pytest.mark.parametrize("body", [CUT, b"\x1f\x8b garbage", b"\x1f\x8b"])
def test_broken_gzip_is_said(body: bytes) -> None:
    assert list(rows(body, ""))[-1] == Drop("broken gzip")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100_000)
    line = ndjson([GOOD[0]]) + b"\n"
    found = list(rows(gzip.compress(line * 10_000), ""))
    assert found[-1] == Drop("delivery too large")
    assert 0 < len(found) < 100_000 // len(line) + 2


def test_an_array_or_a_row_beyond_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE", 1_000)
    monkeypatch.setattr(module, "ROW", 500)
    large = b"[" + b"1,\n" * 1_000 + b"1]"
    assert list(rows(large, "")) == [Drop("delivery too large")]
    assert list(rows(ndjson([GOOD[0], {"a": "x" * 600}]), "")) == [GOOD[0], Drop("delivery too large")]
