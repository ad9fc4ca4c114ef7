"""Pages ranked by what they are for: ordered once, paid once, taken when they are ready."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Drop, Exchange, Gap, Paid, Record
from openflywheel.base.settings import Budget
from openflywheel.collect._fake.server import Running, running
from openflywheel.collect._providers import orders
from openflywheel.collect._web.web import Web
from openflywheel.collect.discover import check, discover, discover_

GAP = Gap(
    topic="battery disposal",
    why="shoppers ask where old batteries go, and we fail",
    task="answer",
    queries=("How do I dispose of an old battery?",),
    evidence=("e1",),
)
ASKED = Exchange(
    id="e1",
    episode="s",
    task="answer",
    input="my name is Ada, can a battery go into the bin?",
    output="",
    variant="m",
)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(orders, "PAUSE", 0.01)
    with running() as far:
        yield far


@pytest.fixture
def handed(web: Web, tmp_path: Path, far: Running) -> dict[str, Any]:
    class Objects:
        def put(self, content: bytes) -> str:
            return "d" * 64

    return {
        "key": "bd-test",
        "url": far.url,
        "web": web,
        "objects": Objects(),
        "workspace": tmp_path,
        "state": {},
        "encoder": NgramEncoder(),
        "known": lambda: [],
        "exchanges": lambda ids: {ASKED.id: ASKED} if ASKED.id in ids else {},
        "detect": lambda text: (text, ()),
        "subject": lambda person: f"key of {person}",
        "tasks": {},
        "budget": Budget(dollars=1.0),
    }


def test_the_content_comes_with_the_results(far: Running, handed: dict[str, Any]) -> None:
    found = list(discover(GAP, results=4, **handed))
    assert found[0] == Paid(0.02, "brightdata")
    assert far.desk.dollars == pytest.approx(0.02)
    assert isinstance(found[1], Record)
    assert found[1].uri == f"{far.url}/pages/battery-disposal"
    assert found[1].text.startswith("# How to dispose of old batteries")
    assert found[1].source == "discover"
    assert far.paths("/pages") == []


def test_the_gap_in_words_is_the_intent_and_nobody_is_named(far: Running, handed: dict[str, Any]) -> None:
    list(discover(GAP, **handed))
    body = msgspec.json.decode(far.desk.asked[0].body)
    assert "battery disposal" in body["intent"]
    assert "shoppers ask where old batteries go" in body["intent"]
    assert "can a battery go into the bin?" in body["intent"]
    assert "Ada" not in far.desk.asked[0].body
    assert body["query"]
    assert len(body["intent"]) <= 2_000


def test_without_content_the_pages_are_fetched_under_their_rules(
    far: Running, handed: dict[str, Any]
) -> None:
    found = list(discover(GAP, content=False, **handed))
    assert {"refused by robots.txt", "noindex"} <= {t.reason for t in found if isinstance(t, Drop)}
    assert any("Tape over the poles" in t.text for t in found if isinstance(t, Record))


def test_a_task_that_is_slow_is_taken_the_next_time_and_paid_once(
    far: Running, handed: dict[str, Any]
) -> None:
    far.script({"looks": 1})
    assert list(discover(GAP, wait=0.0, **handed)) == [Drop("snapshot not ready")]
    assert handed["state"]["open"][0]["id"].startswith("t_")
    found = list(discover(GAP, wait=0.0, **handed))
    assert isinstance(found[0], Paid)
    assert far.paths("/discover").count("POST /discover") == 1


def test_a_restart_in_the_middle_does_not_order_again(far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 1})
    list(discover(GAP, wait=0.0, **handed))
    found = list(discover(GAP, wait=0.0, **(handed | {"state": {}})))
    assert any(isinstance(t, Record) for t in found)
    assert far.paths("/discover").count("POST /discover") == 1


def test_a_later_gap_takes_what_an_earlier_one_ordered(far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 1})
    list(discover(GAP, wait=0.0, **handed))
    other = Gap(topic="returns", why="refunds are unclear", task="answer")
    found = list(discover(other, wait=0.0, **handed))
    assert any("batteries" in t.text for t in found if isinstance(t, Record))
    assert far.paths("/discover").count("POST /discover") == 2


def test_what_is_over_the_budget_is_not_ordered(far: Running, handed: dict[str, Any]) -> None:
    found = list(discover(GAP, results=20, **(handed | {"budget": Budget(dollars=0.05)})))
    assert found == [Drop("over budget.dollars of this turn")]
    assert far.paths("/discover") == []


def poor(handed: dict[str, Any]) -> Iterator[Any]:
    """Three gaps in one passage with ten cents, as the room shows them: what is paid shrinks the budget."""
    left = 0.1
    for number in range(3):
        gap = Gap(topic=f"topic {number}", why="w", task="answer", queries=(f"question {number}",))
        for thing in discover(gap, results=20, wait=0.0, **(handed | {"budget": Budget(dollars=left)})):
            left -= thing.dollars if isinstance(thing, Paid) else 0.0
            yield thing


def test_orders_that_are_not_ready_count_against_the_budget(far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 1_000})
    found = list(poor(handed))
    assert far.paths("/discover").count("POST /discover") == 1
    assert found.count(Drop("over budget.dollars of this turn")) == 2
    assert not any(isinstance(thing, Paid) for thing in found)


def test_what_is_taken_later_is_paid_once_and_frees_the_next_turn(
    far: Running, handed: dict[str, Any]
) -> None:
    far.script({"looks": 4})
    list(poor(handed))
    later = list(poor(handed))  # the next turn: ten cents again, which the open order takes
    assert len([t for t in later if isinstance(t, Paid)]) == 1
    assert far.paths("/discover").count("POST /discover") == 1
    list(poor(handed))
    assert far.paths("/discover").count("POST /discover") == 2


def test_two_uses_do_not_take_each_others_orders_and_share_the_dollars(
    far: Running, handed: dict[str, Any]
) -> None:
    far.script({"looks": 1})
    list(discover(GAP, wait=0.0, **handed))
    other = handed | {"state": {}, "country": "de", "budget": Budget(dollars=0.15)}
    assert list(discover(GAP, wait=0.0, **other)) == [Drop("over budget.dollars of this turn")]
    assert other["state"]["open"] == []


def test_a_failed_task_is_dropped_and_not_paid(far: Running, handed: dict[str, Any]) -> None:
    far.script({"ends": "failed", "looks": 0})
    assert list(discover(GAP, **handed)) == [Drop("order failed at the provider")]
    assert handed["state"]["open"] == []


def test_an_outage_while_waiting_keeps_the_order(far: Running, handed: dict[str, Any]) -> None:
    far.script({"rules": [{"path": "/discover", "nth": 2, "status": 501}]})
    assert list(discover(GAP, **handed)) == [Drop("snapshot not reachable")]
    assert any(isinstance(t, Record) for t in discover(GAP, **handed))
    assert far.paths("/discover").count("POST /discover") == 1


def test_the_plan_sends_nothing(far: Running, handed: dict[str, Any]) -> None:
    [stream] = discover_(GAP, results=20, price=0.005, exchanges=handed["exchanges"], detect=handed["detect"])
    assert stream.items == 20
    assert stream.dollars == pytest.approx(0.1)
    assert "battery disposal" in stream.note
    assert far.paths() == []


def test_the_key_is_checked(far: Running, handed: dict[str, Any]) -> None:
    check(key="bd-test", url=far.url, web=handed["web"])
    far.script({"keys": ["right"]})
    with pytest.raises(SourceFailed, match="does not know our key"):
        check(key="bd-test", url=far.url, web=handed["web"])
    with pytest.raises(SettingsError, match="needs the setting 'key'"):
        list(discover(GAP, **(handed | {"key": ""})))
