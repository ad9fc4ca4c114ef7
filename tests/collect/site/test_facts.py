import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments.dates import iso_date
from openflywheel.collect._site.license import license_of


@pytest.mark.parametrize(
    ("said", "iso"),
    [
        ("2024-03-05", "2024-03-05"),
        ("2024-03-05T10:00:00Z", "2024-03-05T10:00:00+00:00"),
        ("20240305", "2024-03-05"),
        ("2024-03-05 10:00", "2024-03-05T10:00:00"),
        ("Tue, 05 Mar 2024 10:00:00 +0100", "2024-03-05T10:00:00+01:00"),
        (" 2024-03-05\n", "2024-03-05"),
        ("05/03/2024", ""),
        ("soon", ""),
        ("", ""),
        ("2024-13-01", ""),
        ("Tue, 99 Mar 2024 10:00:00 +0100", ""),
    ],
)
def test_dates(said: str, iso: str) -> None:
    assert iso_date(said) == iso


@given(st.text(max_size=40))
def test_no_text_makes_the_reader_of_dates_fail(said: str) -> None:
    found = iso_date(said)
    assert found == "" or iso_date(found) == found


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nc-sa/3.0/deed.de", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("Licensed under CC BY-NC-ND 4.0 unless noted", "CC-BY-NC-ND-4.0"),
        ("cc-by-sa-2.5", "CC-BY-SA-2.5"),
        ("CC0", "CC0-1.0"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("https://spdx.org/licenses/Apache-2.0.html", "Apache-2.0"),
        ("https://h/terms", "https://h/terms"),
        ("All rights reserved", ""),
        ("", ""),
        ("javascript:x", ""),
        ("accbyte 4.0", ""),
    ],
)
def test_licenses_have_one_name(said: str, name: str) -> None:
    assert license_of(said) == name
