import gzip
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from pyarrow import fs

from openflywheel.base import door
from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect.delivery import check, delivery, discover

COLD = Gap(topic="route", why="cold start", task="route")
ROWS = [{"text": "one", "stars": "5"}, {"text": "two", "stars": "4"}]
ERROR = {
    "error": "Cannot find it",
    "error_code": "dead_page",
    "input": {"url": "https://a.example"},
    "timestamp": "2026",
}


def read(folder, url=".", state=None, **settings):
    handed = {"folder": folder, "objects": None, "subject": "key of {}".format}
    return list(delivery(COLD, url=url, **settings, **handed, state={} if state is None else state))


def texts(*things, **settings):
    return [r.text for r in read(*things, **settings) if isinstance(r, Record)]


def put(folder, name, content="", time=None):
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    if time is not None:
        os.utime(place, (time, time))


def line(text):
    return json.dumps({"text": text}) + "\n"


def workbook():
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([["text", "stars"], *([r["text"], r["stars"]] for r in ROWS)]):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def parquet():
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue()


LINES = "\n".join(map(json.dumps, ROWS)).encode()
FORMS = {
    "a.json": json.dumps(ROWS).encode(),
    "b.json": LINES,
    "a.jsonl": LINES,
    "a.ndjson.gz": gzip.compress(LINES),
    "a.csv": b"text,stars\none,5\ntwo,4\n",
    "a.csv.gz": gzip.compress(b"text,stars\none,5\ntwo,4\n"),
    "a.xlsx": workbook(),
    "a.parquet": parquet(),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_delivery_gives_the_same_rows(tmp_path, name):
    put(tmp_path, name, FORMS[name])
    got = read(tmp_path)
    assert [(r.text, r.meta, r.source) for r in got] == [
        ("one", {"stars": "5"}, "delivery"),
        ("two", {"stars": "4"}, "delivery"),
    ]
    assert got[0].uri.startswith(name)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.jsonl.gz"])
def test_rows_in_which_the_vendor_reports_errors_are_drops(tmp_path, name):
    rows = [ROWS[0], ERROR, ROWS[1]]
    content = json.dumps(rows) if name == "a.json" else "\n".join(map(json.dumps, rows))
    put(tmp_path, name, gzip.compress(content.encode()) if name.endswith("gz") else content)
    assert [r.reason if isinstance(r, Drop) else r.text for r in read(tmp_path)] == [
        "one",
        "provider error: dead_page",
        "two",
    ]


def test_columns_are_named_as_in_files(tmp_path):
    put(tmp_path, "a.csv", "review,team,by\nBroken,returns,ann\n")
    (one,) = read(tmp_path, text="review", label="team", person="by")
    assert (one.text, one.labels, one.subject, one.meta) == ("Broken", {"route": "returns"}, "key of ann", {})


def test_a_missing_column_in_one_delivery_is_no_mistake_of_the_user(tmp_path):
    put(tmp_path, "a.csv", "other\nx\n")
    put(tmp_path, "b.csv", "text\nhi\n")
    assert read(tmp_path)[0] == Drop("no text")
    assert texts(tmp_path) == ["hi"]


def test_nothing_delivered_yet_is_no_error(tmp_path):
    check(url="none", folder=tmp_path)
    assert read(tmp_path, "none") == []
    put(tmp_path, "none/a.jsonl", line("first"))
    assert texts(tmp_path, "none") == ["first"]


def test_only_what_is_new_is_read(tmp_path):
    state = {}
    put(tmp_path, "day1.jsonl", line("one"), time=100)
    assert texts(tmp_path, state=state) == ["one"]
    put(tmp_path, "day2.jsonl", line("two"), time=200)
    assert texts(tmp_path, state=json.loads(json.dumps(state))) == ["two"]
    assert texts(tmp_path, state=state) == ["two"]  # what was not committed comes again
    assert read(tmp_path, state=state) == []


@pytest.mark.parametrize("time", [100, 1])  # in the same second; with an older time
@pytest.mark.parametrize("name", ["aaa.jsonl", "zzz.jsonl"])  # before and behind the last key
def test_arrivals_of_the_same_second_and_late_ones_are_found(tmp_path, time, name):
    state = {}
    put(tmp_path, "mmm.jsonl", line("one"), time=100)
    assert texts(tmp_path, state=state) == ["one"]
    put(tmp_path, name, line("late"), time=time)
    assert "late" in texts(tmp_path, state=state)
    assert read(tmp_path, state=state) == []


def test_what_is_delivered_again_with_other_content_is_read_again(tmp_path):
    state = {}
    put(tmp_path, "a.jsonl", line("one"), time=100)
    texts(tmp_path, state=state)
    put(tmp_path, "a.jsonl", line("one") + line("two"), time=100)
    assert texts(tmp_path, state=state) == ["one", "two"]


def test_what_is_not_complete_is_passed_over_until_it_is(tmp_path):
    state = {}
    for name in ("a.jsonl.tmp", "b.jsonl.part", "_temporary/0/c.jsonl", "_SUCCESS", "_committed_1"):
        put(tmp_path, name, line("half"))
    put(tmp_path, "d.jsonl", line("whole"))
    assert [r.text for r in read(tmp_path, state=state)] == ["whole"]
    (tmp_path / "a.jsonl.tmp").rename(tmp_path / "a.jsonl")
    assert texts(tmp_path, state=state) == ["half"]


@pytest.mark.parametrize(
    ("marker", "name"),
    [("_SUCCESS", "_SUCCESS"), ("*.manifest", "batch-7.manifest"), ("manifest.json", "manifest.json")],
)
def test_a_marker_is_waited_for_in_the_folder_or_above(tmp_path, marker, name):
    put(tmp_path, "job1/dt=1/a.jsonl", line("one"))
    put(tmp_path, "job2/b.jsonl", line("two"))
    state = {}
    assert read(tmp_path, marker=marker, state=state) == []
    put(tmp_path, f"job1/{name}", "{}")
    assert [r.text for r in read(tmp_path, marker=marker, state=state)] == ["one"]
    put(tmp_path, f"job2/{name}", "{}")
    assert [r.text for r in read(tmp_path, marker=marker, state=state)] == ["two"]


def test_a_marker_beside_does_not_count(tmp_path):
    put(tmp_path, "job1/_SUCCESS")
    put(tmp_path, "job10/a.jsonl", line("x"))
    put(tmp_path, "b.jsonl", line("x"))
    assert read(tmp_path, marker="_SUCCESS") == []


def test_a_pattern_chooses(tmp_path):
    put(tmp_path, "reviews/a.jsonl", line("a"))
    put(tmp_path, "logs/b.jsonl", line("b"))
    assert texts(tmp_path, pattern="reviews/**") == ["a"]


def test_what_would_be_read_is_told(tmp_path):
    put(tmp_path, "a.csv", "text,stars\n")
    put(tmp_path, "a.csv.tmp", "x")
    put(tmp_path, "b.csv", "text,stars\none,5\n")
    (told,) = discover(COLD, url=".", folder=tmp_path)
    assert (told.name, told.items) == ("csv", 2)


def test_the_door_knows_its_settings():
    about = door.describe("collect", "delivery")
    own = [s.name for s in about.settings if not s.shared]
    assert own == ["url", "pattern", "marker", "text", "label", "person", "largest", "most"]


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of S3 over HTTP, and its URL."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    endpoint = ":".join(map(str, server.get_host_and_port()))
    options = {"endpoint_override": endpoint, "scheme": "http", "region": "us-east-1"}
    store = fs.S3FileSystem(**options, allow_bucket_creation=True)
    store.create_dir("drop-zone")
    try:
        yield store, "s3://drop-zone/vendor?" + "&".join(f"{k}={v}" for k, v in options.items())
    finally:
        server.stop()


def upload(store, name, content):
    with store.open_output_stream(f"drop-zone/{name}", compression=None) as out:
        out.write(content.encode() if isinstance(content, str) else content)


def test_a_drop_in_s3(bucket):
    store, url = bucket
    state = {}
    check(url=url, folder=Path())
    assert read(Path(), url, state=state) == []
    upload(store, "vendor/2026/a.jsonl.gz", gzip.compress(line("one").encode() + json.dumps(ERROR).encode()))
    upload(store, "elsewhere/b.jsonl", line("not ours"))
    one, drop = read(Path(), url, state=state)
    assert (one.text, drop) == ("one", Drop("provider error: dead_page"))
    assert one.uri == "s3://drop-zone/vendor/2026/a.jsonl.gz!/a.jsonl"
    upload(store, "vendor/2026/a-same-second.jsonl", line("two"))  # S3 tells times by the second
    assert "two" in texts(Path(), url, state=state)
    assert read(Path(), url, state=state) == []


def test_a_bucket_that_does_not_answer():
    with pytest.raises(SourceFailed, match="see: flywheel doctor"):
        check(
            url="s3://drop/x?region=us-east-1&anonymous=true&scheme=http&endpoint_override=127.0.0.1:9",
            folder=Path(),
        )
