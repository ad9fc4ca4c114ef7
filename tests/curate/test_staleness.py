from typing import Any

import pyarrow as pa
import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate.staleness import NOTICES, staleness

NOW = 1_767_225_600.0  # 2026-01-01
OLD, TOLD = "staleness: too old", "staleness: notice of an old version"


def batch(*records: Record, drops: list[str | None] | None = None) -> pa.Table:
    rows = to_batch(records, Record)
    return pa.Table.from_batches([
        rows.append_column("drop", pa.array(drops or [None] * len(records), pa.string()))
    ])  # fmt: skip


def record(published: str = "", at: float = NOW, text: str = "a text", **fields: Any) -> Record:
    meta = {"published": published} if published else {}
    return Record(**{"text": text, "source": "docs", "at": at, "meta": meta, **fields})


def drops(*records: Record, **given: Any) -> list[str | None]:
    found: list[str | None] = staleness(batch(*records), **given)["drop"].to_pylist()
    return found


def test_the_age_is_that_at_the_time_of_fetching() -> None:
    assert drops(record("2023-12-31"), record("2025-06-01"), record(), older_than="730d") == [OLD, None, None]
    late = record("2023-12-31", at=NOW - 365 * 86_400)
    assert drops(late, older_than="730d") == [None]


def test_the_bound_itself_is_not_too_old() -> None:
    assert drops(record("2025-12-02"), record("2025-12-01"), older_than="30d") == [None, OLD]


def test_a_change_makes_it_younger() -> None:
    changed = record(meta={"published": "2001-01-01", "modified": "2025-12-30T10:00:00Z"})
    broken = record(meta={"published": "2025-12-31", "modified": "yesterday"})
    assert drops(changed, broken, older_than="30d") == [None, None]


def test_sources_have_ages_of_their_own() -> None:
    page: dict[str, Any] = {"uri": "https://news.example.com/a"}
    given: dict[str, Any] = {"older_than": "730d", "sources": {"example.com": "2d", "wiki": "3650d"}}
    rows = [record("2025-12-01", **page), record("2025-12-01"), record("2020-01-01", source="wiki")]
    assert drops(*rows, **given) == [OLD, None, None]
    assert drops(*rows, sources={"example.com": "2d"}) == [OLD, None, None]


def test_before_a_day_what_is_undated_counts_by_its_fetching() -> None:
    rows = [record("2024-01-30"), record("2024-01-31"), record(), record(at=NOW - 3 * 365 * 86_400)]
    assert drops(*rows, before="2024-01-31") == [OLD, None, None, OLD]


def test_what_says_so_itself_is_stale() -> None:
    said = "This documentation is for an UNSUPPORTED version of PostgreSQL."
    assert drops(record(text=said), record(text=" " * 3000 + said)) == [TOLD, None]
    assert drops(record(text="Closed for good."), notices=("closed for GOOD",)) == [TOLD]
    assert drops(record(text=said), notices=()) == [None]
    assert all(notice == notice.lower() for notice in NOTICES)


def test_it_may_only_say_so() -> None:
    rows = [record("2001-01-01"), record(text="This page is outdated!"), record("2025-12-31")]
    table = staleness(batch(*rows), older_than="30d", drop=False)
    assert table["drop"].null_count == 3
    assert table["meta.stale"].to_pylist() == ["too old", "notice", None]
    assert table["meta.age"].to_pylist() == ["9131", None, "1"]


@pytest.mark.parametrize("published", ["2025-13-01", "2025-00-01", "soon", "20250101", "2025-01-300", ""])
def test_what_is_no_date_has_no_age(published: str) -> None:
    table = staleness(batch(record(published)), older_than="1d")
    assert table["meta.age"].to_pylist() == [None]
    assert table["drop"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("published", "age"),
    [("2025-12", "31"), ("2025-12-31T23:59:59+05:00", "1"), ("2026-02-01", "-31"), (" 2025-12-31", "1")],
)
def test_what_is_a_date(published: str, age: str) -> None:
    assert staleness(batch(record(published)))["meta.age"].to_pylist() == [age]


def test_without_settings_only_notices_drop() -> None:
    assert drops(record("1999-01-01"), record(text="This page is obsolete.")) == [None, TOLD]


def test_an_earlier_reason_and_the_rest_stay() -> None:
    given = batch(record("1999-01-01"), drops=["before"])
    table = staleness(given, older_than="1d")
    assert table.select(given.column_names) == given
    assert staleness(batch(), older_than="1d").num_rows == 0


@pytest.mark.parametrize(
    "wrong", [{"older_than": "old"}, {"older_than": "0d"}, {"before": "31.1.2024"}, {"sources": {"a": "-1d"}}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        drops(record(), **wrong)


def test_the_door_knows_its_settings() -> None:
    step = door.load("curate", "staleness", {"older_than": "1d", "sources": {"x": "1h"}})
    assert step(batch(record("1999-01-01")))["drop"].to_pylist() == [OLD]
