"""Ready datasets and fresh collections: what it costs before, one purchase, and what came of it."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Paid, Record
from openflywheel.base.settings import Budget
from openflywheel.collect._fake.server import Running, running
from openflywheel.collect._providers import orders
from openflywheel.collect._providers.brightdata.scrape import CRAWL
from openflywheel.collect._providers.rows import rows
from openflywheel.collect._web.web import Web
from openflywheel.collect.marketplace import check, discover, marketplace

GAP = Gap(topic="product complaints", why="cold start", task="mood")
LOW = {"name": "rating", "operator": "<", "value": 3}
REVIEWS = {"dataset": "gd_fake_reviews", "text": "review_text", "label": "rating", "person": "author_name"}
NEWS = {"dataset": "gd_fake_news", "text": ("headline", "content"), "published": "publication_date"}


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(orders, "PAUSE", 0.01)
    with running({"errors": 3}) as far:
        yield far


@pytest.fixture
def handed(web: Web, tmp_path: Path, far: Running) -> dict[str, Any]:
    return {
        "key": "bd-test",
        "url": far.url,
        "web": web,
        "workspace": tmp_path,
        "state": {},
        "subject": lambda person: f"key of {person}",
        "budget": Budget(dollars=1.0),
    }


def records(found: list[Any]) -> list[Record]:
    return [thing for thing in found if isinstance(thing, Record)]


def test_a_filter_is_bought_and_becomes_records(far: Running, handed: dict[str, Any]) -> None:
    found = list(marketplace(GAP, filter=LOW, records=5, **REVIEWS, **handed))
    assert found[0] == Paid(pytest.approx(0.0125), "brightdata")
    first = records(found)[0]
    assert len(records(found)) == 5
    assert first.text == "Fjord electric kettle: It worked for a month, then it needed a repair."
    assert first.labels == {"mood": "2"}
    assert first.labelled_by == "seed"
    assert first.subject == "key of Ada K."
    assert first.uri == "https://shop.example/pages/kettle"
    assert first.meta["product_name"] == "Fjord electric kettle"
    assert "Ada K." not in str(first)[: str(first).index("subject")] + str(first.meta)
    assert far.desk.dollars == pytest.approx(0.0125)


def test_without_a_filter_all_rows_are_bought(handed: dict[str, Any]) -> None:
    found = list(marketplace(GAP, **NEWS, **handed))
    assert len(records(found)) == 4
    assert records(found)[0].meta["published"] == "2026-10-01T06:00:00.000Z"
    assert records(found)[0].text.startswith("How to dispose of old batteries\nOld batteries")


def test_a_dataset_may_be_named(handed: dict[str, Any]) -> None:
    assert records(list(marketplace(GAP, **(NEWS | {"dataset": "Fake shop - news"}), **handed)))


def test_it_is_bought_once(far: Running, handed: dict[str, Any]) -> None:
    list(marketplace(GAP, **NEWS, **handed))
    assert list(marketplace(GAP, **NEWS, **handed)) == []
    assert far.paths("/datasets/filter") == ["POST /datasets/filter"]
    list(
        marketplace(
            GAP, **NEWS, filter={"name": "headline", "operator": "includes", "value": "ship"}, **handed
        )
    )
    assert len(far.paths("/datasets/filter")) == 2


def test_what_is_over_the_budget_is_not_bought(far: Running, handed: dict[str, Any]) -> None:
    poor = handed | {"budget": Budget(dollars=0.1)}
    assert list(marketplace(GAP, **REVIEWS, **poor)) == [Drop("over budget.dollars of this turn")]
    assert far.desk.dollars == 0
    assert len(records(list(marketplace(GAP, records=40, **REVIEWS, **poor)))) == 40


def test_snapshots_that_are_not_ready_count_against_the_budget_of_all_uses(
    far: Running, handed: dict[str, Any]
) -> None:
    far.script({"looks": 2, "late": 0})
    poor = handed | {"budget": Budget(dollars=0.03), "records": 10, "wait": 0.0}
    assert list(marketplace(GAP, **REVIEWS, **poor)) == [Drop("snapshot not ready")]
    other = poor | {"state": {}}
    assert list(marketplace(GAP, **NEWS, **other)) == [Drop("over budget.dollars of this turn")]
    assert other["state"]["bought"]["open"] == []
    assert far.desk.dollars == pytest.approx(0.025)
    list(marketplace(GAP, **REVIEWS, **poor))
    found = list(marketplace(GAP, **REVIEWS, **poor))
    assert [t for t in found if isinstance(t, Paid)] == [Paid(pytest.approx(0.025), "brightdata")]
    assert Drop("over budget.dollars of this turn") not in list(marketplace(GAP, **NEWS, **other))


def test_a_sample_is_counted_once(far: Running, handed: dict[str, Any]) -> None:
    exact = handed | {"budget": Budget(dollars=0.035)}
    found = list(marketplace(GAP, sample=4, records=10, **REVIEWS, **exact))
    assert sum(t.dollars for t in found if isinstance(t, Paid)) == pytest.approx(0.035)


def test_two_uses_of_a_dataset_have_their_own_orders(far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 1_000})
    list(marketplace(GAP, filter=LOW, records=5, wait=0.0, **REVIEWS, **handed))
    high, state = {"name": "rating", "operator": ">", "value": 3}, {}
    again = handed | {"state": state}
    list(marketplace(GAP, filter=high, records=5, wait=0.0, **REVIEWS, **again))
    assert len(state["bought"]["open"]) == 1
    assert len(far.paths("/datasets/filter")) == 2


def test_a_snapshot_that_is_slow_is_taken_the_next_time(far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 1, "late": 1})
    assert list(marketplace(GAP, wait=0.0, **NEWS, **handed)) == [Drop("snapshot not ready")]
    late = list(marketplace(GAP, wait=0.0, **NEWS, **(handed | {"state": {}})))  # a restart: the book knows
    assert late == [Drop("snapshot not ready")]  # ready, and still building
    found = list(marketplace(GAP, wait=0.0, **NEWS, **handed))
    assert len(records(found)) == 4
    assert far.paths("/datasets/filter") == ["POST /datasets/filter"]


def test_rows_for_another_gap_are_labelled_for_its_task(far: Running, handed: dict[str, Any]) -> None:
    far.script({"looks": 1, "late": 0})
    list(marketplace(GAP, wait=0.0, records=3, **REVIEWS, **handed))
    other = Gap(topic="x", why="y", task="route")
    assert records(list(marketplace(other, wait=0.0, records=3, **REVIEWS, **handed)))[0].labels == {
        "mood": "5"
    }


def test_a_useful_sample_leads_to_the_purchase(far: Running, handed: dict[str, Any]) -> None:
    found = list(marketplace(GAP, sample=4, records=10, **REVIEWS, **handed))
    assert [t for t in found if isinstance(t, Paid)] == [Paid(0.01, "brightdata"), Paid(0.025, "brightdata")]
    assert len({r.id for r in records(found)}) == 10
    assert far.desk.records == 14


def test_a_sample_of_little_use_ends_the_purchase(far: Running, handed: dict[str, Any]) -> None:
    prices = {"dataset": "gd_fake_prices", "text": "availability"}
    thin = {"name": "availability", "operator": "is_null"}
    found = list(marketplace(GAP, sample=2, filter=thin, **prices, **handed))
    assert found == [
        Paid(0.005, "brightdata"),
        Drop("no text"),
        Drop("no text"),
        Drop("sample of little use"),
    ]
    assert list(marketplace(GAP, sample=2, filter=thin, **prices, **handed)) == []
    assert far.desk.records == 2


def test_inputs_are_collected_afresh_with_error_rows_that_cost_nothing(
    far: Running, handed: dict[str, Any]
) -> None:
    inputs = ({"url": "https://shop.example/pages/kettle"}, {"url": "https://shop.example/pages/none"})
    found = list(marketplace(GAP, inputs=inputs, records=100, **REVIEWS, **handed))
    assert found.count(Drop("provider error: dead_page")) == 5
    assert len(records(found)) == 12
    assert found[0] == Paid(pytest.approx(12 * 0.0015), "brightdata")
    assert far.desk.dollars == pytest.approx(12 * 0.0015)


def test_the_crawler_reads_pages_as_markdown(far: Running, handed: dict[str, Any]) -> None:
    inputs = ({"url": f"{far.url}/pages/returns"},)
    [page] = records(
        list(
            marketplace(
                GAP, dataset=CRAWL, inputs=inputs, records=10, text="markdown", meta=("page_title",), **handed
            )
        )
    )
    assert page.text.startswith("# Returns and refunds")
    assert page.meta == {"page_title": "Returns and refunds"}
    assert page.uri == f"{far.url}/pages/returns"


def test_a_delivery_goes_where_it_is_told(far: Running, handed: dict[str, Any], tmp_path: Path) -> None:
    far.script({"folder": str(tmp_path / "bucket"), "looks": 1, "late": 0})
    target = {"type": "local", "filename": {"template": "news", "extension": "ndjson"}}
    found = list(marketplace(GAP, deliver=target, **NEWS, **handed))
    assert found == [Paid(pytest.approx(0.01), "brightdata")]
    body = (tmp_path / "bucket/news.ndjson").read_bytes()
    assert len(list(rows(gzip.compress(body), ""))) == 4


def test_mistakes_are_found_before_anything_is_paid(far: Running, handed: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="there is no column 'body'"):
        list(marketplace(GAP, **(NEWS | {"text": "body"}), **handed))
    with pytest.raises(SettingsError, match="there is no dataset 'gd_fake_new'; did you mean 'gd_fake_news'"):
        list(marketplace(GAP, **(NEWS | {"dataset": "gd_fake_new"}), **handed))
    with pytest.raises(SettingsError, match="deliver is for bought rows"):
        list(marketplace(GAP, deliver={"type": "local"}, inputs=({"url": "x"},), **NEWS, **handed))
    with pytest.raises(SettingsError, match="needs the setting 'key'"):
        list(marketplace(GAP, **NEWS, **(handed | {"key": ""})))
    with pytest.raises(SourceFailed, match="validation_errors"):
        list(marketplace(GAP, filter={"name": "nosuch", "operator": "=", "value": 1}, **NEWS, **handed))
    assert far.desk.dollars == 0


def test_check_and_plan_are_free(far: Running, handed: dict[str, Any]) -> None:
    settings = REVIEWS | {"key": "bd-test", "url": far.url, "basis": "no_personal_data", "records": 20}
    plugin = door.load("collect", "marketplace", settings, handed)
    door.beside(plugin, "check")()  # type: ignore[misc]
    [stream] = door.beside(plugin, "discover")(GAP)  # type: ignore[misc]
    assert stream.name == "gd_fake_reviews Fake shop - reviews"
    assert stream.items == 20
    assert stream.dollars == pytest.approx(0.05)
    assert "review_text" in stream.columns
    assert far.desk.dollars == 0


def plan(far: Running, web: Web, **given: Any) -> list[Any]:
    usual = {"dataset": "", "key": "bd-test", "url": far.url, "inputs": (), "records": 10, "price": None}
    return list(discover(GAP, web=web, **(usual | given)))


def test_without_a_dataset_the_plan_lists_the_catalogue(far: Running, web: Web) -> None:
    streams = plan(far, web)
    assert [s.name for s in streams][:2] == [
        "gd_fake_reviews Fake shop - reviews",
        "gd_fake_questions Fake shop - questions and answers",
    ]
    assert len(streams) == 5
    news = streams[-1]
    assert (news.items, news.dollars, news.note) == (4, pytest.approx(0.01), "of 4 rows")
    assert news.columns == ("url", "headline", "content", "publication_date", "topics")
    assert {p.partition(" ")[0] for p in far.paths()} == {"GET"}
    assert far.desk.dollars == 0


def test_the_settings_need_no_dataset(far: Running, handed: dict[str, Any]) -> None:
    settings = {"key": "bd-test", "url": far.url, "basis": "no_personal_data"}
    plugin = door.load("collect", "marketplace", settings, handed)
    door.beside(plugin, "check")()  # type: ignore[misc]
    assert len(list(door.beside(plugin, "discover")(GAP))) == 5  # type: ignore[misc]


def test_a_dataset_that_tells_no_columns_is_still_listed(far: Running, web: Web) -> None:
    far.script({"rules": [{"path": "/datasets/gd_fake_prices/metadata", "status": 404}]})
    assert [len(s.columns) > 0 for s in plan(far, web)] == [True, True, False, True, True]


def test_an_outage_while_listing_is_said(far: Running, web: Web) -> None:
    far.script({"rules": [{"path": "/datasets/list", "status": 403}]})
    with pytest.raises(SourceFailed, match="refuses us"):
        plan(far, web)


def test_a_run_without_a_dataset_says_how_to_choose_one(
    far: Running, web: Web, handed: dict[str, Any]
) -> None:
    check(dataset="", key="bd-test", url=far.url, web=web)
    with pytest.raises(SettingsError, match="no dataset is named.*flywheel collect --dry-run"):
        list(marketplace(GAP, **handed))
    assert far.paths() == ["GET /datasets/list"]
    far.script({"keys": ["right"]})
    with pytest.raises(SourceFailed, match="does not know our key"):
        check(dataset="", key="bd-wrong", url=far.url, web=web)


def test_a_wrong_key_is_found_by_check(far: Running, web: Web) -> None:
    far.script({"keys": ["right"]})
    with pytest.raises(SourceFailed, match="does not know our key") as raised:
        check(dataset="gd_fake_news", key="bd-wrong", url=far.url, web=web)
    assert "bd-wrong" not in str(raised.value)
