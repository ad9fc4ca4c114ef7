"""Rows of tables: CSV, JSON, JSON Lines, XLSX, Parquet."""

import io
import json
import zipfile
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import csv, ndjson, sheets
from openflywheel.collect._rows.table import LONGEST

ROWS = [{"text": "one, two", "label": "a"}, {"text": "zwei ü", "label": "b"}]


def rows(found):
    return [e if isinstance(e, Drop) else e.row for e in found]


def parquet(table, **settings):
    sink = io.BytesIO()
    pq.write_table(table, sink, **settings)
    return sink.getvalue()


def xlsx(*tables, names=()):
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for i, table in enumerate(tables):
            sheet = book.add_worksheet(names[i] if names else None)
            for number, row in enumerate(table):
                sheet.write_row(number, 0, row)
    return sink.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_of_any_dialect_and_encoding(found, delimiter, encoding):
    lines = [delimiter.join(("text", "label")), delimiter.join(('"one, two"', "a"))]
    content = "\r\n".join([*lines, delimiter.join(("zwei ü", "b")), ""]).encode(encoding)
    assert rows(found("a.csv", content)) == ROWS


def test_tsv_has_tabs_whatever_its_text_holds(found):
    assert rows(found("a.tsv", b"text\ta;b;c\nx;y;z\t1;2;3\n")) == [{"text": "x;y;z", "a;b;c": "1;2;3"}]


def test_a_csv_of_one_column_and_one_without_rows(found):
    assert rows(found("a.csv", b"text\nhello; you\n\nbye\n")) == [{"text": "hello; you"}, {"text": "bye"}]
    assert rows(found("a.csv", b"text,label\n")) == []


def test_rows_that_are_too_long_or_too_short(found):
    content = b"text,label\none,a,extra\ntwo\nthree,c\n"
    assert rows(found("a.csv", content)) == [
        Drop("row longer than the header"),
        {"text": "two"},
        {"text": "three", "label": "c"},
    ]


def test_a_long_field_is_read_and_an_endless_one_is_dropped(found):
    assert len(rows(found("a.csv", b"text,b\n" + b"x" * 200_000 + b",1\n"))[0]["text"]) == 200_000
    content = b"text,b\nfine,1\n" + b"x" * (LONGEST + 1) + b",1\nagain,2\n"
    assert rows(found("a.csv", content)) == [
        {"text": "fine", "b": "1"},
        Drop("line too long"),
        {"text": "again", "b": "2"},
    ]


def test_columns_without_a_name_are_left_out(found):
    assert rows(found("a.csv", b",text\n0,hi\n")) == [{"text": "hi"}]


def test_the_delimiter_is_the_one_on_which_the_rows_agree():
    assert csv.delimiter_of("a;b\n1,5;x\n2,5;y\n") == ";"
    assert csv.delimiter_of("a,b\nx;y,1\nz,2\n") == ","
    assert csv.delimiter_of("") == ","


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ROWS)),
        ("a.json", "\ufeff" + json.dumps(ROWS, indent=2)),
        ("a.json", "\n".join(map(json.dumps, ROWS))),  # lines under the wrong suffix
        ("a.jsonl", "\n\n".join(map(json.dumps, ROWS)) + "\n"),
        ("A.NDJSON", "\r\n".join(map(json.dumps, ROWS))),
    ],
)
def test_json_in_its_forms(found, name, content):
    assert rows(found(name, content.encode())) == ROWS


def test_one_object_is_one_row_and_what_is_none_is_said(found):
    assert rows(found("a.json", b'{"text": "x"}')) == [{"text": "x"}]
    assert rows(found("a.json", b'[{"text": "x"}, 3]')) == [{"text": "x"}, Drop("row is not an object")]
    assert rows(found("a.jsonl", b"3\n{broken\n")) == [Drop("row is not an object"), Drop("broken row")]


