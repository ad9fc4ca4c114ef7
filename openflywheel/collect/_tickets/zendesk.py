"""Zendesk: the cursor-based incremental export (tickets/cursor.json), comments, and export files.

https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop
from openflywheel.collect._rows.api import API, basic, with_query
from openflywheel.collect._rows.path import at
from openflywheel.collect._tickets.ticket import AGENT, CUSTOMER, Ticket, Turn, rows, texts

PAGE = 100  # tickets; the API gives up to 1,000, but what a turn has begun it has to finish
COMMENTS = 50  # pages of 100: a ticket has at most 5,000 comments
DONE = frozenset({"solved", "closed"})


def credentials(user: str, key: str) -> dict[str, str]:
    """An agent's e-mail address and an API token."""
    return basic(f"{user}/token", key)


def link(base: str, id: str) -> str:
    """Where agents see a ticket."""
    return f"{base}/agent/tickets/{id}"


def count(api: API) -> int | None:
    """How many tickets there are, about: one small request."""
    found = at(api.json(f"{api.url}/api/v2/tickets/count.json"), "count.value")
    return found if isinstance(found, int) else None


def tickets(
    api: API, kept: dict[str, Any], *, since: str, finished: bool, most: int
) -> Iterator[Ticket | Drop]:
    """What changed since the cursor that is kept, in pages; the cursor moves on with each whole page."""
    while most > 0:
        body = api.json(_url(api, kept, since))
        found, cursor = at(body, "tickets"), at(body, "after_cursor")
        if not isinstance(found, list):
            raise api.failed(api.url, "gave no tickets; does the url name a Zendesk?")
        groups = {group.get("id"): group.get("name") for group in rows(at(body, "groups"))}
        for raw in found:
            yield _ticket(api, raw, groups, finished)
        most -= len(found)
        moved = bool(cursor) and cursor != kept.get("cursor")
        kept["cursor"] = cursor or kept.get("cursor", "")
        if at(body, "end_of_stream") is not False or not moved:
            return


def _url(api: API, kept: Mapping[str, Any], since: str) -> str:
    start = {"cursor": kept["cursor"]} if kept.get("cursor") else {"start_time": _seconds(since)}
    path = f"{api.url}/api/v2/incremental/tickets/cursor.json"
    return with_query(path, {**start, "per_page": PAGE, "include": "groups"})


def _seconds(since: str) -> int:
    """Unix time of a date in ISO 8601; of none, the beginning."""
    try:
        moment = datetime.fromisoformat(since or "1970-01-01")
    except ValueError:
        raise SettingsError(f"tickets: since = {since!r} is no date; write 2026-01-31") from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def _ticket(api: API, raw: Any, groups: Mapping[Any, Any], finished: bool) -> Ticket | Drop:
    if why := unwanted(raw, finished):
        return Drop(why)
    comments, users = _comments(api, raw["id"])
    return read({**raw, "comments": comments, "group": {"name": groups.get(raw.get("group_id"))}}, users)


def _comments(api: API, id: Any) -> tuple[list[Mapping[str, Any]], dict[Any, Mapping[str, Any]]]:
    """A ticket's comments, oldest first, and who wrote them by id."""
    found: list[Mapping[str, Any]] = []
    users: dict[Any, Mapping[str, Any]] = {}
    url = f"{api.url}/api/v2/tickets/{id}/comments.json?include=users&page[size]=100"
    for _ in range(COMMENTS):
        response = api.ask(url)
        if response.status == 404:  # deleted since
            break
        body = api.parsed(api.accepted(response))
        found += rows(at(body, "comments"))
        users |= {user.get("id"): user for user in rows(at(body, "users"))}
        if not at(body, "meta.has_more") or not (url := texts(body, "links.next")):
            break
    return found, users


def unwanted(raw: Any, finished: bool) -> str:
    """Why a ticket is not taken, "" when it is."""
    if not isinstance(raw, Mapping) or "id" not in raw:
        return "ticket is no object with an id"
    status = raw.get("status")
    if status == "deleted":
        return "ticket deleted"
    return "ticket not solved yet" if finished and status not in DONE else ""


def read(raw: Mapping[str, Any], users: Mapping[Any, Mapping[str, Any]]) -> Ticket:
    """A ticket as the API gives it with its comments, or as it stands in an export file."""
    asker = raw.get("requester_id") or at(raw, "requester.id")
    turns = [
        _turn(comment, asker, users) for comment in rows(raw.get("comments")) if comment.get("public", True)
    ]
    described = Turn(CUSTOMER, texts(raw, "description"))
    return Ticket(
        id=texts(raw, "id"),
        title=texts(raw, "subject", "raw_subject"),
        turns=tuple(turns) or (described,),
        person=texts(raw, "requester.email")
        or texts(users.get(asker), "email")
        or texts({"id": asker}, "id"),
        facts=_facts(raw),
        fields={**raw, "group": texts(raw, "group.name", "group_id"), "custom_fields": _custom(raw)},
    )


def _turn(comment: Mapping[str, Any], asker: Any, users: Mapping[Any, Mapping[str, Any]]) -> Turn:
    author = comment.get("author_id")
    theirs = author == asker or texts(users.get(author), "role") == "end-user"
    return Turn(CUSTOMER if theirs else AGENT, texts(comment, "plain_body", "body"))


def _facts(raw: Mapping[str, Any]) -> dict[str, str]:
    rating = texts(raw, "satisfaction_rating.score")
    return {
        "title": texts(raw, "subject", "raw_subject"),
        "status": texts(raw, "status"),
        "priority": texts(raw, "priority"),
        "type": texts(raw, "type"),
        "channel": texts(raw, "via.channel"),
        "tags": texts(raw, "tags"),
        "published": texts(raw, "created_at"),
        "solved": texts(raw, "metric_set.solved_at", "solved_at"),
        "rating": rating if rating not in ("unoffered", "offered") else "",
    }


def _custom(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Custom fields by their id: Zendesk writes them as a list."""
    return {texts(field, "id"): field.get("value") for field in rows(raw.get("custom_fields"))}
