"""Discover, scrape and the marketplace: the real clients against the fake, in every state and form."""

from collections.abc import Sequence
from typing import Any

import pytest

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop
from openflywheel.collect._fake.catalogue import DATASETS
from openflywheel.collect._fake.server import Running
from openflywheel.collect._providers import account
from openflywheel.collect._providers.brightdata.datasets import Datasets
from openflywheel.collect._providers.brightdata.discover import Discover
from openflywheel.collect._providers.brightdata.scrape import CRAWL, Scrape
from openflywheel.collect._providers.brightdata.snapshot import content
from openflywheel.collect._providers.product import Job, Offer, Refused
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

KEY, REVIEWS = "bd-test-key", "gd_fake_reviews"
LOW = {"name": "rating", "operator": "<", "value": 3}


def wait(job: Job[Any], id: str) -> tuple[Sequence[Any], int]:
    """What was ordered, and how often it was not ready."""
    looks = 0
    while (found := job.take(id)) is None:
        looks += 1
    return found, looks


def test_discover_ranks_by_the_intent(web: Web, far: Running) -> None:
    discover = Discover(web, KEY, far.url, country="us")
    id = discover.order("battery", "dispose of old batteries in waste", most=3, content=True)
    found, looks = wait(discover, id)
    assert looks == 2
    assert [hit.rank for hit in found] == [1, 2, 3]
    assert found[0].link.endswith("/pages/battery-disposal")
    assert found[0].score == 1.0
    assert found[0].content.startswith("# How to dispose of old batteries")
    assert '"country":"us"' in far.desk.asked[0].body


def test_discover_without_content_has_none(web: Web, far: Running) -> None:
    discover = Discover(web, KEY, far.url)
    found, _ = wait(discover, discover.order("battery", "x", most=1, content=False))
    assert [hit.content for hit in found] == [""]


@pytest.mark.parametrize("ends", ["failed"])
def test_a_failed_task_is_final(web: Web, far: Running, ends: str) -> None:
    far.script({"ends": ends, "looks": 0})
    discover = Discover(web, KEY, far.url)
    with pytest.raises(Refused, match="a discover task failed"):
        discover.take(discover.order("battery", "x", most=1, content=False))


def test_scraping_passes_every_state_and_may_be_late_when_it_is_ready(web: Web, far: Running) -> None:
    far.script({"looks": 4, "late": 2, "errors": 3})
    scrape = Scrape(web, KEY, far.url)
    found, looks = wait(scrape, scrape.order(REVIEWS, [{"url": "https://shop.example/pages/kettle"}]))
    assert looks == 6
    rows = [row for row in found if isinstance(row, dict)]
    assert {row["product_name"] for row in rows} == {"Fjord electric kettle"}
    assert len(rows) == 12
    assert [row for row in found if isinstance(row, Drop)] == [Drop("provider error: dead_page")] * 4
    assert far.desk.records == 12  # error rows are not sold


@pytest.mark.parametrize("form", ["json", "ndjson", "csv"])
def test_any_form_of_a_snapshot_is_read(web: Web, far: Running, form: str) -> None:
    far.script({"looks": 0, "late": 0, "form": form})
    scrape = Scrape(web, KEY, far.url)
    found, _ = wait(
        scrape, scrape.order(REVIEWS, [{"keyword": "toaster"}, {"url": "https://shop.example/none"}])
    )
    assert sum(isinstance(row, dict) for row in found) == 12
    assert found[-1] == Drop("provider error: dead_page")


def test_a_few_inputs_are_scraped_at_once(web: Web, far: Running) -> None:
    far.script({"errors": 0})
    pages = [{"url": f"{far.url}/pages/returns"}, {"url": f"{far.url}/pages/nowhere"}]
    found = Scrape(web, KEY, far.url).now(CRAWL, pages)
    assert not isinstance(found, str)
    assert found[0]["page_title"] == "Returns and refunds"
    assert found[0]["markdown"].startswith("# Returns")
    assert found[1] == Drop("provider error: dead_page")


def test_what_takes_longer_than_a_minute_becomes_an_order(web: Web, far: Running) -> None:
    far.script({"looks": 3, "late": 0})
    scrape = Scrape(web, KEY, far.url)
    id = scrape.now(CRAWL, [{"url": f"{far.url}/pages/returns"}])
    assert isinstance(id, str)
    assert len(wait(scrape, id)[0]) == 1


@pytest.mark.parametrize("ends", ["failed", "canceled"])
def test_a_failed_collection_is_final(web: Web, far: Running, ends: str) -> None:
    far.script({"ends": ends, "looks": 1})
    scrape = Scrape(web, KEY, far.url)
    id = scrape.order(REVIEWS, [{"keyword": "toaster"}])
    assert scrape.take(id) is None
    with pytest.raises(Refused, match=f"a snapshot is {ends}"):
        scrape.take(id)
    assert far.desk.dollars == 0


