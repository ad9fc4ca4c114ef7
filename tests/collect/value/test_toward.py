"""The value of URLs for a gap, by small documents and an encoder that knows topics."""

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Gap
from openflywheel.collect._value.aim import EXAMPLES, toward
from openflywheel.collect._value.toward import (
    ANSWERS,
    AT,
    ENCODED,
    FEWEST,
    REMEMBERED,
    WITHIN,
    answering,
    words_of,
)

QUESTIONS = ("where can I throw away an old battery", "which shoes are for trail running")
BATTERIES = "Batteries: the disposal of a battery. Recycle batteries, never throw them into the bin. " * 3
SHOES = "Trail shoes: choose the size of running shoes so that they fit. " * 3
PARKING = "Parking: the car park has one entrance and sells tickets at night. " * 3
SITE = "https://a.com"


class Link(Struct, frozen=True):
    url: str
    text: str = ""


class Page(Struct, frozen=True):
    text: str


@pytest.fixture
def aim(encoder):
    def make(questions=QUESTIONS, known=(), worth=10.0, price=0.01, encoder=encoder, **more):
        gap = Gap(topic="batteries, shoes", why="x", queries=questions)
        return toward(gap, encoder=encoder, known=lambda: list(known), worth=worth, price=price, **more)

    return make


def test_links_are_ordered_by_their_words(aim):
    links = [
        Link(f"{SITE}/p", "Parking"),
        Link(f"{SITE}/b", "Battery disposal"),
        Link(f"{SITE}/i", "Imprint"),
    ]
    parking, battery, imprint = aim().rate(links, None, 1)
    assert battery > max(parking, imprint) > 0


def test_a_url_speaks_where_the_link_does_not(aim):
    here, there = aim().rate([Link(f"{SITE}/battery-disposal.html"), Link(f"{SITE}/x1.html")], None, 1)
    assert here > there
    assert (
        words_of(Link(f"{SITE}/en/help/battery-disposal.html?a=1", "here")) == "help battery disposal: here"
    )


def test_a_link_on_a_relevant_page_promises_more(aim):
    link = [Link(f"{SITE}/x", "more")]
    assert aim().rate(link, Page(BATTERIES), 2) > aim().rate(link, Page(PARKING), 2)


def test_a_second_document_about_the_same_adds_less(aim):
    own = aim()
    gains = [own.learn(f"{SITE}/{i}", BATTERIES) for i in range(100)]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] > 0.1
    assert gains[-1] < 0.1 * gains[0]


@given(st.permutations([BATTERIES, SHOES, PARKING, BATTERIES + SHOES]))
def test_coverage_only_rises_and_all_gains_together_are_the_same(texts):
    gap = Gap(topic="t", why="x", queries=QUESTIONS)
    own = toward(gap, encoder=NgramEncoder(), known=list, worth=1.0, price=0.1)
    left, gains = np.ones(2), []
    for i, text in enumerate(texts):
        gains.append(own.learn(f"{SITE}/{i}", text))
        now = np.array(own.state()["open"])
        assert (now <= left).all()
        left = now
    assert min(gains) >= 0
    assert sum(gains) == pytest.approx(float(1 - left.mean()))


def test_gains_diminish(aim):
    """Submodular: what a document adds is never more after others have come."""
    texts = [BATTERIES, SHOES, BATTERIES + SHOES, PARKING]
    for order in permutations(texts):
        own = aim()
        for i, text in enumerate(order):
            alone = aim().learn(f"{SITE}/x", text)
            assert own.learn(f"{SITE}/{i}", text) <= alone + 1e-9


def test_what_an_example_has_got_is_looked_for_no_more(aim):
    links = [Link(f"{SITE}/b", "Battery disposal"), Link(f"{SITE}/s", "Trail shoes")]
    own = aim()
    before = own.rate(links, None, 1)
    assert own.revised() == dict(zip((link.url for link in links), before, strict=True))
    for i in range(40):
        own.learn(f"https://b.com/{i}", BATTERIES)
    after = own.revised()
    assert after[links[0].url] < 0.7 * before[0]
    assert after[links[1].url] > 0.7 * before[1]


