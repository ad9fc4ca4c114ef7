import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from openflywheel.collect._rows.cursor import later, packed, unpacked

VALUES = [
    3,
    1.5,
    "x",
    date(2026, 1, 2),
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    Decimal("1.50"),
    UUID(int=7),
]


@pytest.mark.parametrize("value", VALUES)
def test_values_come_back_as_they_were(value):
    back = unpacked(json.loads(json.dumps(packed(value))))
    assert (back, type(back)) == (value, type(value))


def test_the_later_of_two():
    assert later(None, 1) == 1
    assert later(2, None) == 2
    assert later(None, None) is None
    assert later(9, 10) == 10
    assert later("2026-01-02", "2026-01-10") == "2026-01-10"
    assert later("9", 10) == "9"
