import pytest

from openflywheel.base.nouns import Reading
from openflywheel.base.validity import PREFIX, validities, weight, weights


def reading(kind, value, low, high):
    return Reading(name=PREFIX + kind, value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (0.4, 0.1, 0.6, 0.4),
        (-0.4, -0.6, -0.1, -0.4),
        (0.4, -0.01, 0.7, 0.0),
        (0.4, 0.0, 0.7, 0.0),
        (0.0, -1.0, 1.0, 0.0),
        (0.4, None, None, 0.0),
    ],
)
def test_a_signal_weighs_its_correlation_while_that_is_not_zero(value, low, high, expected):
    assert weight(reading("rephrase", value, low, high)) == expected


def test_the_newest_reading_of_a_kind_counts_and_other_readings_do_not():
    old, new = reading("rephrase", 0.4, 0.1, 0.6), reading("rephrase", 0.2, -0.1, 0.5)
    other, sure = Reading(name="turn_seconds", value=3.0), reading("dwell", 0.3, 0.2, 0.4)
    assert validities([old, other, sure, new]) == {"rephrase": new, "dwell": sure}
    assert weights([old, other, sure, new]) == {"dwell": 0.3}
