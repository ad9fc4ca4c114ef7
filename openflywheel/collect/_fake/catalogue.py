"""Small ready datasets about the fake shop: written by us, made the same every time."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from msgspec import Struct

from openflywheel.collect._fake.shop import GUIDES, PRODUCTS

Row = dict[str, Any]
STORE = "https://shop.example/pages"
CRAWL = "gd_m6gjtfmeh43we6cqc"  # the real id of Bright Data's crawler
OPINIONS = (
    (5, "I use it every day, and it does what it promises."),
    (4, "Good, though the manual could say more."),
    (2, "It worked for a month, then it needed a repair."),
    (1, "It arrived broken, and the return took three weeks."),
)
PEOPLE = ("Ada K.", "Ben M.", "Chloe R.")
TOWNS = ("Oslo", "Porto", "Gdansk")
JOBS = ("Workshop technician", "Shop assistant", "Support agent")


class Dataset(Struct, frozen=True):
    """A ready dataset; `columns` maps name to type."""

    id: str
    name: str
    columns: dict[str, str]
    rows: tuple[Row, ...]


def _reviews() -> Iterator[Row]:
    for number, (item, (stars, opinion), person) in enumerate(product(PRODUCTS, OPINIONS, PEOPLE), start=1):
        yield {
            "url": f"{STORE}/{item.slug}",
            "review_id": f"r{number}",
            "product_name": item.name,
            "rating": stars,
            "review_text": f"{item.name}: {opinion}",
            "author_name": person,
            "review_posted_date": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T08:00:00.000Z",
        }


def _questions() -> Iterator[Row]:
    for item in PRODUCTS:
        for question, answer in item.asked:
            url = f"{STORE}/{item.slug}"
            yield {"url": url, "product_name": item.name, "question": question, "answer": answer}


def _prices() -> Iterator[Row]:
    for item, month in product(PRODUCTS, range(1, 7)):
        yield {
            "url": f"{STORE}/{item.slug}",
            "title": item.name,
            "final_price": round(item.price * (1 + month / 100), 2),
            "currency": "USD",
            "availability": None if month == 3 else "in stock",
            "timestamp": f"2026-{month:02}-01T00:00:00.000Z",
        }


def _jobs() -> Iterator[Row]:
    for title, town in product(JOBS, TOWNS):
        text = f"We look for a {title.lower()} in {town}, thirty hours a week, paid by the hour."
        url = f"{STORE}/jobs/{title.split()[0].lower()}-{town.lower()}"
        yield {"url": url, "job_title": title, "job_location": town, "job_summary": text}


def _news() -> Iterator[Row]:
    for day, (slug, title, text, _) in enumerate(GUIDES, start=1):
        when = f"2026-10-{day:02}T06:00:00.000Z"
        topics = ["shop", slug]
        yield {
            "url": f"{STORE}/{slug}",
            "headline": title,
            "content": " ".join(text),
            "publication_date": when,
            "topics": topics,
        }


TYPES = {
    "url": "url", "rating": "number", "final_price": "number", "topics": "array",
    "review_posted_date": "date", "timestamp": "date", "publication_date": "date",
}  # fmt: skip


def _dataset(id: str, name: str, rows: Iterator[Row]) -> Dataset:
    kept = tuple(rows)
    return Dataset(id, name, {column: TYPES.get(column, "text") for column in kept[0]}, kept)


DATASETS = {
    d.id: d
    for d in (
        _dataset("gd_fake_reviews", "Fake shop - reviews", _reviews()),
        _dataset("gd_fake_questions", "Fake shop - questions and answers", _questions()),
        _dataset("gd_fake_prices", "Fake shop - prices", _prices()),
        _dataset("gd_fake_jobs", "Fake shop - jobs", _jobs()),
        _dataset("gd_fake_news", "Fake shop - news", _news()),
    )
}
