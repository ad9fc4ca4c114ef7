import json

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.collect._scrape.kinds import items, wanted
from openflywheel.collect._scrape.things import find, parse


def read(*nodes, kinds=()):
    html = f'<script type="application/ld+json">{json.dumps(nodes)}</script>'
    return list(items(find(parse(html), "https://x.example/").things, wanted(kinds)))


def test_a_review_has_title_and_body_its_rating_and_what_it_is_about():
    (item,) = read(
        {
            "@type": "Product",
            "name": "Lamp",
            "review": {
                "@type": "Review", "name": "Bright", "reviewBody": "<p>Lights the <b>room</b>.</p>",
                "author": {"@type": "Person", "name": "Ada"}, "datePublished": "March 5, 2024",
                "reviewRating": {"@type": "Rating", "ratingValue": "4,5", "bestRating": 10},
            },
        },
        kinds=("Review",),
    )  # fmt: skip
    assert item.text == "Bright\n\nLights the room."
    assert item.meta == {
        "kind": "Review", "title": "Bright", "product": "Lamp", "rating": "4.5", "best": "10",
        "published": "2024-03-05",
    }  # fmt: skip
    assert item.person == "Ada"


def test_a_rating_without_a_best_is_out_of_five():
    (item,) = read({"@type": "Review", "reviewBody": "ok", "reviewRating": {"ratingValue": 4}})
    assert (item.meta["rating"], item.meta["best"]) == ("4", "5")


def test_a_group_that_wrote_something_is_no_person():
    organization = {"@type": "Organization", "name": "The Guild"}
    (item,) = read(
        {"@type": "NewsArticle", "headline": "News", "articleBody": "Much.", "author": organization}
    )
    assert (item.person, item.meta["author"], item.meta["kind"]) == ("", "The Guild", "NewsArticle")


def test_a_question_comes_with_the_accepted_answer_then_those_with_most_votes():
    answers = [{"@type": "Answer", "text": f"answer {n}", "upvoteCount": n} for n in range(5)]
    (item,) = read(
        {
            "@type": "QAPage",
            "mainEntity": {
                "@type": "Question", "name": "How?", "text": "I wonder.", "answerCount": 6,
                "upvoteCount": "12",
                "acceptedAnswer": {"@type": "Answer", "text": "like so"}, "suggestedAnswer": answers,
            },
        }
    )  # fmt: skip
    assert item.text == "How?\n\nI wonder.\n\nlike so\n\nanswer 4\n\nanswer 3"
    assert item.meta == {
        "kind": "Question",
        "title": "How?",
        "accepted": "true",
        "answers": "6",
        "votes": "12",
    }


def test_the_questions_of_a_faq_are_found_by_any_of_their_names():
    page = {
        "@type": "FAQPage",
        "mainEntity": [
            {"@type": "Question", "name": f"q{n}", "acceptedAnswer": {"text": f"a{n}"}} for n in (1, 2)
        ],
    }
    for kinds in ((), ("FAQPage",), ("Question",)):
        assert [i.text for i in read(page, kinds=kinds)] == ["q1\n\na1", "q2\n\na2"]


@pytest.mark.parametrize(
    ("offers", "facts"),
    [
        ({"price": "1.234,50 €"}, {"price": "1234.50", "currency": "EUR"}),
        ({"price": 19.9, "priceCurrency": "usd"}, {"price": "19.9", "currency": "USD"}),
        ([{"availability": "x/SoldOut"}, {"price": "5"}], {"price": "5"}),
        (
            {"@type": "AggregateOffer", "lowPrice": "5.00", "highPrice": "9.00", "priceCurrency": "EUR"},
            {"price": "5.00", "highest": "9.00", "currency": "EUR"},
        ),
        ({"priceSpecification": {"price": "7", "priceCurrency": "CHF"}}, {"price": "7", "currency": "CHF"}),
        ({"availability": "https://schema.org/OutOfStock"}, {"availability": "OutOfStock"}),
        ({"price": "ask us"}, {}),
    ],
)
def test_prices_of_products(offers, facts):
    (item,) = read(
        {"@type": "Product", "name": "Lamp", "description": "Bright", "sku": "L1", "offers": offers}
    )
    assert item.text == "Lamp\n\nBright"
    assert item.meta == {"kind": "Product", "title": "Lamp", "sku": "L1", **facts}


