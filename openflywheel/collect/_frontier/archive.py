"""Web archives as a source: the pages of a WARC file, judged like those that are fetched (extra `warc`)."""

import logging
from collections.abc import Iterator
from pathlib import Path

from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._frontier.fetching import WRONG_TYPE
from openflywheel.collect._frontier.rows import number_of
from openflywheel.collect._frontier.taking import NO_TEXT, POISONED, SAME, Make
from openflywheel.collect._site.page import is_html, read
from openflywheel.collect._site.signals import opted_out
from openflywheel.collect._site.urls import canonical
from openflywheel.collect._site.warc_reader import Archived
from openflywheel.collect._site.warc_reader import read as read_archive
from openflywheel.collect._web.response import Response

log = logging.getLogger("openflywheel")


def replay(path: Path, make: Make) -> Iterator[Record | Drop]:
    """Records of an archive's pages, and a Drop for every other answer. Raises OSError."""
    seen = set[int]()
    for found in read_archive(path):
        yield found if isinstance(found, Drop) else _judged(found, make, seen)


def _judged(found: Archived, make: Make, seen: set[int]) -> Record | Drop:
    try:
        return _page(found, make, seen)
    except Exception:  # whatever is in an archive, the next page is read
        log.warning("crawl: %s of an archive could not be read", found.url, exc_info=True)
        return Drop(POISONED)


def _page(found: Archived, make: Make, seen: set[int]) -> Record | Drop:
    url = canonical(found.url)
    if url is None or found.status != 200:
        return Drop(f"HTTP {found.status}" if url else "archive: no URL of the web")
    response = Response(url=url, status=200, headers=found.headers, body=found.body, seconds=0.0)
    if not is_html(response.mime, response.body):
        return Drop(WRONG_TYPE)
    page = read(response.body, url, response.charset)
    if reason := opted_out(url, response.headers, page) or ("" if page.text else NO_TEXT):
        return Drop(reason)
    before = len(seen)
    seen.add(number_of(page.text))
    return make(response, page) if len(seen) > before else Drop(SAME)
