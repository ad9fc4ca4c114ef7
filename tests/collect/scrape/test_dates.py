import pytest

from openflywheel.collect._scrape.dates import iso


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2024-03-05", "2024-03-05"),
        ("2024-03-05T10:00:00Z", "2024-03-05T10:00:00+00:00"),
        ("Posted 2024-03-05 10:00 +0100", "2024-03-05T10:00:00+01:00"),
        ("20240305", "2024-03-05"),
        ("March 5, 2024", "2024-03-05"),
        ("on the 5th of March 2024", "2024-03-05"),
        ("Sept. 5, 2024", "2024-09-05"),
        ("05.03.2024", "2024-03-05"),
        ("2024/03/05", "2024-03-05"),
        ("25/12/2024", "2024-12-25"),
        ("12/25/2024", "2024-12-25"),
        ("04/04/2024", "2024-04-04"),
        ("Tue, 05 Mar 2024 10:00:00 GMT", "2024-03-05T10:00:00+00:00"),
    ],
)
def test_dates_are_iso_8601(said, expected):
    assert iso(said) == expected


@pytest.mark.parametrize(
    "said", ["", "03/05/2024", "31.02.2024", "yesterday", "2024-13-05", "5.3.24", "12:30"]
)
def test_what_is_no_date_or_either_of_two_is_none(said):
    assert iso(said) == ""


def test_a_form_is_the_only_one_that_is_read():
    assert iso("05/03/2024", "%d/%m/%Y") == "2024-03-05"
    assert iso("05/03/2024 14:30", "%m/%d/%Y %H:%M") == "2024-05-03T14:30:00"
    assert iso("2024-03-05", "%d/%m/%Y") == ""
