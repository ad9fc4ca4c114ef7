import json
import resource

import pytest

from openflywheel.collect._scrape.linked import MOST_SCRIPT
from openflywheel.collect._scrape.thing import walk
from openflywheel.collect._scrape.things import find, parse

URL = "https://shop.example/p/1"


def read(html):
    return find(parse(html), URL)


def linked(*scripts):
    return "".join(f'<script type="application/ld+json">{s}</script>' for s in scripts)


def test_json_ld_with_graph_references_and_any_prefix_is_one_shape():
    graph = {
        "@context": "https://schema.org",
        "@graph": [
            {"@id": "#p", "@type": "Product", "name": "Lamp", "review": [{"@id": "#r"}]},
            {
                "@id": "#r",
                "@type": ["schema:Review", "Thing"],
                "http://schema.org/reviewBody": {"@value": "Good"},
            },
        ],
    }
    product, review = read(linked(json.dumps(graph))).things
    assert (product.kinds, product.text("name")) == (("Product",), "Lamp")
    assert product.things("review")[0].text("reviewBody") == "Good"
    assert review.kinds == ("Review", "Thing")


def test_a_broken_script_is_a_fault_and_the_others_are_read():
    found = read(linked('{"@type": "Review", ', '{"@type": "Review", "name": "b"}', "{]", "", "[1, null]"))
    assert [t.text("name") for t in found.things] == ["b"]
    assert found.faults == ["broken JSON-LD"]


def test_comments_line_breaks_and_a_type_with_charset_are_forgiven():
    html = (
        '<script type="Application/LD+JSON; charset=utf-8">// c\n{"@type": "Review", "name": "a\nb"}</script>'
    )
    assert read(html).things[0].text("name") == "a\nb"


def test_microdata_and_rdfa_say_the_same():
    micro = (
        '<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Lamp</b>'
        '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        '<meta itemprop="price" content="9.5">'
        '<link itemprop="availability" href="https://schema.org/InStock"></div>'
    )
    rdfa = (
        '<div vocab="https://schema.org/" typeof="Product"><b property="name">Lamp</b>'
        '<div property="offers" typeof="schema:Offer">'
        '<meta property="schema:price" content="9.5">'
        '<link property="availability" href="https://schema.org/InStock">'
    )
    assert read(micro) == read(rdfa)
    (thing,) = read(rdfa).things
    assert thing.things("offers")[0].values == {
        "price": ["9.5"],
        "availability": ["https://schema.org/InStock"],
    }


def test_open_graph_speaks_where_nothing_else_does():
    head = (
        '<head><meta property="og:type" content="product"><meta property="og:title" content="Lamp">'
        '<meta property="product:price:amount" content="9.50">'
        '<meta property="og:title" content="second"></head>'
    )
    (thing,) = read(f"<html>{head}<body>x").things
    assert (thing.kinds, thing.text("name"), thing.text("price")) == (("Product",), "Lamp", "9.50")
    known = read(f"<html>{head}<body>{linked(json.dumps({'@type': 'Product', 'name': 'Known'}))}")
    assert [t.text("name") for t in known.things] == ["Known"]
    assert read('<html><head><meta property="og:type" content="website"></head>').things == []


def test_things_that_name_each_other_come_to_an_end():
    nodes = [
        {"@id": "a", "@type": "Product", "review": {"@id": "b"}},
        {"@id": "b", "@type": "Review", "itemReviewed": {"@id": "a"}},
    ]
    found = read(linked(json.dumps(nodes)))
    assert found.faults == []
    assert 2 < len(list(walk(found.things))) < 100


def test_a_page_of_nothing_has_no_tree():
    assert parse("") is None
    assert parse("<!-- only this -->") is None


def test_entities_and_dtds_are_not_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    dtd = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]>'
    html = f"{dtd}<p itemscope itemtype=Review><i itemprop=name>&x;"
    assert "do not" not in repr(read(html))


LARGE = "structured data too large"
LAUGHS = {
    "@graph": [{"@id": f"n{i}", "@type": "Product", "review": [{"@id": f"n{i + 1}"}] * 10} for i in range(30)]
}


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        (linked(json.dumps(LAUGHS)), LARGE),
        (linked(json.dumps([{"@type": "Product"}] * 50_000)), LARGE),
        (linked("[" * 100_000 + "]" * 100_000), "structured data too deep"),
        (linked('{"a":' * 400 + "1" + "}" * 400), "structured data too deep"),
        (linked(" " * MOST_SCRIPT + "{}"), LARGE),
        (linked("{") * 20_000, "broken JSON-LD"),
        ("<p itemscope itemref='" + "a " * 1000 + "'></p><div id=a>" + "<i itemprop=x>t</i>" * 500, LARGE),
        ("<div itemscope itemtype=Review>" * 2_001, ""),
        ("<p itemscope itemtype=Review></p>" * 2_001, LARGE),
        ("<div itemscope itemtype=Product>" + "<div itemprop=name>" * 200 + "<i>x</i>" * 200_000, LARGE),
        ("<div " + " ".join(f"a{i}=1" for i in range(100_000)) + ">x", ""),
        ("<div>" * 1_000_000, ""),
    ],
)  # fmt: skip
@pytest.mark.timeout(20)  # 1 s is usual; without bounds they take 15 to 47 CPU-s
def test_what_is_made_to_harm_costs_little(html, fault):
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = read(html)
    assert found.faults == ([fault] if fault else [])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 200_000  # KB
