"""All far sides behind one door: no two want the same path, and a script steers them."""

from collections import Counter

import httpx2
import pytest
from starlette.routing import Route

from openflywheel.base.errors import SettingsError
from openflywheel.collect._fake.app import CONTROL, FarSides, far_sides
from openflywheel.collect._fake.desk import Desk, Rule, Script, parse
from openflywheel.collect._fake.server import Running


def test_every_file_with_routes_is_served_and_none_takes_anothers_path() -> None:
    routes = [r for r in far_sides(Desk()) if isinstance(r, Route)]
    paths = Counter((r.path, m) for r in routes for m in (r.methods or {"GET"}) if m != "HEAD")
    assert [path for path, n in paths.items() if n > 1] == []
    there = {r.path for r in routes}
    assert {"/pages/{slug}", "/search", "/res/v1/web/search", "/request", "/datasets/v3/trigger"} <= there
    assert not [path for path in there if path.startswith(("/v1/", "/fake/"))]  # the models have these


def test_a_rule_fails_its_requests_alone(far: Running, http: httpx2.Client) -> None:
    far.script(
        {
            "rules": [
                {"path": "/datasets", "times": 1, "status": 429, "message": "slow down", "retry_after": 7}
            ]
        }
    )
    assert http.get("/pages/kettle").status_code == 200
    refused = http.get("/datasets/list")
    assert (refused.status_code, refused.text, refused.headers["retry-after"]) == (429, "slow down", "7")
    assert http.get("/datasets/list").status_code == 200


def test_the_nth_request_and_a_delay(far: Running, http: httpx2.Client) -> None:
    far.script({"rules": [{"path": "/pages/", "nth": 2, "status": 500, "latency": 0.001}]})
    assert [http.get("/pages/kettle").status_code for _ in range(3)] == [200, 500, 200]


def test_what_was_asked_is_told_without_secrets(far: Running, http: httpx2.Client) -> None:
    http.post("/discover", json={"query": "battery"})
    [asked] = http.get(f"{CONTROL}requests").json()
    assert (asked["method"], asked["path"]) == ("POST", "/discover")
    assert asked["body"] == '{"query":"battery"}'
    assert asked["headers"]["authorization"] == "***"
    assert "bd-test" not in str(asked)
    assert http.delete(f"{CONTROL}requests").status_code == 204
    assert http.get(f"{CONTROL}requests").json() == []


def test_the_bill_counts_what_was_sold(http: httpx2.Client) -> None:
    http.post("/discover", json={"query": "battery", "num_results": 2})
    assert http.get(f"{CONTROL}bill").json() == {"records": 2, "dollars": 0.01}


def test_a_script_may_be_put_and_begins_anew(far: Running, http: httpx2.Client) -> None:
    http.post("/discover", json={"query": "battery"})
    assert http.put(f"{CONTROL}script", json={"looks": 0}).json()["looks"] == 0
    assert far.desk.script == Script(looks=0)
    assert far.desk.dollars == 0
    assert far.paths() == []


@pytest.mark.parametrize(
    "told", [{"lookz": 1}, {"looks": -1}, {"rules": [{"status": 99}]}, {"ends": "never"}]
)
def test_a_script_that_cannot_be_used_is_refused_with_its_fields(
    http: httpx2.Client, told: dict[str, object]
) -> None:
    answer = http.put(f"{CONTROL}script", json=told)
    assert answer.status_code == 400
    assert "the sources' script cannot be used" in answer.json()["error"]
    assert "per_second" in answer.json()["error"]
    with pytest.raises(SettingsError):
        parse(told)
    with pytest.raises(SettingsError):
        parse(b"{")


def test_rules_are_tried_in_order() -> None:
    desk = Desk(Script(rules=(Rule(path="/a", times=1, status=401), Rule(path="/", status=402))))
    assert [rule.status for rule in (desk.rule("/a"), desk.rule("/a"), desk.rule("/b")) if rule] == [
        401,
        402,
        402,
    ]
    assert Desk().rule("/a") is None


def test_an_unknown_path_is_not_found(http: httpx2.Client) -> None:
    assert http.get("/nowhere").status_code == 404
    assert FarSides(Desk()).desk.script == Script()