@pytest.mark.parametrize("content", [b"{", b"[" * 200_000, b"nonsense", b'{"a": ' + b"9" * 5_000 + b"}"])
def test_broken_json_is_a_drop(found, content):
    assert found("a.json", content) == [Drop("broken json file")]


def test_a_deep_line_costs_that_line_alone(found):
    content = b'{"text": ' + b"[" * 200_000 + b'\n{"text": "x"}\n'
    assert rows(found("a.jsonl", content)) == [Drop("broken row"), {"text": "x"}]


def test_a_line_that_is_too_long_is_passed_over(found, monkeypatch):
    monkeypatch.setattr(ndjson, "LONGEST", 100)
    content = b'{"text": "' + b"x" * 1000 + b'"}\n{"text": "y"}\n' + b"z" * 100
    assert rows(found("a.jsonl", content)) == [Drop("row too long"), {"text": "y"}, Drop("row too long")]


def test_parquet_by_row_group_with_typed_values(found):
    table = pa.table({"text": ["a", None, "c"], "n": [1, 2, 3], "at": [date(2024, 1, 2)] * 3})
    got = rows(found("a.parquet", parquet(table, row_group_size=1)))
    assert got[0] == {"text": "a", "n": 1, "at": date(2024, 1, 2)}
    assert [r["text"] for r in got] == ["a", None, "c"]


def test_parquet_that_unpacks_to_too_much(found):
    table = pa.table({"text": [f"{i:01000}" for i in range(30_000)]})
    content = parquet(table, compression="zstd", use_dictionary=False)
    assert len(content) < 300_000
    assert found("a.parquet", content) == [Drop("unpacks to too much")]


def test_one_text_that_many_rows_share_is_counted_each_time(found):
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * (1 << 20)]))
    content = parquet(pa.table({"text": column}))
    assert len(content) < 100_000
    got = found("a.parquet", content)
    assert len(got) < 20
    assert got[-1] == Drop("unpacks to too much")


def test_broken_parquet(found):
    whole = parquet(pa.table({"text": ["a"]}))
    assert found("a.parquet", whole[:-20]) == [Drop("broken parquet file")]
    assert found("a.parquet", b"PAR1") == [Drop("broken parquet file")]


def test_every_sheet_is_a_table(found):
    content = xlsx(
        [["text", "n", "day"], ["hi", 2.5, date(2024, 1, 2)], []], [["text"], ["you"]], names=["A", "B"]
    )
    first, second = found("a.xlsx", content)
    assert (first.row, first.anchor) == ({"text": "hi", "n": 2.5, "day": date(2024, 1, 2)}, "A")
    assert (second.row, second.anchor) == ({"text": "you"}, "B")


def test_an_empty_sheet_has_no_rows(found):
    assert found("a.xlsx", xlsx([])) == []


def test_two_cells_in_opposite_corners_are_refused(found):
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "text")
        sheet.write(1_048_575, 16_383, "far")
    assert found("a.xlsx", sink.getvalue()) == [Drop("sheet too large")]


def test_a_string_that_a_million_cells_share_is_refused(found):
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as book:
        sheet = book.add_worksheet()
        for row in range(1000):
            sheet.write(row, 0, "x" * 32_767)
    content = sink.getvalue()
    assert len(content) < 50_000
    assert found("a.xlsx", content) == [Drop("unpacks to too much")]


def test_cells_that_do_not_say_where_they_are_stand_behind_the_last():
    sheet = sheets._Sheet([10])
    for name, about in [("row", {}), ("c", {}), ("x:c", {"t": "s"}), ("v", {})]:
        sheet.start(name, about)
    sheet.text("0")
    sheet.end("v")
    assert (sheet.rows, sheet.columns, sheet.shared) == (1, 2, 10)
    assert sheets._number("XFD") == 16_384


def test_a_broken_workbook(found):
    content = xlsx([["text"], ["hi"]])
    assert found("a.xlsx", content[:-30]) == [Drop("broken xlsx file")]
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.txt", "no workbook")
    assert found("a.xlsx", sink.getvalue()) == [Drop("broken xlsx file")]
