"""Shoppers ask about what the desk lacks; the wheel is told nothing else."""

import json

import pytest

from openflywheel.base.nouns import Exchange, Gap, Record, Row
from openflywheel.base.settings import parse
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window import shoppers
from openflywheel.window.shoppers import Shoppers, known_pages
from openflywheel.window.site import pages

SETTINGS = """
name: desk
store: wheel
encoder: ngrams
tasks: {answer: {kind: text}}
serve: {routes: {answer: {variants: {quotes: {model: flywheel/extractive}}}}, extractive: {least: 0.0}}
"""


@pytest.fixture
def wheel(tmp_path):
    with Flywheel(parse(SETTINGS, folder=tmp_path)) as opened:
        yield opened


def page(text, uri=""):
    return Row(text=text, source="crawl" if uri else "files", uri=uri, purposes=("training",))


def test_the_desk_knows_every_article_but_the_one_that_is_missing():
    labels = {p["page"] for p in known_pages()}
    assert len(labels) == 50
    assert shoppers.MISSING not in labels
    assert set(shoppers.TOPICS) <= labels
    assert json.dumps(known_pages())


def test_the_places_of_what_is_missing_are_on_the_website():
    assert {f"/help/{place}" for place in shoppers.PLACES} <= set(pages())


def test_answers_count_as_found_when_they_come_from_the_right_page(wheel):
    wheel.store.append([page("We deliver on weekdays.", "help.jsonl")])
    asked = Shoppers(wheel, 0).ask()
    assert (asked.missing, asked.others) == (24, 96)
    assert asked.found == 0
    assert asked.others_answered > 0
    guide = "Bring old batteries and devices to any shop: where to recycle a battery, a vacuum, a lamp."
    wheel.store.append([page(guide, "http://127.0.0.1:1/help/recycling-guide")])
    assert Shoppers(wheel, 0).ask().found > 0


def test_the_same_seed_asks_the_same(wheel):
    texts = [[e.input for e in _asked(wheel, seed)] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def _asked(wheel, seed):
    mark = wheel.store.mark()
    Shoppers(wheel, seed).ask()
    return wheel.store.since(Exchange, mark)


def test_orders_are_the_gaps_that_the_wheel_wrote_since_they_asked(wheel):
    crowd = Shoppers(wheel, 0)
    crowd.ask()
    assert crowd.orders() == []  # the cold start is no order
    wheel.store.append([
        Gap(topic="battery, old", why="20 of 24 failed", task="answer", queries=("old battery?",)),
        Gap(topic="other", why="asks for labels", task="answer", evidence=("x",)),
        Record(text="Bring it to us.", source="crawl"),
    ])  # fmt: skip
    [order] = crowd.orders()
    assert (order.topic, order.why, order.fetched) == ("battery, old", "20 of 24 failed", 1)
