"""A vendor pushes what it finished to our gateway under our token, and the next turn collects it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from openflywheel.base.nouns import Record
from openflywheel.base.settings import WebSettings, read
from openflywheel.collect._fake.server import Running, running
from openflywheel.collect._providers.brightdata.scrape import Scrape
from openflywheel.collect._web.web import Web
from openflywheel.store import Store
from openflywheel.wheel.flywheel import Flywheel

TOKEN = "a-token-of-the-vendor"
HOOK = {
    "name": "reviews", "token": TOKEN, "text": "review_text", "label": "rating", "uri": "url",
    "person": "author_name", "task": "route", "basis": "legitimate_interest",
}  # fmt: skip
INPUTS = ({"url": "https://shop.example/pages/kettle"},)


@pytest.fixture
def vendor() -> Iterator[Running]:
    """Bright Data on this machine: every snapshot is finished at once, one row in seven is an error row."""
    with running({"looks": 0, "late": 0, "errors": 7}) as far:
        yield far


@pytest.fixture
def order(vendor: Running) -> Iterator[Callable[..., str]]:
    """Have rows collected, and pushed to a gateway."""
    web = Web(WebSettings(allow=("127.0.0.1",), contact="test@example.com", delay=0))

    def order(gate: Any, token: str = TOKEN, **more: str) -> str:
        hook = {"endpoint": f"{gate.url}/collect/reviews", "auth_header": f"Bearer {token}"}
        return Scrape(web, "bd-test", vendor.url).order("gd_fake_reviews", INPUTS, hook | more)

    yield order
    web.close()


def waiting(gate: Any) -> int:
    with closing(Store(gate.store)) as store:
        return store.inbox.waiting("reviews", 0)


def collected(gate: Any) -> tuple[Any, list[Record]]:
    with Flywheel(read(gate.file)) as wheel:
        return wheel.advance("collect"), wheel.store.all(Record)


@pytest.mark.parametrize(
    "form", [{"format": "ndjson"}, {"format": "json"}, {"format": "csv", "uncompressed_webhook": "true"}]
)
def test_a_finished_snapshot_becomes_records_in_the_next_turn(
    gateway: Callable[..., Any], order: Callable[..., str], until: Callable[..., Any], form: dict[str, str]
) -> None:
    gate = gateway(collect={"webhook": HOOK})
    order(gate, **form)
    until(lambda: waiting(gate) == 1)
    step, records = collected(gate)
    assert step.gave == len(records) == 12
    assert step.dropped == {"provider error: dead_page": 1}
    assert records[0].text.startswith("Fjord electric kettle: ")
    assert records[0].uri == "https://shop.example/pages/kettle"
    assert {r.labels["route"] for r in records} == {"1", "2", "4", "5"}
    assert {r.basis for r in records} == {"legitimate_interest"}
    assert len({r.subject for r in records}) == 3
    assert "Ada K." not in str(records)


def test_the_same_snapshot_pushed_twice_is_collected_once(
    gateway: Callable[..., Any], order: Callable[..., str], until: Callable[..., Any]
) -> None:
    gate = gateway(collect={"webhook": HOOK})
    order(gate, format="ndjson")
    until(lambda: waiting(gate) == 1)
    assert collected(gate)[0].gave == 12
    order(gate, format="json")  # the same rows in another body
    until(lambda: waiting(gate) == 2)  # the first is emptied by the next passage
    step, records = collected(gate)
    assert (step.gave, len(records)) == (0, 12)
    assert step.dropped["stored already"] == 12


def test_a_vendor_with_another_token_is_refused(
    gateway: Callable[..., Any], order: Callable[..., str], vendor: Running, until: Callable[..., Any]
) -> None:
    gate = gateway(collect={"webhook": HOOK})
    order(gate, "a-token-that-is-wrong", notify=f"{vendor.url}/told")
    until(lambda: "POST /told" in vendor.paths())  # told after the push: so that was answered
    assert waiting(gate) == 0
    assert collected(gate)[0].gave == 0
