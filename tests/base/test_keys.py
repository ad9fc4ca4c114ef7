"""An API key's limits, scopes and periods as they are written and read."""

import time
from calendar import timegm

import msgspec
import pytest

from openflywheel.base.errors import FlywheelError, SettingsError
from openflywheel.base.keys import (
    SCOPES,
    Budget,
    Key,
    OverBudget,
    Rate,
    TooManyRequests,
    budget_of,
    period,
    period_ends,
    rate_of,
    scopes_of,
)

KEY = Key(id="a1", name="app", hash="00", scopes=("infer",), created=100.0)


def at(text: str) -> float:
    """Unix seconds of a moment in UTC."""
    return timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/s", Rate(5, 1, 5)),
        ("100/m", Rate(100, 60, 100)),
        ("1000/h", Rate(1000, 3600, 1000)),
        (" 1/d ", Rate(1, 86400, 1)),
        ("100/m burst 10", Rate(100, 60, 10)),
        ("100/m burst 100", Rate(100, 60, 100)),
    ],
)
def test_a_rate_is_read(text, rate):
    assert rate_of(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100",
        "100/min",
        "0/s",
        "-1/s",
        "1.5/s",
        "/m",
        "5/s burst 0",
        "5/s burst 6",
        "5/s 2",
        "9999999999/s",
    ],
)
def test_what_is_no_rate_is_refused_with_examples(text):
    with pytest.raises(SettingsError, match="is not a rate; write 5/s, 100/m, 1000/h or 20/d"):
        rate_of(text)


def test_the_fastest_rate_still_has_a_time_between_requests():
    assert rate_of("999999999/s").interval == 1
    assert rate_of("1/d").interval == 86400 * 10**9


@pytest.mark.parametrize(("text", "budget"), [("5/d", Budget(5.0, "d")), (" 99.50/m ", Budget(99.5, "m"))])
def test_a_budget_is_read(text, budget):
    assert budget_of(text) == budget


@pytest.mark.parametrize("text", ["", "5", ".5/d", "5/h", "0/d", "0.00/m", "-5/d", "1e3/d", "nan/d", "inf/d"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(SettingsError, match="is not a budget"):
        budget_of(text)


def test_scopes_stand_in_their_order_and_once():
    assert scopes_of(["signal", "infer", "signal"]) == ("infer", "signal")
    assert scopes_of(["admin", "operate"]) == ("operate", "admin")
    assert scopes_of(["operate", "infer"]) == ("infer", "operate")


def test_a_key_without_a_scope_is_refused():
    with pytest.raises(SettingsError, match=f"needs a scope; choices: {', '.join(SCOPES)}"):
        scopes_of([])


def test_an_unknown_scope_is_answered_with_the_nearest():
    with pytest.raises(SettingsError, match="there is no scope 'infre'; did you mean 'infer'?"):
        scopes_of(["infer", "infre"])


@pytest.mark.parametrize("client", [["infer"], ["signal"], ["infer", "signal", "operate"]])
def test_a_clients_key_never_holds_admin(client):
    with pytest.raises(SettingsError, match="a key with admin cannot hold .*create two keys"):
        scopes_of([*client, "admin"])


def test_a_key_is_valid_until_it_expires_or_is_revoked():
    assert KEY.valid(1e12)
    ends = msgspec.structs.replace(KEY, expires=200.0)
    assert [ends.valid(moment) for moment in (100.0, 199.9, 200.0)] == [True, True, False]


def test_a_revoked_key_stays_revoked_when_the_clock_goes_back():
    assert not msgspec.structs.replace(KEY, revoked=200.0).valid(100.0)


def test_each_person_under_a_key_has_an_account_and_so_has_nobody():
    assert len({KEY.account(), KEY.account(""), KEY.account("ann"), KEY.account("bob")}) == 4
    assert msgspec.structs.replace(KEY, id="a2").account("ann") != KEY.account("ann")


@pytest.mark.parametrize(
    ("moment", "day", "month", "day_ends", "month_ends"),
    [
        ("2026-11-21 13:00:00", "2026-11-21", "2026-11", "2026-11-22 00:00:00", "2026-12-01 00:00:00"),
        ("2026-12-31 23:59:59", "2026-12-31", "2026-12", "2027-01-01 00:00:00", "2027-01-01 00:00:00"),
        ("2028-02-29 00:00:00", "2028-02-29", "2028-02", "2028-03-01 00:00:00", "2028-03-01 00:00:00"),
    ],
)
def test_days_and_months_are_those_of_utc(moment, day, month, day_ends, month_ends, monkeypatch):
    expected = (day, month, at(day_ends), at(month_ends))
    now = at(moment)
    monkeypatch.setenv("TZ", "Pacific/Auckland")  # 13 hours ahead
    time.tzset()
    try:
        assert (period(now, "d"), period(now, "m"), period_ends(now, "d"), period_ends(now, "m")) == expected
        assert period(expected[2] - 0.001, "d") == day
        assert period(expected[2], "d") != day
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_refusal_says_when_to_come_back():
    assert TooManyRequests("slower", 1.5).retry_after == 1.5
    assert OverBudget("spent", 99.0).ends == 99.0
    assert issubclass(TooManyRequests, FlywheelError)
