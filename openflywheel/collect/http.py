"""Items of a JSON API that comes in pages, and with a field that grows only what is new."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.api import API, bare, basic, bearer
from openflywheel.collect._rows.paged import Listed, Paged
from openflywheel.collect._rows.paging import Page, Paging
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import Columns, Subject, record
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.web import Web

Named = dict[str, str] | None


def http(
    gap: Gap,
    *,
    url: str,
    records: str = "",
    paging: Paging | None = None,
    headers: Named = None,
    token: str = "",
    login: str = "",
    parameters: Named = None,
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    uri: str = "",
    person: str = "",
    published: str = "",
    meta: tuple[str, ...] | None = None,
    cursor: str = "",
    since: str = "",
    pages: int = 100,
    web: Web,
    state: dict[str, Any],
    subject: Subject,
) -> Iterator[Record | Drop]:
    """Records of the items in the list at the path `records` ("data.items"; "" when the body is the list).

    `paging` says where the next page is: {by: cursor, at: meta.next, parameter: cursor}, {by: page},
    {by: offset}, {by: link} (the header) or {by: url, at: links.next}; without it there is one page. At most
    `pages` are read in a turn, the next one goes on there. Credentials, from the environment: `token`
    (Bearer), `login` ("user:password"), `headers`, or query `parameters`; none is kept, shown, or sent to
    another origin.

    `text`, `label`, `uri`, `person` (of whom only an opaque key is kept), `published` and `meta` name fields
    of an item, with dots for a path into it. `cursor` names one that grows, and `since` the query parameter
    that asks the API for what came after its greatest value so far.

    Raises SettingsError for a path or field that is not there; SourceFailed when the API fails or refuses.
    """
    if bool(cursor) != bool(since):
        raise SettingsError(
            "http: cursor (the field that grows) and since (the query parameter that asks for what came "
            "after it) go together; give both, or neither"
        )
    columns = Columns(text=text, label=label, uri=uri, person=person, published=published, meta=meta)
    secret = parameters or {}
    use = f"{gap.task} {msgspec.json.encode(columns)!r}"  # labels are a task's, so each reads for itself
    listed = Listed(
        url=url, records=records, paging=paging, cursor=cursor, since=since, secret=secret, use=use
    )
    paged = Paged(_api(web, url, headers, token, login, secret), listed, state)
    for page in paged.pages(pages):
        if paged.first:
            _require(page, columns)
        for item in page.items:
            yield _one(item, gap, columns, url, subject)
    if paged.ended:
        yield Drop(paged.ended)


def _one(item: Any, gap: Gap, columns: Columns, url: str, subject: Subject) -> Record | Drop:
    if not isinstance(item, Mapping):
        return Drop("item is no object")
    return record(item, gap, columns, source="http", uri=bare(url), subject=subject)


def _require(page: Page, columns: Columns) -> None:
    """Raises SettingsError when no item of the first page has a field of the text: that is a wrong name."""
    items = [item for item in page.items if isinstance(item, Mapping)]
    if items and not any(at(item, name) is not None for item in items for name in columns.texts):
        there = {str(key) for item in items for key in item}
        name = columns.texts[0]
        raise SettingsError(f"http: no item of {bare(page.url)} has a field {name!r}; {suggest(name, there)}")


def _api(web: Web, url: str, headers: Named, token: str, login: str, secret: Mapping[str, str]) -> API:
    user, _, password = login.partition(":")
    known = {**(headers or {}), **bearer(token), **(basic(user, password) if login else {})}
    return API(web, "http", url, headers=known, secret=secret)


def check(
    *,
    url: str,
    records: str = "",
    headers: Named = None,
    token: str = "",
    login: str = "",
    parameters: Named = None,
    text: str | tuple[str, ...] = "text",
    web: Web,
) -> None:
    """Ask for the first page, and see whether the list and the text are there."""
    api = _api(web, url, headers, token, login, parameters or {})
    _require(_first(api, url, records), Columns(text=text))


def discover(
    gap: Gap,
    *,
    url: str,
    records: str = "",
    headers: Named = None,
    token: str = "",
    login: str = "",
    parameters: Named = None,
    web: Web,
) -> Iterator[Stream]:
    """The API with the fields of its first page's items; how many there are only it knows."""
    del gap
    page = _first(_api(web, url, headers, token, login, parameters or {}), url, records)
    names = dict.fromkeys(str(key) for item in page.items if isinstance(item, Mapping) for key in item)
    yield Stream(bare(url), columns=tuple(names), note=f"{len(page.items)} items on the first page")


def _first(api: API, url: str, records: str) -> Page:
    return next(Paged(api, Listed(url=url, records=records), {}).pages(1))
