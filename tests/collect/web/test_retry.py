"""Which replies are worth another try, and when."""

import pytest

from openflywheel.collect._web import retry
from openflywheel.collect._web.retry import again, retry_after, waits

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT


def test_waits_double_and_stay_under_their_bound(monkeypatch):
    monkeypatch.setattr(retry, "FIRST", 1.0)
    for _ in range(50):
        first, second, third = waits()
        assert 0.5 <= first <= 1.0 <= second <= 2.0 <= third <= 4.0


def test_waits_differ_from_fetch_to_fetch():
    assert len({tuple(waits()) for _ in range(20)}) > 10


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_failures_that_pass_are_asked_again(status):
    assert again(status, repeatable=True)


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 403, 404, 410, 501])
def test_all_else_is_an_answer(status):
    assert not again(status, repeatable=True)


def test_a_post_is_repeated_only_when_the_server_has_done_nothing():
    assert [status for status in sorted(retry.STATUSES) if again(status, repeatable=False)] == [429, 503]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sunday, 06-Nov-94 08:49:47 GMT", 10.0),
        ("Sun, 06 Nov 1994 08:49:27 GMT", 0.0),
        ("9" * 5_000, 999_999_999.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(said, seconds):
    assert retry_after(said, NOW) == seconds


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "٣", "Sun, 99 Nov 1994 08:49:37 GMT", "1e9"])
def test_what_cannot_be_read_asks_for_no_wait(said):
    assert retry_after(said, NOW) == 0.0
