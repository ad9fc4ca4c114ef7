"""Pages of a web site: its robots.txt obeyed, aimed at a gap, resumed where it stopped."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.base.nouns import Drop, Exchange, Gap, Record
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._frontier.engine import Progress, crawl_site, frontier_of
from openflywheel.collect._frontier.explain import check_starts, explain_url, looked_at
from openflywheel.collect._frontier.plan import Plan, Scope, plan
from openflywheel.collect._frontier.record import Objects, record_of
from openflywheel.collect._frontier.taking import Make
from openflywheel.collect._site.page import Page
from openflywheel.collect._site.warc import Writer
from openflywheel.collect._streams import Stream
from openflywheel.collect._value.scale import Encoder
from openflywheel.collect._value.sought import aim_of_a_crawl
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

ARCHIVES = (".warc", ".warc.gz")


def crawl(
    gap: Gap,
    *,
    start: str | tuple[str, ...],
    pages: int = 200,
    depth: int = 8,
    seconds: float | str = "10m",
    megabytes: int = 500,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    scope: Scope = "host",
    sitemaps: bool = True,
    obey: bool = True,
    media: bool = False,
    refresh: float | str = "7d",
    warc: str = "",
    web: Web,
    objects: Objects,
    workspace: Path,
    folder: Path,
    state: dict[str, Any],
    encoder: Encoder,
    known: Callable[[], Sequence[str]],
    exchanges: Callable[[Sequence[str]], Mapping[str, Exchange]],
    subject: Callable[[str], str],
    tasks: Mapping[str, Task],
    budget: Budget,
    progress: Progress,
) -> Iterator[Record | Drop]:
    """Crawl from `start`, at most `pages` pages, `megabytes` and `seconds` (a number, or "10m") a gap.

    A gap with words is crawled for: links that promise most for it first, until the best is not worth its
    price. Other gaps take what is nearest to the start. `depth` counts links from the start. `include` and
    `exclude` are patterns of the URL's path with its query ("/docs/*"; * is anything, also slashes). `scope`
    keeps to the start's "host" (www. or not), its "domain" with all hosts below it, or "any". What was
    fetched more than `refresh` ago is asked whether it has changed. With `media` PDFs, images and the like
    are kept too, as parts without text. `obey: false` looks at no robots.txt, noindex, nofollow or
    reservation, and is for hosts of your own alone (wheel.web.allow). `warc` names a folder for an archive of
    all that was taken; a `start` that ends in .warc or .warc.gz is read instead of fetched (extra `warc`).
    Raises SettingsError, SourceFailed, StoreError.
    """
    sites, archives = _sorted(start)
    make = partial(record_of, source="crawl", objects=objects, subject=subject)
    for archive in archives:
        yield from _replayed(folder / archive, make, state)
    if archives and not sites:
        return
    wanted = plan(
        start=sites, pages=pages, depth=depth, seconds=seconds, bytes=megabytes * 1_000_000, include=include,
        exclude=exclude, scope=scope, sitemaps=sitemaps, obey=obey, media=media, refresh=refresh, web=web,
    )  # fmt: skip
    aim, aimed = aim_of_a_crawl(
        gap, exchanges=exchanges, encoder=encoder, known=known, tasks=tasks, budget=budget
    )
    with ExitStack() as stack:
        if warc:
            writer = stack.enter_context(_archive(folder / warc, wanted, web.agent))
            make = partial(_archived, writer, web.agent, make)
        yield from crawl_site(
            wanted, web=web, workspace=workspace, state=state, make=make,
            aim=aim, aimed=aimed, progress=progress,
        )  # fmt: skip


def check(*, start: str | tuple[str, ...], obey: bool = True, web: Web, folder: Path) -> None:
    """May the starts be fetched? Asks for their robots.txt alone. Raises SettingsError, SourceFailed."""
    sites, archives = _sorted(start)
    for archive in archives:
        _found(folder / archive)
    if archives and not sites:
        return
    check_starts(plan(start=sites, obey=obey, web=web), web)


def discover(
    gap: Gap,
    *,
    start: str | tuple[str, ...],
    pages: int = 200,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    scope: Scope = "host",
    sitemaps: bool = True,
    obey: bool = True,
    media: bool = False,
    web: Web,
    workspace: Path,
    folder: Path,
) -> Iterator[Stream]:
    """What is known of each site so far: from its crawl's frontier, else from its sitemaps."""
    del gap
    sites, archives = _sorted(start)
    for archive in archives:
        yield Stream(str(_found(folder / archive)), note="web archive")
    if archives and not sites:
        return
    wanted = plan(
        start=sites, pages=pages, include=include, exclude=exclude, scope=scope, sitemaps=sitemaps,
        obey=obey, media=media, web=web,
    )  # fmt: skip
    yield from looked_at(wanted, web, workspace)


def explain(
    url: str,
    *,
    start: str | tuple[str, ...],
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    scope: Scope = "host",
    obey: bool = True,
    media: bool = False,
    web: Web,
    workspace: Path,
) -> str:
    """Why a URL was taken, or was not: from the crawl's frontier, else by the rules as they stand."""
    sites, _ = _sorted(start)
    wanted = plan(start=sites, include=include, exclude=exclude, scope=scope, obey=obey, media=media, web=web)
    return explain_url(url, wanted, web, frontier_of(wanted, workspace))


def _sorted(start: str | tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sites and the archives among the starts."""
    starts = (start,) if isinstance(start, str) else start
    archives = tuple(s.removeprefix("file://") for s in starts if s.endswith(ARCHIVES))
    return tuple(s for s in starts if not s.endswith(ARCHIVES)), archives


def _found(archive: Path) -> Path:
    if not archive.is_file():
        raise SettingsError(f"crawl: start: there is no archive {str(archive)!r}")
    return archive


def _replayed(path: Path, make: Make, state: dict[str, Any]) -> Iterator[Record | Drop]:
    """An archive's pages, unless it was read before and has not changed."""
    about = _found(path).stat()
    now, read = [about.st_size, about.st_mtime], state.setdefault("archives", {})
    if read.get(str(path)) == now:
        return
    try:
        from openflywheel.collect._frontier.archive import replay  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"collect.crawl needs {error.name!r} to read {path}: pip install 'openflywheel[warc]'"
        ) from None
    yield from replay(path, make)
    read[str(path)] = now


def _archive(folder: Path, wanted: Plan, agent: str) -> Writer:
    """One file a crawl and a day."""
    folder.mkdir(parents=True, exist_ok=True)
    return Writer(folder / f"{wanted.name}-{time.strftime('%Y%m%d', time.gmtime())}.warc.gz", agent)


def _archived(writer: Writer, agent: str, make: Make, response: Response, page: Page) -> Record:
    """A Record of a page that is in the archive too."""
    record = make(response, page)
    writer.write(response.url, response.status, response.headers, response.body, asked={"user-agent": agent})
    return record
