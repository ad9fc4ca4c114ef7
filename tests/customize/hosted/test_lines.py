"""Rows to a training file: what is left out and why, how many tokens."""

import json

import pytest
from hosted_lessons import LABELS, rows_of

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Row
from openflywheel.customize._hosted.formats import Example
from openflywheel.customize._hosted.lines import TOO_LONG, WEIGHTLESS, check, file, lines, tokens


def row(text="where is it", answer="track", **more):
    return Row(text=text, source="test", labels={"route": answer}, **more)


def test_a_line_a_row_in_their_order():
    made = file(rows_of(4), "route", "openai", system="choose")
    said = [json.loads(line) for line in made.content.splitlines()]
    assert (made.rows, made.dropped) == (4, {})
    assert [line["messages"][1]["content"] for line in said] == [f"train question {i}" for i in range(4)]
    assert [line["messages"][2]["content"] for line in said] == [*LABELS, LABELS[0]]
    assert {line["messages"][0]["content"] for line in said} == {"choose"}


def test_the_same_rows_make_the_same_bytes():
    assert file(rows_of(9), "route", "openai") == file(rows_of(9), "route", "openai")


def test_a_chat_in_meta_is_the_prompt():
    chat = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    [line] = lines([row(meta={"chat": json.dumps(chat)})], "route", "openai")
    assert json.loads(line.json)["messages"][:-1] == chat


def test_text_that_is_no_ascii_stays_readable():
    [line] = lines([row("où est-il 日本")], "route", "openai")
    assert "où est-il 日本".encode() in line.json
    assert line.json.count(b"\n") == 1


def test_a_line_break_in_a_text_breaks_no_line():
    made = file([row("one\ntwo\u2028three")], "route", "openai")
    assert made.content.count(b"\n") == 1
    assert json.loads(made.content)["messages"][0]["content"] == "one\ntwo\u2028three"


def test_what_is_left_out_is_counted_by_its_reason():
    rows = [row(), row(weight=0), row("x" * 500), row(answer=""), row("again", weight=0)]
    made = file(rows, "route", "openai", most_tokens=50)
    assert made.rows == 1
    assert made.dropped == {WEIGHTLESS: 2, TOO_LONG: 1, "an empty message": 1}


def test_tokens_are_estimated_by_bytes():
    assert tokens(Example(({"role": "user", "content": "abcd"},), "ef")) == 3 + (3 + 1) + (3 + 1)
    assert tokens(Example(({"role": "user", "content": "日本"},), "ef")) == 3 + (3 + 2) + (3 + 1)
    assert tokens(Example((), "ab", "cd")) == 3 + (3 + 1) + (3 + 1)
    assert file([row("abcd", "ef")] * 3, "route", "openai").tokens == 33


def test_the_formats_own_limit_holds_where_none_is_set():
    long = row("x" * 4 * 70_000)
    assert file([long], "route", "openai").dropped == {TOO_LONG: 1}
    assert file([long], "route", "vertex").rows == 1
    assert file([row("x" * 4 * 140_000)], "route", "vertex").dropped == {TOO_LONG: 1}
    assert file([row("x" * 4 * 140_000)], "route", "bedrock").rows == 1


@pytest.mark.parametrize(
    ("rows", "size", "form", "said"),
    [
        (9, 1, "openai", "9 examples for openai, which takes 10 or more \\(2 left out: no weight\\)"),
        (0, 0, "bedrock", "0 examples for bedrock, which takes 1 or more"),
        (1_000_001, 1, "vertex", "1,000,001 examples; vertex takes at most 1,000,000"),
        (10, 512_000_001, "openai", "take 512,000,001 bytes; openai takes 512,000,000"),
    ],
)
def test_what_a_provider_would_refuse_is_told(rows, size, form, said):
    with pytest.raises(SettingsError, match=said):
        check(rows, size, {"no weight": 2}, form, "route")


def test_what_it_takes_passes():
    check(10, 1, {}, "openai", "route")
    check(1, 10**12, {}, "bedrock", "route")
