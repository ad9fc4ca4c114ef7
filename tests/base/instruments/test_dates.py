"""Dates of pages and feeds in one form."""

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments.dates import iso_date

WHEN = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(WHEN)
def test_an_iso_moment_is_itself(when):
    assert iso_date(when.isoformat()) == when.isoformat()
    assert iso_date(f"  {when.isoformat(' ')}\n") == when.isoformat()


@given(st.dates(date(1000, 1, 1)))  # strftime writes earlier years short
def test_a_day_stays_a_day(day: date):
    assert iso_date(day.isoformat()) == iso_date(day.strftime("%G-W%V-%u")) == day.isoformat()


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)), ZONES)
def test_an_rfc_5322_date_keeps_its_zone(when, zone):
    said = when.replace(microsecond=0, tzinfo=zone)
    found = datetime.fromisoformat(iso_date(format_datetime(said)))
    assert (found, found.utcoffset()) == (said, said.utcoffset())


@pytest.mark.parametrize(
    ("said", "iso"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37+00:00"),
        ("6 Nov 1994 08:49 EST", "1994-11-06T08:49:00-05:00"),
        ("Sun, 06 Nov 1994 08:49:37 -0000", "1994-11-06T08:49:37"),
        ("2024-02-29T23:59:59.5+05:30", "2024-02-29T23:59:59.500000+05:30"),
    ],
)
def test_the_forms_that_servers_and_feeds_use(said, iso):
    assert iso_date(said) == iso


@pytest.mark.parametrize(
    "said",
    ["", " ", "yesterday", "2023-02-29", "2024-13-01", "2024-1-5T", "31 Feb 2024 10:00 GMT", "0000-01-01",
     "99999-01-01", "1 Jan 2024 25:00:00 GMT", "1 Jan 2024 10:00 +9999", "12:30", "null"],
)  # fmt: skip
def test_what_is_no_date_is_none(said):
    assert iso_date(said) == ""


PIECES = [
    "Wed,",
    "3",
    "Apr",
    "2002",
    "12:34",
    "1.2.3",
    "+0800",
    "-",
    ":",
    ",",
    "T",
    "Z",
    "24",
    "٣",
    "²",
    "9" * 30,
]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["", " "]))
def test_almost_dates_are_read_or_refused_but_never_fail(pieces, between):
    found = iso_date(between.join(pieces))
    assert found == "" or iso_date(found) == found


def test_the_present_is_read_as_written():
    now = datetime.now(UTC)
    assert datetime.fromisoformat(iso_date(now.isoformat())) == now