def test_an_offer_by_itself_is_a_product_and_one_within_a_product_is_not_another():
    alone = {"@type": "Offer", "price": "5", "itemOffered": {"@type": "Service", "name": "Repair"}}
    (item,) = read(alone, kinds=("Offer",))
    assert (item.text, item.meta["price"]) == ("Repair", "5")
    assert len(read({"@type": "Product", "name": "Lamp", "offers": {"@type": "Offer", "price": "5"}})) == 1


def test_a_job_tells_place_pay_and_term():
    (item,) = read(
        {
            "@type": "JobPosting", "title": "Welder", "description": "&lt;p&gt;Weld.&lt;/p&gt;Daily.",
            "hiringOrganization": {"@type": "Organization", "name": "Yard"}, "datePosted": "2024-03-05",
            "validThrough": "2024-04-01T00:00", "employmentType": ["FULL_TIME", "PART_TIME"],
            "jobLocation": {"address": {"addressLocality": "Kiel", "addressCountry": "DE"}},
            "baseSalary": {
                "currency": "EUR", "value": {"minValue": 40000, "maxValue": 50000, "unitText": "YEAR"},
            },
        }
    )  # fmt: skip
    assert item.text == "Welder\n\nWeld.\n\nDaily."
    assert item.meta == {
        "kind": "JobPosting", "title": "Welder", "company": "Yard", "place": "Kiel, DE",
        "employment": "FULL_TIME, PART_TIME", "until": "2024-04-01T00:00:00", "pay": "40000",
        "pay_most": "50000", "currency": "EUR", "per": "YEAR", "published": "2024-03-05",
    }  # fmt: skip


def test_ratings_alone_are_read_when_they_are_asked_for():
    rated = {
        "@type": "Product",
        "name": "Lamp",
        "aggregateRating": {"@type": "AggregateRating", "ratingValue": 4.4, "reviewCount": 89},
    }
    (product,) = read(rated)
    assert (product.meta["rating"], product.meta["reviews"]) == ("4.4", "89")
    (item,) = read(rated, kinds=("AggregateRating",))
    assert item.text == "Lamp: 4.4 of 5"


def test_doubles_are_one_and_mentions_are_none():
    review = {"@type": "Review", "@id": "r", "reviewBody": "Good"}
    found = read(
        review, {"@type": "Product", "name": "Lamp", "sku": "1", "review": {"@id": "r"}}, kinds=("Review",)
    )
    assert [(i.text, i.meta.get("product")) for i in found] == [("Good", "Lamp")]
    mention = {"@type": "Review", "reviewBody": "Good", "itemReviewed": {"@type": "Product", "name": "Lamp"}}
    assert [i.meta["kind"] for i in read(mention)] == ["Review"]


def test_a_licence_is_in_its_one_form():
    (item,) = read(
        {"@type": "Article", "headline": "a", "license": "https://creativecommons.org/licenses/by/4.0/"}
    )
    assert item.license == "CC-BY-4.0"


def test_an_unknown_kind_is_explained():
    with pytest.raises(SettingsError, match="no kind 'Reviews'; did you mean 'Review'"):
        wanted(("Reviews",))


def test_odd_values_do_no_harm():
    odd = {
        "@type": ["Review", 5, None],
        "reviewBody": [None, "", {"@value": 5}],
        "author": [],
        "reviewRating": "good",
    }
    assert read(odd)[0].text == "5"
    assert read({"@type": "Question", "suggestedAnswer": [{"upvoteCount": "9e999"}]})[0].text == ""
