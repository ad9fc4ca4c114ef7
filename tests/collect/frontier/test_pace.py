import time

from openflywheel.collect._frontier.pace import AHEAD, Pace


def test_ones_own_host_takes_as_many_as_there_are():
    pace = Pace(lambda name: True, 9.0)
    assert pace.room(1, "me") == AHEAD
    pace.asks(1)
    assert (pace.room(1, "me"), pace.resting, pace.wait) == (AHEAD, 0, None)


def test_a_stranger_takes_one_and_then_rests():
    pace = Pace(lambda name: False, 0.05)
    assert pace.room(1, "other") == 1
    pace.asks(1)
    time.sleep(0.06)
    assert pace.room(1, "other") == 0  # the first is not over
    assert pace.resting == 1
    pace.answered(1, None)
    assert (pace.room(1, "other"), pace.resting) == (1, 0)


def test_two_requests_are_so_far_apart_as_was_said():
    pace = Pace(lambda name: False, 60.0)
    pace.room(1, "other")
    pace.asks(1)
    pace.answered(1, None)
    assert pace.room(1, "other") == 0
    assert 59 < pace.wait <= 60


def test_a_crawl_delay_slows_also_ones_own_host_and_never_hastens():
    pace = Pace(lambda name: name == "me", 60.0)
    for host, name in ((1, "me"), (2, "other")):
        pace.room(host, name)
        pace.asks(host)
        pace.answered(host, 30.0)
    assert pace.room(1, "me") == 0
    assert 29 < pace.wait <= 30
    pace._next.pop(1)
    assert 59 < pace.wait <= 60
