"""What is taken of each kind of thing: its text, and its facts in the same words for every site."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.collect._scrape.amounts import number, plain, price, rating
from openflywheel.collect._scrape.dates import iso
from openflywheel.collect._scrape.layout import readable
from openflywheel.collect._scrape.thing import Thing, walk
from openflywheel.collect._site.license import license_of

ANSWERS = 3  # of one question: the accepted ones, then those with most votes
GROUPS = ("Organization", "Corporation", "LocalBusiness", "NewsMediaOrganization", "Brand", "OnlineStore")


class Item(Struct, frozen=True, kw_only=True):
    """One record of a page, before it has a task: `person` is whom it is by, as the page writes the name."""

    text: str
    meta: dict[str, str]
    person: str = ""
    license: str = ""
    label: str = ""


def _review(thing: Thing, parent: Thing | None) -> Item:
    about = thing.text("itemReviewed") or (parent.text("name") if parent else "")
    title, body = thing.text("name", "headline"), thing.text("reviewBody", "description", "text")
    return _item(thing, (title, body), title=title, product=about, **_rated(thing))


def _rated(thing: Thing) -> dict[str, str]:
    """`rating` and `best`; schema.org: "If bestRating is omitted, 5 is assumed." """
    for holder in (*thing.things("reviewRating", "aggregateRating"), thing):
        value, best = rating(holder.text("ratingValue", "reviewRating"))
        if value:
            best = number(holder.text("bestRating")) or best or "5"
            return {"rating": plain(holder.text("ratingValue")) or value, "best": best}
    return {}


def _aggregate(thing: Thing, parent: Thing | None) -> Item:
    name = thing.text("itemReviewed") or (parent.text("name") if parent else "")
    rated = _rated(thing)
    text = f"{name}: {rated['rating']} of {rated['best']}" if name and rated else ""
    return _item(thing, (text,), product=name, **rated, **_counts(thing))


def _counts(thing: Thing) -> dict[str, str]:
    return {"ratings": number(thing.text("ratingCount")), "reviews": number(thing.text("reviewCount"))}


def _question(thing: Thing, _: Thing | None) -> Item:
    title, body = thing.text("name", "headline"), thing.text("text", "articleBody", "description")
    accepted = thing.things("acceptedAnswer")
    others = sorted(thing.things("suggestedAnswer"), key=_votes, reverse=True)
    texts = [a.text("text", "articleBody", "description", "name") for a in (*accepted, *others)]
    texts = list(dict.fromkeys(t for t in texts if t)) or [
        t for t in thing.every("acceptedAnswer") if isinstance(t, str)
    ]
    said = number(thing.text("answerCount")) or str(len(texts))
    parts = (title, "" if body == title else body, *texts[:ANSWERS])
    facts = {
        "accepted": "true" if accepted else "false",
        "answers": said,
        "votes": number(thing.text("upvoteCount")),
    }
    return _item(thing, parts, title=title or body, **facts)


def _votes(answer: Thing) -> int:
    return int(float(number(answer.text("upvoteCount")) or 0))


def _product(thing: Thing, _: Thing | None) -> Item:
    name, offers = thing.text("name"), [*thing.things("offers"), thing]
    offered = next((o for offer in offers if (o := _offer(offer)).get("price")), {}) or _offer(offers[0])
    codes = {
        "sku": thing.text("sku", "productID"),
        "gtin": thing.text("gtin", "gtin13", "gtin12", "gtin8", "isbn"),
    }
    facts = {"brand": thing.text("brand", "manufacturer"), "category": thing.text("category"), **codes}
    totals = next((_counts(t) for t in thing.things("aggregateRating")), {})
    return _item(
        thing, (name, thing.text("description")), title=name, **facts, **offered, **_rated(thing), **totals
    )


def _offer(offer: Thing) -> dict[str, str]:
    """Price, currency and availability of an offer, or the range of several."""
    holders = (offer, *offer.things("priceSpecification"))
    low, high = (next((t for h in holders if (t := h.text(*names))), "") for names in
                 (("price", "lowPrice"), ("highPrice",)))  # fmt: skip
    amount, currency = price(low)
    told = next((t for h in holders if (t := h.text("priceCurrency"))), "")
    stock = offer.text("availability").rstrip("/").rpartition("/")[2].replace(" ", "")
    facts = {"price": plain(low) or amount, "highest": plain(high) or number(high)}
    return {**facts, "currency": told.upper() or currency, "availability": stock}


def _offered(thing: Thing, parent: Thing | None) -> Item:
    """An offer that stands by itself; what is offered may lie within."""
    about = next(iter(thing.things("itemOffered")), thing)
    return _product(Thing(about.kinds, {**about.values, "offers": [thing]}), parent)


def _job(thing: Thing, _: Thing | None) -> Item:
    title = thing.text("title", "name")
    body = [thing.text(n) for n in ("description", "responsibilities", "qualifications", "skills")]
    pay = next(iter(thing.things("baseSalary")), None)
    facts = {
        "company": thing.text("hiringOrganization"),
        "place": "; ".join(dict.fromkeys(p for t in thing.things("jobLocation") if (p := _place(t)))),
        "employment": ", ".join(v for v in thing.every("employmentType") if isinstance(v, str)),
        "remote": "true" if thing.text("jobLocationType").upper() == "TELECOMMUTE" else "",
        "until": iso(thing.text("validThrough")),
    }
    return _item(thing, (title, *body), title=title, **facts, **(_pay(pay) if pay else {}))


def _place(place: Thing) -> str:
    for address in place.things("address"):
        names = ("addressLocality", "addressRegion", "addressCountry")
        return ", ".join(t for name in names if (t := address.text(name)))
    return place.text("address", "name")


def _pay(pay: Thing) -> dict[str, str]:
    values = next(iter(pay.things("value")), pay)
    low, high = number(values.text("minValue", "value")), number(values.text("maxValue"))
    return {
        "pay": low,
        "pay_most": high,
        "currency": pay.text("currency").upper(),
        "per": values.text("unitText"),
    }


def _article(thing: Thing, _: Thing | None) -> Item:
    title = thing.text("headline", "name")
    facts = {"section": thing.text("articleSection"), "publisher": thing.text("publisher")}
    return _item(thing, (title, thing.text("articleBody", "text", "description")), title=title, **facts)


def _item(thing: Thing, parts: Sequence[str], **facts: str) -> Item:
    """The item with the facts that all kinds share; an author who is no person is a fact."""
    author = next(iter(thing.every("author", "creator")), "")
    group = isinstance(author, Thing) and any(kind in GROUPS for kind in author.kinds)
    name = thing.text("author", "creator")
    meta = {
        "kind": thing.kinds[0],
        **facts,
        "published": iso(thing.text("datePublished", "datePosted", "dateCreated", "uploadDate")),
        "modified": iso(thing.text("dateModified")),
        "lang": thing.text("inLanguage").replace("_", "-"),
        "url": thing.text("url"),
        "author": name if group else "",
    }
    text = "\n\n".join(t for part in parts if (t := readable(part)))
    known = {k: readable(v) for k, v in meta.items() if v}
    return Item(
        text=text, meta=known, person="" if group else name, license=license_of(thing.text("license"))
    )


Reader = Callable[[Thing, Thing | None], Item]
READERS: dict[str, Reader] = {
    "Review": _review,
    "AggregateRating": _aggregate,
    "Question": _question,
    "Product": _product,
    "Offer": _offered,
    "JobPosting": _job,
    "Article": _article,
}
IS = {
    "Review": ("CriticReview", "UserReview", "EmployerReview", "MediaReview", "ClaimReview"),
    "AggregateRating": ("EmployerAggregateRating",),
    "Question": ("QAPage", "FAQPage"),
    "Product": (
        "ProductGroup", "ProductModel", "IndividualProduct", "SomeProducts", "Vehicle", "Car",
        "SoftwareApplication",
    ),
    "Offer": ("AggregateOffer",),
    "Article": (
        "NewsArticle", "BlogPosting", "TechArticle", "ScholarlyArticle", "Report", "SocialMediaPosting",
        "DiscussionForumPosting", "LiveBlogPosting", "OpinionNewsArticle", "AnalysisNewsArticle",
        "ReviewNewsArticle",
    ),
}  # fmt: skip
KIND_OF = {name: kind for kind, names in IS.items() for name in (kind, *names)} | {"JobPosting": "JobPosting"}
PAGES = ("QAPage", "FAQPage")  # they hold questions and are none
USUAL = ("Review", "Question", "Product", "JobPosting", "Article")
PLURAL = {
    "Offer": ("Offer", "Product"),
    "Product": ("Offer", "Product"),
}  # an offer is a product with its price


def wanted(kinds: Sequence[str]) -> frozenset[str]:
    """The readers' kinds for the types that a user names; all but ratings alone when none is named.

    Raises SettingsError for a type that nothing is known of.
    """
    for kind in kinds:
        if kind not in KIND_OF:
            raise SettingsError(f"scraper: there is no kind {kind!r}; {suggest(kind, KIND_OF)}")
    named = [KIND_OF[kind] for kind in kinds] or USUAL
    return frozenset(k for kind in named for k in PLURAL.get(kind, (kind,)))


def items(things: Iterable[Thing], kinds: frozenset[str]) -> Iterator[Item]:
    """An Item for each thing of these kinds, each once; of doubles the one that says most.

    An offer within something else has been read with it. A thing that another one just names is no item.
    """
    found: dict[tuple[str, str], Item] = {}
    for thing, parent in walk(things):
        types = [t for t in thing.kinds if KIND_OF.get(t) in kinds and t not in PAGES]
        if not types or (KIND_OF[types[0]] == "Offer" and parent is not None):
            continue
        item = READERS[KIND_OF[types[0]]](Thing((types[0],), thing.values), parent)
        if parent is None or set(item.meta) - {"kind", "title", "url"} or item.text != item.meta.get("title"):
            key = (item.meta["kind"], item.text)
            found[key] = max(found.get(key, item), item, key=lambda i: len(i.meta))
    yield from found.values()