def test_what_is_stored_already_is_worth_nothing_again(aim):
    fresh, stored = aim(), aim(known=[BATTERIES])
    assert fresh.learn(f"{SITE}/a", BATTERIES) > 0.1
    assert stored.learn(f"{SITE}/a", BATTERIES) < 1e-4
    assert stored.learn(f"{SITE}/b", SHOES) > 0.1


def test_what_is_stored_leaves_the_gap_open(aim):
    own = aim(known=[BATTERIES, SHOES])
    assert own.state()["open"] == [1, 1]
    assert own.enough(5.0) == ""


def test_a_part_that_brings_nothing_loses_its_promise(aim):
    links = [Link(f"{SITE}/dull/x", "more"), Link(f"{SITE}/new/x", "more")]
    own = aim()
    dull, new = own.rate(links, None, 2)
    assert dull == pytest.approx(new)
    for i in range(8):
        own.learn(f"{SITE}/dull/{i}", PARKING)
    dull, new = own.rate(links, None, 2)
    assert new > 2 * dull


def test_nobody_has_looked_there_is_a_reason_to_look(aim):
    own = aim()
    for i in range(8):
        own.learn(f"{SITE}/seen/{i}", BATTERIES)
    seen, unseen = own.rate(
        [Link(f"{SITE}/seen/x", "Contents"), Link("https://b.com/x", "Contents")], None, 1
    )
    assert unseen > seen


def test_it_is_enough_when_all_examples_are_answered(aim):
    own = aim()
    for i in range(100):
        own.learn(f"{SITE}/{i}", QUESTIONS[0])
    assert own.enough(5.0) == ""
    for i in range(100):
        own.learn(f"{SITE}/{i}", QUESTIONS[1])
    assert own.enough(5.0) == "the gap's examples are answered"


def fetch(own, texts, said="Battery disposal"):
    """Crawl pages of these texts; what the rule said before each."""
    stops = []
    for i, text in enumerate(texts):
        link = Link(f"{SITE}/{i}/battery", said)
        stops.append(own.enough(own.rate([link], None, 1)[0]))
        own.learn(link.url, text)
    return stops


def test_it_is_enough_when_the_best_is_not_worth_its_price(aim):
    own = aim(price=0.01)
    fetch(own, [BATTERIES] * 20)
    assert own.enough(10.0) == ""
    assert own.enough(1e-6).startswith("not worth the price: ")
    assert own.enough(1e-6).endswith("expected, a document costs 0.01")


def test_a_few_documents_say_nothing_about_their_worth(aim):
    stops = fetch(aim(price=1e6), [PARKING] * 40)
    assert not any(stops[:FEWEST])
    assert all(stops[2 * FEWEST :])


def test_without_a_price_it_is_never_too_dear(aim):
    own = aim(price=0.0)
    assert not any(fetch(own, [PARKING] * 40))
    assert own.enough(0.0) == ""


def test_promises_that_are_not_kept_are_believed_less(aim):
    kept, broken = aim(price=0.1), aim(price=0.1)
    fetch(kept, [BATTERIES] * 12)
    fetch(broken, [PARKING] * 60)
    assert kept.enough(0.3) == ""
    assert broken.enough(0.3).startswith("not worth the price")


