"""Freshdesk: the ticket API with its conversations, and export files.

https://developers.freshdesk.com/api/#list_all_tickets
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openflywheel.base.nouns import Drop
from openflywheel.collect._rows.api import API, basic, with_query
from openflywheel.collect._rows.path import at
from openflywheel.collect._tickets.ticket import AGENT, CUSTOMER, Ticket, Turn, rows, texts

PAGE = 100  # tickets and conversations; the most that the API gives
PAGES = 300  # of one list, after which the API refuses
BEGINNING = "1970-01-01T00:00:00Z"  # without a date the API gives the last 30 days
STATUS = {"2": "open", "3": "pending", "4": "resolved", "5": "closed"}
PRIORITY = {"1": "low", "2": "medium", "3": "high", "4": "urgent"}
CHANNEL = {
    "1": "email", "2": "portal", "3": "phone", "7": "chat", "9": "feedback widget", "10": "outbound email",
}  # fmt: skip
DONE = frozenset({"resolved", "closed"})


def credentials(user: str, key: str) -> dict[str, str]:
    """An API key alone; Freshdesk wants any password."""
    del user
    return basic(key, "X")


def link(base: str, id: str) -> str:
    """Where agents see a ticket."""
    return f"{base}/a/tickets/{id}"


def count(api: API) -> None:
    """One small request; how many tickets there are the API does not say."""
    api.json(f"{api.url}/api/v2/tickets?per_page=1")


def tickets(
    api: API, kept: dict[str, Any], *, since: str, finished: bool, most: int
) -> Iterator[Ticket | Drop]:
    """What changed since the moment that is kept.

    Each list begins at the last change that was seen: a ticket that changes meanwhile moves to the end, and
    with numbered pages another one would slip through the hole that it leaves. Only where more than a page
    changed in the same second the next page is asked for.
    """
    start, page, seen = kept.get("changed") or since or BEGINNING, 1, set[str]()
    while page <= PAGES:
        found = _page(api, start, page)
        fresh = [raw for raw in found if texts(raw, "id") not in seen]
        for raw in fresh:
            yield _ticket(api, raw, finished)
        most -= len(fresh)
        last = max([start, *(texts(raw, "updated_at") for raw in found)])
        page = page + 1 if last == start else 1
        seen = {texts(raw, "id") for raw in found if texts(raw, "updated_at") == last}
        start = kept["changed"] = last
        if len(found) < PAGE or (most <= 0 and page == 1):
            return


def _page(api: API, start: str, page: int) -> list[Any]:
    asked = {"updated_since": start, "order_by": "updated_at", "order_type": "asc", "page": page}
    more = {"per_page": PAGE, "include": "requester,stats,description"}
    found = api.json(with_query(f"{api.url}/api/v2/tickets", asked | more))
    if not isinstance(found, list):
        raise api.failed(api.url, "gave no tickets; does the url name a Freshdesk?")
    return found


def _ticket(api: API, raw: Any, finished: bool) -> Ticket | Drop:
    if why := unwanted(raw, finished):
        return Drop(why)
    return read({**raw, "conversations": _conversations(api, raw["id"])}, {})


def _conversations(api: API, id: Any) -> list[Any]:
    """What was said after the description, oldest first."""
    found: list[Any] = []
    for page in range(1, PAGES + 1):
        url = f"{api.url}/api/v2/tickets/{id}/conversations?per_page={PAGE}&page={page}"
        response = api.ask(url)
        if response.status == 404:  # deleted since
            break
        more = api.parsed(api.accepted(response))
        found += rows(more)
        if len(more) < PAGE:
            break
    return found


def unwanted(raw: Any, finished: bool) -> str:
    """Why a ticket is not taken, "" when it is."""
    about = opened(raw)
    if "id" not in about:
        return "ticket is no object with an id"
    for field, why in (("deleted", "ticket deleted"), ("spam", "ticket is spam")):
        if about.get(field):
            return why
    return "ticket not solved yet" if finished and _named(about, "status", STATUS) not in DONE else ""


def opened(raw: Any) -> Mapping[str, Any]:
    """A ticket out of the wrapper that export files put round it."""
    inner = at(raw, "helpdesk_ticket")
    found = inner if isinstance(inner, Mapping) else raw
    return found if isinstance(found, Mapping) else {}


def read(raw: Mapping[str, Any], users: Mapping[Any, Mapping[str, Any]]) -> Ticket:
    """A ticket as the API gives it with its conversations, or as it stands in an export file."""
    del users
    about = opened(raw)
    said = rows(about.get("conversations") or about.get("notes") or about.get("helpdesk_notes"))
    notes = [note for each in said if not (note := at(each, "helpdesk_note") or each).get("private")]
    first = Turn(CUSTOMER, texts(about, "description_text", "description"))
    turns = [Turn(CUSTOMER if n.get("incoming") else AGENT, texts(n, "body_text", "body")) for n in notes]
    group = texts(about, "group.name", "group_name", "group_id")
    return Ticket(
        id=texts(about, "display_id", "id"),
        title=texts(about, "subject"),
        turns=(first, *turns),
        person=texts(about, "requester.email", "requester_email", "email", "requester_id"),
        facts=_facts(about),
        fields={
            **about,
            "group": group,
            "custom_fields": about.get("custom_fields") or about.get("custom_field"),
        },
    )


def _named(raw: Mapping[str, Any], field: str, names: Mapping[str, str]) -> str:
    """A field that the API gives as a number, in words; export files hold them beside it."""
    said = texts(raw, field)
    return names.get(said, texts(raw, f"{field}_name").lower() or said.lower())


def _facts(raw: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": texts(raw, "subject"),
        "status": _named(raw, "status", STATUS),
        "priority": _named(raw, "priority", PRIORITY),
        "type": texts(raw, "type", "ticket_type"),
        "channel": _named(raw, "source", CHANNEL),
        "tags": texts(raw, "tags"),
        "published": texts(raw, "created_at"),
        "solved": texts(raw, "stats.resolved_at", "stats.closed_at"),
        "rating": texts(raw, "satisfaction_rating.rating", "survey_results.0.rating"),
    }
