"""Pages of wikis: MediaWiki (API and XML dumps), Confluence (API and HTML export), Notion (export)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.api import API
from openflywheel.collect._rows.progress import Progress, files_of
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.web import Web
from openflywheel.collect._wiki import archive, confluence, dump, mediawiki, notion
from openflywheel.collect._wiki.page import Page

System = Literal["mediawiki", "confluence", "notion"]
APIS = {"mediawiki": mediawiki, "confluence": confluence}
EXPORTS = {"confluence": confluence.exported, "notion": notion.exported}
SUFFIXES = {"mediawiki": (".xml", ".bz2", ".gz"), "confluence": (".zip",), "notion": (".zip",)}


def wiki(
    gap: Gap,
    *,
    system: System,
    where: str,
    user: str = "",
    key: str = "",
    space: str = "",
    most: int = 1_000,
    web: Web,
    folder: Path,
    state: dict[str, Any],
) -> Iterator[Record | Drop]:
    """One Record a page: its title and its text with headings, as Markdown; who wrote it is not kept.

    `where` is the URL of an API ("https://host/w/api.php" of MediaWiki, "https://acme.atlassian.net/wiki" of
    Confluence), or the path of an export, or of a folder of them: an XML dump of MediaWiki (also .bz2, .gz),
    the zip of a space of Confluence as HTML, the zip of Notion as Markdown or HTML. `user` and `key`: an
    e-mail address and API token of Confluence Cloud; a token alone for Confluence Data Center and MediaWiki.
    `space`: one space of Confluence, or the number of one namespace of MediaWiki (0 without it).

    An API gives every page once, `most` in a turn, and later what has changed; an export is read again when
    it has. Raises SettingsError for a wrong path; SourceFailed when the wiki fails or refuses.
    """
    del gap
    if "://" in where:
        found = _of(system).pages(
            _api(web, system, where, user, key), state.setdefault(space, {}), space=space, most=most
        )
    else:
        found = _exported(system, folder / where, space, most, state)
    for page in found:
        yield page if isinstance(page, Drop) else page.record(where)


def _of(system: System) -> Any:
    if system not in APIS:
        raise SettingsError(f"wiki: {system} is read from its export; where: the path of the zip")
    return APIS[system]


def _api(web: Web, system: System, where: str, user: str, key: str) -> API:
    return API(web, "wiki", where, headers=_of(system).credentials(user, key) if key else {})


def _exported(
    system: System, place: Path, space: str, most: int, state: dict[str, Any]
) -> Iterator[Page | Drop]:
    progress = Progress(state, space)
    for path in files_of(place, SUFFIXES[system]):
        for page in progress.items(path, lambda file: _pages(file, system, space)):
            yield page
            most -= 1
            if most <= 0:
                return


def _pages(file: BinaryIO, system: System, space: str) -> Iterator[Page | Drop]:
    if system == "mediawiki":
        yield from dump.pages(file, space)
        return
    for member in archive.members(file):
        yield member if isinstance(member, Drop) else EXPORTS[system](*member) or Drop("no page of the wiki")


def check(*, system: System, where: str, user: str = "", key: str = "", web: Web, folder: Path) -> None:
    """Ask the wiki one small question, or see whether the export is there."""
    if "://" in where:
        _of(system).count(_api(web, system, where, user, key))
    else:
        files_of(folder / where, SUFFIXES[system])


def discover(
    gap: Gap, *, system: System, where: str, user: str = "", key: str = "", web: Web, folder: Path
) -> Iterator[Stream]:
    """The wiki with how many pages it says that it has; or each export with its size."""
    del gap
    if "://" in where:
        yield Stream(where, _of(system).count(_api(web, system, where, user, key)))
        return
    for path in files_of(folder / where, SUFFIXES[system]):
        yield Stream(path.name, note=f"{path.stat().st_size:,} bytes")
