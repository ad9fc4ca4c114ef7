import msgspec

from openflywheel.collect._scrape.kinds import Item
from openflywheel.collect._scrape.picking import links, picked
from openflywheel.collect._scrape.selectors import Selectors
from openflywheel.collect._scrape.things import parse

URL = "https://shop.example/list/"
PAGE = """
<ul><li class=r><h3>Fine</h3><p class=b>It <b>works</b>.</p><i class=s data-rating=4.5></i><u>1.234,50 €</u>
<time>05.03.2024</time><a href=../p/1?utm_source=x#top>more</a><span class=who>Ada</span><em>good</em>
<q>9/10</q></li>
<li class=r><h3>Empty</h3></li><li class=r></li></ul><a class=next href=?page=2>next</a>
"""


def pick(**said):
    return list(picked(parse(PAGE), URL, msgspec.convert(said, Selectors)))


def test_each_type_is_in_its_plain_form():
    fields = {
        "stars": {"select": ".s", "attribute": "data-rating", "type": "number"},
        "price": {"select": "u", "type": "price"},
        "score": {"select": "q", "type": "rating"},
        "published": {"select": "time", "type": "date"},
        "more": {"select": "a", "type": "url"},
        "absent": "blink",
    }
    (item,) = pick(
        item="li.r", text=["h3", ".b"], fields=fields, label="em", person=".who", required=["price"]
    )[:1]
    assert item == Item(
        text="Fine\n\nIt works.",
        meta={
            "stars": "4.5", "price": "1234.50", "currency": "EUR", "score": "9", "best": "10",
            "published": "2024-03-05", "more": "https://shop.example/p/1",
        },
        person="Ada",
        label="good",
    )  # fmt: skip


def test_what_lacks_something_says_what():
    found = pick(
        item="li.r", text="h3", fields={"price": {"select": "u", "type": "price"}}, required=["price"]
    )
    assert found[1:] == ["lacks a required field", "lacks a required field"]
    assert pick(item="li.r", text="h3")[1:] == [Item(text="Empty", meta={}), "lacks a text"]
    assert pick(item="li.r", text="h3", label="em", required=["label"])[1] == "lacks a required field"


def test_without_an_item_the_page_is_one_and_without_a_selector_the_item_is_meant():
    (item,) = pick(text="h3")
    assert item.text == "Fine"
    assert [i.text for i in pick(item="h3", text={"select": ""})] == ["Fine", "Empty"]


def test_nothing_found_is_nothing():
    assert pick(item="video", text="p") == []


def test_links_are_canonical_and_may_lie_within_what_is_selected():
    assert links(parse(PAGE), URL, "a.next") == ["https://shop.example/list/?page=2"]
    assert links(parse(PAGE), URL, "ul") == ["https://shop.example/p/1"]
    assert links(parse("<a href=javascript:x>a</a><a>b</a><a href=''>c</a>"), URL, "a") == []
