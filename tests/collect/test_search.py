"""From a gap to the pages that answer it, through every search engine, on one machine."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Drop, Exchange, Gap, Paid, Record, Verdict
from openflywheel.base.settings import Budget, Costs, Task
from openflywheel.collect._fake.server import Running, running
from openflywheel.collect._providers import orders
from openflywheel.collect._web.web import Web
from openflywheel.collect.search import check, discover, search

BATTERY = Gap(
    topic="battery disposal",
    why="shoppers ask where old batteries go, and we fail",
    task="answer",
    queries=("How do I dispose of an old battery?", "battery in household waste"),
    evidence=("e1",),
)
ASKED = Exchange(
    id="e1",
    episode="s",
    task="answer",
    input="where do used batteries go, mail me at a@b.example",
    output="",
    variant="m",
)


class Objects:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.kept[digest] = content
        return digest


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(orders, "PAUSE", 0.01)
    with running() as far:
        yield far


@pytest.fixture
def handed(web: Web, tmp_path: Path) -> dict[str, Any]:
    """What the wheel hands in."""
    return {
        "web": web,
        "objects": Objects(),
        "workspace": tmp_path,
        "state": {},
        "encoder": NgramEncoder(),
        "known": lambda: [],
        "exchanges": lambda ids: {ASKED.id: ASKED} if ASKED.id in ids else {},
        "detect": lambda text: (text.replace("a@b.example", "<email>"), ()),
        "subject": lambda person: f"key of {person}",
        "tasks": {"answer": Task(kind="text", costs=Costs(error=2.0))},
        "budget": Budget(dollars=1.0),
    }


@pytest.fixture
def ask(far: Running, handed: dict[str, Any]) -> Any:
    """Search for the gap about batteries; a list of all that came."""

    def asked(provider: str, gap: Gap = BATTERY, **given: Any) -> list[Record | Drop | Paid]:
        own = {
            "searxng": {},
            "brave": {"key": "bs-test"},
            "brightdata": {"key": "bd-test", "zone": "serp_api1"},
        }
        settings = {"url": far.url, **own[provider], **handed, **given}
        return list(partial(search, provider=provider)(gap, **settings))

    return asked


def records(found: list[Record | Drop | Paid]) -> list[Record]:
    return [thing for thing in found if isinstance(thing, Record)]


@pytest.mark.parametrize(("provider", "price"), [("searxng", 0.0), ("brave", 0.005), ("brightdata", 0.0015)])
def test_a_gap_is_searched_for_and_answered(ask: Any, far: Running, provider: str, price: float) -> None:
    found = ask(provider)
    [disposal] = [r for r in records(found) if r.uri.endswith("/pages/battery-disposal")]
    assert "Tape over the poles" in disposal.text
    assert disposal.source == "search"
    assert disposal.meta["title"] == "How to dispose of old batteries"
    assert "creativecommons.org/licenses/by/4.0" in disposal.license or disposal.license.lower().startswith(
        "cc-by"
    )
    assert disposal.parts[0].digest
    paid = [thing.dollars for thing in found if isinstance(thing, Paid)]
    assert set(paid) <= {price}
    assert sum(paid) == pytest.approx(far.desk.dollars)
    assert bool(paid) is bool(price)


def test_what_a_site_refuses_is_dropped_and_said(ask: Any, far: Running) -> None:
    found = ask("brave", results=20)
    dropped = {thing.reason for thing in found if isinstance(thing, Drop)}
    assert {"refused by robots.txt", "noindex", "tdm-reservation"} <= dropped
    assert not {"private", "draft", "reserved"} & {r.uri.rpartition("/")[2] for r in records(found)}
    assert "GET /pages/private" not in far.paths("/pages")


def test_the_best_results_of_all_queries_are_fetched_once(ask: Any, far: Running) -> None:
    ask("brave", results=3)
    fetched = far.paths("/pages")
    assert len(fetched) == len(set(fetched)) <= 3


def test_titles_and_descriptions_alone_fetch_nothing(ask: Any, far: Running) -> None:
    found = records(ask("brave", fetch=False, results=4))
    assert len(found) == 4
    assert far.paths("/pages") == []
    assert any(r.text.startswith("How to dispose of old batteries\nOld batteries") for r in found)


def test_nothing_personal_is_sent(ask: Any, far: Running) -> None:
    ask("searxng", queries=5)
    sent = " ".join(a.query for a in far.desk.asked if a.path == "/search")
    assert "batter" in sent
    assert "b.example" not in sent
    assert "email" not in sent


def test_a_text_that_a_guard_forbids_is_not_searched_for(ask: Any, far: Running) -> None:
    no = Verdict(check="guard.secrets", about="x", passed="no")
    gap = Gap(topic="battery", why="x", evidence=("e1",))
    ask("searxng", gap, detect=lambda text: (text, (no,) if "mail me" in text else ()), queries=5)
    sent = [a.query for a in far.desk.asked if a.path == "/search"]
    assert sent
    assert not any("used" in query for query in sent)


def test_the_budget_ends_the_asking(ask: Any, far: Running) -> None:
    found = ask("brave", budget=Budget(dollars=0.006), queries=3)
    assert Drop("over budget.dollars of this turn") in found
    assert far.paths("/res") == ["GET /res/v1/web/search"]
    assert records(found)  # what the first query found is taken


def test_without_a_budget_nothing_is_asked(ask: Any, far: Running) -> None:
    assert ask("brightdata", budget=Budget()) == [Drop("over budget.dollars of this turn")]
    assert far.paths() == []


def test_another_price_is_the_one_that_counts(ask: Any) -> None:
    found = ask("searxng", price=0.01, queries=1)
    assert [t for t in found if isinstance(t, Paid)] == [Paid(0.01, "searxng")]


def test_a_query_that_is_answered_later_is_paid_once(ask: Any, far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 10, "late": 0})
    first = ask("brightdata", wait=0.001, queries=1)
    assert first == [Drop("snapshot not ready")]
    handed["state"] = {}  # killed before the commit: the book knows
    far.desk.script = type(far.desk.script)(looks=0, late=0)
    for job in far.desk.memory["jobs"].values():
        job.looks = job.late = 0
    second = ask("brightdata", wait=5.0, queries=1)
    assert records(second)
    assert [t for t in second if isinstance(t, Paid)] == [Paid(0.0015, "brightdata")]
    assert far.paths("/unblocker/req") == ["POST /unblocker/req"]


def test_queries_that_are_not_answered_yet_count_against_the_budget(ask: Any, far: Running) -> None:
    far.script({"looks": 1_000})
    for number in range(3):
        gap = Gap(topic=f"topic {number}", why="w", task="answer", queries=(f"question {number}",))
        ask("brightdata", gap, wait=0.001, queries=1, budget=Budget(dollars=0.003))
    assert len(far.paths("/unblocker/req")) == 2
    found = ask("brave", budget=Budget(dollars=0.006), queries=1)  # another use, with what is left
    assert found == [Drop("over budget.dollars of this turn")]


def test_two_uses_do_not_take_each_others_answers(ask: Any, far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 10})
    ask("brightdata", wait=0.001, queries=1)
    other = handed | {"state": {}, "zone": "serp_api2", "budget": Budget()}
    assert ask("brightdata", wait=0.001, queries=1, **other) == [Drop("over budget.dollars of this turn")]
    assert other["state"]["open"] == []


def test_a_missing_setting_is_named(ask: Any) -> None:
    with pytest.raises(SettingsError, match="brave needs the setting 'key'"):
        ask("brave", key="")
    with pytest.raises(SettingsError, match="searxng needs the setting 'url'"):
        ask("searxng", url="")
    with pytest.raises(SettingsError, match="brightdata needs the setting 'zone'"):
        ask("brightdata", zone="")


def test_an_engine_that_fails_fails_the_source(ask: Any, far: Running) -> None:
    far.script({"keys": ["right"]})
    with pytest.raises(SourceFailed, match="brightdata does not know our key"):
        ask("brightdata")


def test_a_page_that_fails_costs_that_page(ask: Any, far: Running) -> None:
    far.script({"rules": [{"path": "/pages/headphones", "status": 404}]})
    found = ask("brave", results=20)
    assert Drop("HTTP 404") in found
    assert records(found)


def test_check_and_plan_cost_nothing_at_searxng(far: Running, handed: dict[str, Any]) -> None:
    settings = {"provider": "searxng", "url": far.url}
    plugin = door.load("collect", "search", settings | {"basis": "no_personal_data", "queries": 2}, handed)
    door.beside(plugin, "check")()  # type: ignore[misc]
    asked = len(far.paths())
    streams = list(door.beside(plugin, "discover")(BATTERY))  # type: ignore[misc]
    assert len(streams) == 2
    assert {s.dollars for s in streams} == {0.0}
    assert len(far.paths()) == asked


def test_the_plan_tells_the_price(handed: dict[str, Any]) -> None:
    plan = partial(discover, queries=3, results=10, exchanges=handed["exchanges"], detect=handed["detect"])
    assert sum(s.dollars for s in plan(BATTERY, provider="brave", price=None)) == pytest.approx(0.015)
    assert sum(s.dollars for s in plan(BATTERY, provider="brave", price=0.1)) == pytest.approx(0.3)


def test_a_wrong_key_is_found_by_check(far: Running, web: Web) -> None:
    far.script({"keys": ["right"]})
    with pytest.raises(SourceFailed, match="does not know our key"):
        check(provider="brightdata", url=far.url, key="wrong", zone="z", engines=(), price=None, web=web)
