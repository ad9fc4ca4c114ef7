"""Trainers of items and prices, from rows in a file to an answer over HTTP."""

import json

from teaching import said

from openflywheel.base.nouns import Dataset

# What people say, and what the catalogue says for the same.
WORDS = {
    "telly": "television", "sofa": "couch", "fridge": "refrigerator", "brolly": "umbrella",
    "specs": "eyeglasses", "hoover": "suction cleaner", "jumper": "pullover", "torch": "flashlight",
    "nappy": "diaper", "tap": "faucet",
}  # fmt: skip
ASKS = ("i want a {}", "{} please", "where is the {}", "have you a {} for me")
CATALOGUE = [{"text": f"our finest {word}", "item": f"sku-{said}"} for said, word in WORDS.items()]
CLICKS = [{"text": ask.format(word), "label": f"sku-{word}"} for word in WORDS for ask in ASKS]


def sizes(gate):
    return {dataset.role: len(dataset.rows) for dataset in gate.kept(Dataset)}


def test_a_retriever_finds_what_people_mean(teach):
    gate = teach([*CATALOGUE, *CLICKS], "find", "rank", {"retriever": {}}, "ndcg")
    assert sizes(gate) == {"train": len(CLICKS), "items": len(CATALOGUE)}
    for word in ("sofa", "tap"):
        found = said(gate, "find", f"my {word} is broken").splitlines()
        assert found[0] == f"sku-{word}"
        assert gate.exchanges()[-1].choices == tuple(found)


def chosen(people=80, themes=4, of=6):
    """Everybody takes four things of one theme, one after the other."""
    for person in range(people):
        for step in range(4):
            item = f"{person % themes}-{(person // themes + step) % of}"
            yield {"text": "{}", "label": item, "person": f"p{person}", "published": f"2026-01-0{step + 1}"}


def test_recommendations_continue_a_session_and_tell_their_chances(teach):
    gate = teach(chosen(), "next", "rank", {"recommend": {"factors": 4}}, "ndcg")
    assert sizes(gate) == {"train": 320}
    asked = json.dumps({"session": ["1-0", "1-1"]})
    drawn = [said(gate, "next", asked, f"new-{n}").splitlines() for n in range(20)]
    assert all(not {"1-0", "1-1"} & set(items) for items in drawn)
    assert sum(items[0].startswith("1-") for items in drawn) > 10  # by chance 3.6 of 20
    chances = [exchange.propensity for exchange in gate.exchanges()]
    assert all(0 < chance < 1 for chance in chances)
    assert len(set(map(tuple, drawn))) > 1


def sales():
    """Mugs sell four times as often at half the price; nobody has ever changed the price of a plate."""
    for week in range(12):
        for price, quantity in ((10, 8), (5, 32)):
            yield {"text": "mug", "label": str(quantity), "price": str(price), "week": str(week)}
        yield {"text": "plate", "label": "3", "price": "7", "week": str(week)}


def test_a_price_is_lowered_where_that_sells_more(teach):
    gate = teach(sales(), "price", "number", {"price": {}}, "absolute_error")
    assert sizes(gate) == {"train": 36}
    assert gate.model.report["elasticity"] < -1.5
    assert said(gate, "price", "mug") == "5"
    assert said(gate, "price", "plate") == "7"
