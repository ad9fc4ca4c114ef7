"""Days of texts: what sources write as dates, and what they write in their place."""

import numpy as np
import pyarrow as pa
import pytest

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._enrich.dates import fetched, published


def batch(metas: list[dict[str, str]], at: float = 0.0) -> pa.Table:
    records = [Record(text=str(n), source="t", meta=meta, at=at) for n, meta in enumerate(metas)]
    table = pa.Table.from_batches([to_batch(records, Record)])
    return table.append_column("drop", pa.nulls(len(metas), pa.string()))


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2024-02-29", "2024-02-29"),
        (" 2024-02-29T23:59:59+02:00", "2024-02-29"),
        ("2024-02", "2024-02-01"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("2024", None),
        ("2024-13-01", None),
        ("2024-00-01", None),
        ("2024-01-32", None),
        ("2024-01-00", None),
        ("2024-01-011", None),
        ("24-01-01", None),
        ("yesterday", None),
        ("", None),
        ("٢٠٢٠-٠١-٠١", None),  # noqa: RUF001
    ],
)
def test_a_day_is_read_or_is_none(said: str, day: str | None) -> None:
    [found] = published(batch([{"published": said}]))
    assert np.isnat(found) if day is None else found == np.datetime64(day)


def test_modified_goes_before_published_where_it_is_a_day() -> None:
    found = published(
        batch(
            [
                {"published": "2020-01-01", "modified": "2021-01-01"},
                {"published": "2020-01-01", "modified": "never"},
                {"modified": "2021-01-01"},
                {},
            ]
        )
    )
    assert found[:3].astype(str).tolist() == ["2021-01-01", "2020-01-01", "2021-01-01"]
    assert np.isnat(found[3])


def test_a_day_that_its_month_lacks_runs_over() -> None:
    assert published(batch([{"published": "2023-02-31"}])).astype(str).tolist() == ["2023-03-03"]


@pytest.mark.parametrize(("at", "day"), [(0.0, "1970-01-01"), (86_399.9, "1970-01-01"), (-1.0, "1969-12-31")])
def test_the_day_of_fetching_is_that_of_at_in_utc(at: float, day: str) -> None:
    assert fetched(batch([{}], at)).astype(str).tolist() == [day]


def test_no_rows_have_no_days() -> None:
    empty = batch([{}]).slice(0, 0)
    assert published(empty).shape == fetched(empty).shape == (0,)
