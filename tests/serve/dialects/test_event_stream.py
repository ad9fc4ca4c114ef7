import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.serve._dialects import event_stream
from openflywheel.serve._dialects.errors import EventTooLarge
from openflywheel.serve._dialects.event_stream import BOM, Events, frame

messy = st.lists(
    st.sampled_from([
        b"data: a", b"data:b", b"data", b"event: e", b"event", b":", b": c", b"id: 1", b"retry: 2", b"\r",
        b"\r\n", "data: ü€😀".encode(), b"nonsense", b" data: x", b"\xff", BOM, b"\n\n", b"\n", b"",
    ]),
    max_size=30,
).map(b"".join)  # fmt: skip


def events(*chunks: bytes) -> list[tuple[str, bytes]]:
    splitter = Events()
    return [event for chunk in chunks for event in splitter.feed(chunk)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_of_the_standard_is_read(end):
    lines = [b"event: add", b"data: 1", b"data: 2", b"", b"data: 3", b"", b""]
    assert events(end.join(lines)) == [("add", b"1\n2"), ("message", b"3")]


# The examples of the standard, section 9.2.6.


def test_lines_of_data_are_joined():
    assert events(b"data: YHOO\ndata: +2\ndata: 10\n\n") == [("message", b"YHOO\n+2\n10")]


def test_comments_and_empty_data():
    stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
    assert [data for _, data in events(stream)] == [b"first event", b"second event", b" third event"]


def test_data_without_a_colon_is_empty_and_an_unended_event_is_none():
    assert events(b"data\n\ndata\ndata\n\ndata:") == [("message", b""), ("message", b"\n")]


def test_one_space_after_the_colon_is_no_part_of_the_value():
    assert events(b"data:test\n\ndata: test\n\n") == [("message", b"test")] * 2


# What else the standard says


def test_an_event_without_data_is_none_and_its_name_is_forgotten():
    assert events(b"event: lost\n\ndata: x\n\n") == [("message", b"x")]


def test_the_last_name_counts():
    assert events(b"event: a\nevent: b\ndata: x\n\n") == [("b", b"x")]


def test_a_field_is_named_exactly():
    assert events(b" data: x\nDATA: x\ndatas: x\n\n") == []


def test_a_colon_in_the_value_stays():
    assert events(b'data: {"a": ":"}\n\n') == [("message", b'{"a": ":"}')]


def test_a_byte_order_mark_counts_only_at_the_start():
    assert events(BOM + b"data: x\n\n") == [("message", b"x")]
    assert events(*(bytes([byte]) for byte in BOM), b"data: x\n\n") == [("message", b"x")]
    assert events(b"\n" + BOM + b"data: x\n\n") == []


def test_an_event_comes_with_its_empty_line_even_if_that_ends_in_a_carriage_return():
    splitter = Events()
    assert splitter.feed(b"data: x\r\n\r") == [("message", b"x")]
    assert splitter.feed(b"\ndata: y\r\n\r\n") == [("message", b"y")]


def test_a_name_that_is_no_utf8_is_read_with_replacements():
    assert events(b"event: \xff\ndata: x\n\n") == [("�", b"x")]


# Splits


@given(messy, st.lists(st.integers(0, 400), max_size=8))
def test_any_split_gives_the_same_events(pieces, stream, places):
    assert events(*pieces(stream, places)) == events(stream)


@given(messy)
def test_byte_by_byte_gives_the_same_events(stream):
    assert events(*(bytes([byte]) for byte in stream)) == events(stream)


@given(st.lists(st.tuples(st.sampled_from(["message", "ping", "a b"]), st.text()), max_size=5))
def test_what_is_framed_is_read_back(said):
    framed = b"".join(
        frame(json.dumps(text).encode(), "" if name == "message" else name) for name, text in said
    )
    assert [(name, json.loads(data)) for name, data in events(framed)] == said


# Memory


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(event_stream, "LIMIT", 100)


@pytest.mark.parametrize("line", [b"data: ", b": ", b"x"])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_above_the_limit_is_refused_with_or_without_its_end(small, line, end):
    with pytest.raises(EventTooLarge, match="larger than 100 bytes"):
        events(line + b"a" * 101 + end)
    with pytest.raises(EventTooLarge):
        events(b"\n" + line + b"a" * 101 + end)  # in the middle of a chunk


def test_a_line_that_grows_above_the_limit_is_refused(small):
    with pytest.raises(EventTooLarge):
        events(*[b"a" * 10] * 11)


def test_many_lines_of_one_event_above_the_limit_are_refused(small):
    with pytest.raises(EventTooLarge):
        events(b"data: aaaa\n" * 30)


def test_many_events_are_no_large_event(small):
    assert len(events(b"data: aaaa\n\n" * 30)) == 30
    assert events(b": aaaa\n" * 30) == []


def test_the_limit_is_16_mb():
    assert len(events(b"data: " + b"a" * (event_stream.LIMIT - 10) + b"\n\n")[0][1]) == 16 * 1024**2 - 10
