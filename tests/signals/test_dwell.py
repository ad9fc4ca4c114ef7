import pytest

from openflywheel.signals import Episode
from openflywheel.signals.dwell import READING, dwell

TEXT = "word " * 119  # 30 seconds of reading


def heard(first, *rest, **settings):
    return [s.value for s in dwell(Episode((first, *rest), {}), **settings)]


def test_thirty_seconds_are_read_in_thirty_seconds():
    words = READING * 30
    assert words == pytest.approx(119)


@pytest.mark.parametrize(("seconds", "value"), [(0, -1), (7.5, -0.5), (15, 0), (30, 1), (900, 1)])
def test_dwelling_is_held_against_the_time_that_reading_takes(asked, seconds, value):
    assert heard(asked(output=TEXT, at=0), asked(at=seconds)) == [pytest.approx(value)]


def test_a_long_pause_a_short_answer_or_the_end_say_nothing(asked):
    assert heard(asked(output=TEXT, at=0), asked(at=1801)) == []
    assert heard(asked(output=TEXT, at=0), asked(at=1801), within=1900) == [1.0]
    assert heard(asked(output="word " * 19, at=0), asked(at=1)) == []
    assert len(heard(asked(output="word " * 19, at=0), asked(at=1), words=19)) == 1
    assert heard(asked(output=TEXT, at=0)) == []
    assert heard(asked(output="", at=0), asked(at=1), words=1) == []