def test_a_crawl_that_goes_on_rates_as_if_it_had_never_stopped(aim):
    links = [
        Link(f"{SITE}/{i % 7}/{word}-{i}", f"{word} {i}")
        for i, word in enumerate(["battery", "car", "x"] * 30)
    ]
    one, other = aim(), aim()
    one.rate(links[:60], Page(BATTERIES), 1)
    one.learn(f"{SITE}/a", BATTERIES)
    one.learn(links[3].url, PARKING)
    other.restore(json.loads(json.dumps(one.state())))
    assert other.state() == one.state()
    assert other.revised() == one.revised()
    for own in (one, other):
        own.learn(links[5].url, SHOES[:60])
    assert other.rate(links[40:], Page(SHOES), 2) == one.rate(links[40:], Page(SHOES), 2)
    assert other.enough(0.02) == one.enough(0.02)


def test_an_empty_state_is_a_new_crawl(aim):
    own = aim()
    own.restore({})
    assert own.state() == aim().state()


def test_equal_crawls_are_equal(aim):
    links = [Link(f"{SITE}/{i}", text) for i, text in enumerate(["battery", "battery", "shoes", ""])]
    assert aim().rate(links, Page(SHOES), 1) == aim().rate(links, Page(SHOES), 1)


def test_the_state_is_bounded_however_long_the_crawl(aim):
    questions = tuple(f"question {i} about battery number {i}" for i in range(50))
    own = aim(questions=questions)
    for page in range(60):
        links = [
            Link(f"{SITE}/a-long-folder-name/{page}/another-one/{i}-battery-disposal.html", f"{i}")
            for i in range(100)
        ]
        own.rate(links, Page(f"{BATTERIES} {page}"), 2)
        own.learn(links[0].url, f"{BATTERIES} {page}")
    state = own.state()
    assert len(state["waiting"]) == REMEMBERED
    assert len(state["open"]) == EXAMPLES
    assert len(json.dumps(state)) <= 65_536


def test_of_a_page_with_many_links_few_are_encoded(aim, encoder):
    own = aim()
    encoder.texts.clear()
    values = own.rate([Link(f"{SITE}/{i}", f"link {i}") for i in range(3_000)], None, 1)
    assert len(values) == 3_000
    assert len(encoder.texts) == ENCODED


def test_links_with_the_examples_words_are_encoded_first(aim, encoder):
    links = [Link(f"{SITE}/{i}", f"nothing {i}") for i in range(500)] + [Link(f"{SITE}/z", "old battery")]
    own = aim()
    encoder.texts.clear()
    values = own.rate(links, None, 1)
    assert any("old battery" in text for text in encoder.texts)
    assert max(values) == values[-1]


def test_no_links_and_no_words(aim):
    assert aim().rate([], None, 1) == []
    assert aim().learn(f"{SITE}/x", "") == pytest.approx(0, abs=1e-5)
    assert len(aim().rate([Link("", "")], Page(""), 1)) == 1


def test_values_are_in_the_currency_of_the_task(aim):
    link = [Link(f"{SITE}/b", "Battery disposal")]
    assert aim(worth=20.0).rate(link, None, 1)[0] == pytest.approx(2 * aim(worth=10.0).rate(link, None, 1)[0])
    assert aim(worth=20.0).learn("u", BATTERIES) == pytest.approx(2 * aim(worth=10.0).learn("u", BATTERIES))
    assert aim(worth=20.0).learn("u", BATTERIES + SHOES) <= 20.0 * ANSWERS


@given(st.floats(-1, 2), st.floats(0, 1))
def test_a_guess_is_worth_what_its_likenesses_are_on_average(guess, spread):
    drawn = np.random.default_rng(0).normal(guess, spread, 20_000)
    found = float(answering(np.array([guess]), spread)[0])
    assert found == pytest.approx(float(answering(drawn, 0.0).mean()), abs=0.01 * ANSWERS)
    assert 0 <= found <= ANSWERS


def test_likeness_raises_the_chance_to_its_bound():
    chances = answering(np.array([0.0, AT - WITHIN, AT, AT + WITHIN, 9.0]), 0.0)
    assert chances.tolist() == sorted(chances)
    assert chances[2] == pytest.approx(ANSWERS / 2)
    assert chances[-1] == pytest.approx(ANSWERS)
