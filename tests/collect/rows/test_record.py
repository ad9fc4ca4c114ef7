from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap
from openflywheel.collect._rows.record import Columns, facts, record, shown

GAP = Gap(topic="route", why="", task="route")


def made(row, gap=GAP, **columns):
    return record(row, gap, Columns(**columns), source="s", uri="u", subject=lambda person: f"<{person}>")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        ("x", "x"),
        (0, "0"),
        (True, "true"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00", ""),
        (["a", 1], "a, 1"),
        ({"b": 1, "a": [2]}, '{"a":[2],"b":1}'),
        ("half \ud800 a pair", "half ? a pair"),
    ],
)
def test_values_as_text(value, said):
    assert shown(value) == said


def test_what_json_cannot_hold_is_still_text():
    assert "half" in shown({"a": "half \ud800"})
    assert shown({"a": {"b": 1}}, nested=False) == ""


def test_a_label_is_for_the_gaps_task():
    found = made({"text": " hi ", "label": "greet"})
    assert (found.text, found.labels, found.labelled_by, found.uri) == ("hi", {"route": "greet"}, "seed", "u")
    assert made({"text": "hi", "label": "greet"}, Gap(topic="t", why="")).labels == {}
    assert made({"text": "hi", "label": None}).labelled_by == ""


def test_the_person_is_in_no_fact():
    row = {"text": "hi", "by": {"mail": "ann@x.de", "name": "Ann"}, "reply to": "ann@x.de", "price": 3}
    found = made(row, person="by.mail")
    assert (found.subject, found.meta) == ("<ann@x.de>", {"price": "3"})


def test_facts_are_the_plain_columns_or_those_that_are_named():
    row = {"text": "hi", "price": 3, "deep": {"a": 1}, "when": "2026", "long": "x" * 2_001, "empty": None}
    assert facts(row, Columns(published="when")) == {"price": "3", "published": "2026"}
    assert facts(row, Columns(meta=("deep.a", "deep"))) == {"deep.a": "1", "deep": '{"a":1}'}
    assert facts(row, Columns(meta=())) == {}


def test_a_row_without_text_is_dropped():
    assert made({"text": " "}) == Drop("no text")
    assert made({"other": "x"}) == Drop("no text")


def test_the_same_row_twice_is_the_same_record():
    assert made({"text": "hi", "a": 1}).id == made({"a": 1, "text": "hi"}).id


def test_a_missing_column_is_explained_but_not_the_labels_default():
    Columns(text="body").require({"body": 1}, "rows")
    with pytest.raises(SettingsError, match="rows: there is no column 'bdy'; did you mean 'body'"):
        Columns(text="bdy").require({"body": 1}, "rows")
    with pytest.raises(SettingsError, match="'team'"):
        Columns(text="body", label="team").require({"body": 1}, "rows")
    Columns(text="body", person="by.mail").require({"body": 1, "by": {}}, "rows")