@pytest.mark.parametrize(
    ("dataset", "inputs", "said"),
    [
        ("gd_nosuch", [{"url": "x"}], "dataset does not exist"),
        (REVIEWS, [], "No data to trigger"),
    ],
)
def test_a_wrong_order_is_refused_in_the_providers_words(
    web: Web, far: Running, dataset: str, inputs: list[dict[str, str]], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        Scrape(web, KEY, far.url).order(dataset, inputs)


def test_too_many_jobs_are_waited_out_then_told(web: Web, far: Running) -> None:
    far.script({"jobs": 1})
    scrape = Scrape(web, KEY, far.url)
    scrape.order(REVIEWS, [{"keyword": "toaster"}])
    far.desk.script = type(far.desk.script)(jobs=0)
    with pytest.raises(SourceFailed, match="asks us to slow down .*too many running jobs"):
        scrape.order(REVIEWS, [{"keyword": "kettle"}])


def test_the_catalogue_and_the_columns(web: Web, far: Running) -> None:
    market = Datasets(web, KEY, far.url)
    assert Offer(id=REVIEWS, name="Fake shop - reviews", size=48) in market.offers()
    columns = market.columns(REVIEWS)
    assert columns["rating"] == "number"
    assert "_internal" not in columns  # no longer in use
    with pytest.raises(Refused, match="Dataset not found"):
        market.columns("gd_nosuch")


def test_a_filter_makes_a_snapshot_with_its_cost(web: Web, far: Running) -> None:
    market = Datasets(web, KEY, far.url)
    id = market.order(REVIEWS, LOW, most=5)
    found, looks = wait(market, id)
    assert looks == 3
    assert [row["rating"] < 3 for row in found if isinstance(row, dict)] == [True] * 5
    assert market.cost(id) == pytest.approx(0.0125)
    assert market.is_ready(id)
    assert far.desk.dollars == pytest.approx(0.0125)


@pytest.mark.parametrize(
    ("filter", "rows"),
    [
        ({"name": "rating", "operator": "=", "value": 5}, 12),
        ({"name": "rating", "operator": "in", "value": [1, 2]}, 24),
        ({"name": "review_text", "operator": "includes", "value": ["KETTLE", "drill"]}, 24),
        ({"name": "review_text", "operator": "is_null"}, 0),
        (
            {
                "operator": "and",
                "filters": [LOW, {"name": "product_name", "operator": "includes", "value": "drill"}],
            },
            6,
        ),
        ({"operator": "or", "filters": [LOW, {"name": "rating", "operator": ">=", "value": 5}]}, 36),
    ],
)
def test_filters_mean_what_the_documentation_says(web: Web, far: Running, filter: Any, rows: int) -> None:
    far.script({"looks": 0, "late": 0})
    market = Datasets(web, KEY, far.url)
    assert len(wait(market, market.order(REVIEWS, filter, most=1_000))[0]) == rows


@pytest.mark.parametrize(
    "filter",
    [
        {},
        {"name": "nosuch", "operator": "=", "value": 1},
        {"name": "rating", "operator": "~", "value": 1},
        {"name": "rating", "operator": "<", "value": "three"},
        {"operator": "xor", "filters": [LOW]},
        {"operator": "and", "filters": [{"operator": "and", "filters": [{"operator": "and", "filters": [
            {"operator": "and", "filters": [LOW]}]}]}]},
    ],
)  # fmt: skip
def test_a_wrong_filter_is_refused_before_anything_is_sold(web: Web, far: Running, filter: Any) -> None:
    with pytest.raises(Refused, match="validation_errors"):
        Datasets(web, KEY, far.url).order(REVIEWS, filter, most=5)
    assert far.desk.dollars == 0


def test_every_dataset_says_what_its_columns_are(web: Web, far: Running) -> None:
    market = Datasets(web, KEY, far.url)
    for offer in market.offers():
        assert set(market.columns(offer.id)) == set(DATASETS[offer.id].rows[0])
        assert 0 < offer.size < 100


def test_a_small_row_that_looks_like_a_notice_is_a_row() -> None:
    def answer(body: bytes, status: int = 200) -> Response:
        return Response(url="u", status=status, headers={}, body=body, seconds=0.0)

    assert content(answer(b'{"status": "building", "message": "try again in 10s"}')) is None
    assert content(answer(b'{"status": "sold", "message": "thanks", "text": "x"}')) == [
        {"status": "sold", "message": "thanks", "text": "x"}
    ]
    assert content(answer(b"", 202)) is None
    assert content(answer(b"")) == []


def test_what_was_bought_may_be_larger_than_any_other_answer(
    web: Web, far: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "MOST", 300)
    far.script({"looks": 0, "late": 0})
    market, collector = Datasets(web, KEY, far.url), Scrape(web, KEY, far.url)
    bought = market.order(REVIEWS, {"name": "url", "operator": "is_not_null"}, most=50)
    fresh = collector.order(REVIEWS, [{"url": "https://shop.example/pages/kettle"}])
    assert len(market.take(bought) or ()) == 48
    assert len(collector.take(fresh) or ()) > 10
