"""Pages of a web site, those that need it rendered by a browser: `crawl`, with chromium at hand."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop, Exchange, Gap, Record
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._browser.chromium import Chromium, find
from openflywheel.collect._browser.fetching import Rendered
from openflywheel.collect._browser.tally import Tally
from openflywheel.collect._frontier.engine import Progress, crawl_site, frontier_of
from openflywheel.collect._frontier.explain import check_starts, explain_url, looked_at
from openflywheel.collect._frontier.plan import Plan, Scope, plan
from openflywheel.collect._frontier.record import Objects, record_of
from openflywheel.collect._streams import Stream
from openflywheel.collect._value.scale import Encoder
from openflywheel.collect._value.sought import aim_of_a_crawl
from openflywheel.collect._web.web import Web

log = logging.getLogger("openflywheel")


def rendered(
    gap: Gap,
    *,
    start: str | tuple[str, ...],
    pages: int = 100,
    depth: int = 8,
    seconds: float | str = "10m",
    megabytes: int = 500,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    scope: Scope = "host",
    sitemaps: bool = True,
    obey: bool = True,
    refresh: float | str = "7d",
    browser: str = "",
    web: Web,
    objects: Objects,
    workspace: Path,
    state: dict[str, Any],
    encoder: Encoder,
    known: Callable[[], Sequence[str]],
    exchanges: Callable[[Sequence[str]], Mapping[str, Exchange]],
    subject: Callable[[str], str],
    tasks: Mapping[str, Task],
    budget: Budget,
    progress: Progress,
) -> Iterator[Record | Drop]:
    """Crawl as `crawl` does, by the same settings, and let a browser render the pages that need it.

    A page is fetched plainly first. One that says itself that it shows its text to a browser alone is
    rendered, and so are a few of the others, to be sure; what that brings is learned for each section of the
    site and kept in `state`. `browser` is the path of a chromium, else Debian's. What a page in it asks for
    is fetched by our own safe client, or not at all. `progress` is told how much was rendered.
    Raises SettingsError, SourceFailed, StoreError.
    """
    path = find(browser)
    wanted = plan(
        start=start, source="rendered", pages=pages, depth=depth, seconds=seconds,
        bytes=megabytes * 1_000_000, include=include, exclude=exclude, scope=scope, sitemaps=sitemaps,
        obey=obey, refresh=refresh, web=web,
    )  # fmt: skip
    aim, aimed = aim_of_a_crawl(
        gap, exchanges=exchanges, encoder=encoder, known=known, tasks=tasks, budget=budget
    )
    tally, chromium = Tally(state.setdefault("sections", {})), Chromium(path, web.agent)
    try:
        yield from crawl_site(
            wanted, web=web, workspace=workspace, state=state, aim=aim, aimed=aimed,
            make=partial(record_of, source="rendered", objects=objects, subject=subject),
            fetch=Rendered(web, chromium, tally, obey=obey).fetch,
            progress=lambda figures: progress(figures | tally.figures),
        )  # fmt: skip
        if chromium.failed:
            raise SourceFailed(f"rendered: {path} does not start: {chromium.failed}; try: {path} --headless")
    finally:
        web.run(chromium.close())
        log.info(
            "rendered: %d of %d pages, %d of them needlessly", tally.rendered, tally.pages, tally.needless
        )


def check(*, start: str | tuple[str, ...], obey: bool = True, browser: str = "", web: Web) -> None:
    """Is there a browser, and may the starts be fetched? Raises SettingsError, SourceFailed."""
    find(browser)
    check_starts(plan(start=start, source="rendered", obey=obey, web=web), web)


def discover(
    gap: Gap,
    *,
    start: str | tuple[str, ...],
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    scope: Scope = "host",
    sitemaps: bool = True,
    obey: bool = True,
    web: Web,
    workspace: Path,
) -> Iterator[Stream]:
    """What is known of each site so far: from its crawl's frontier, else from its sitemaps."""
    del gap
    yield from looked_at(_rules(start, include, exclude, scope, obey, web, sitemaps), web, workspace)


def explain(
    url: str,
    *,
    start: str | tuple[str, ...],
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    scope: Scope = "host",
    obey: bool = True,
    web: Web,
    workspace: Path,
) -> str:
    """Why a URL was taken, or was not: from the crawl's frontier, else by the rules as they stand."""
    wanted = _rules(start, include, exclude, scope, obey, web)
    return explain_url(url, wanted, web, frontier_of(wanted, workspace))


def _rules(
    start: str | tuple[str, ...],
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    scope: Scope,
    obey: bool,
    web: Web,
    sitemaps: bool = True,
) -> Plan:
    return plan(
        start=start, source="rendered", include=include, exclude=exclude, scope=scope, obey=obey,
        sitemaps=sitemaps, web=web,
    )  # fmt: skip
