"""Support tickets of Zendesk and Freshdesk, from their APIs or from export files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.api import API
from openflywheel.collect._rows.objects import objects
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.progress import Progress, files_of
from openflywheel.collect._rows.record import Subject
from openflywheel.collect._streams import Stream
from openflywheel.collect._tickets import freshdesk, zendesk
from openflywheel.collect._tickets.ticket import Ticket
from openflywheel.collect._web.web import Web

System = Literal["zendesk", "freshdesk"]
SYSTEMS = {"zendesk": zendesk, "freshdesk": freshdesk}
SUFFIXES = (".json", ".jsonl", ".ndjson")


def tickets(
    gap: Gap,
    *,
    system: System,
    where: str,
    user: str = "",
    key: str = "",
    label: str = "",
    since: str = "",
    finished: bool = True,
    most: int = 1_000,
    web: Web,
    folder: Path,
    state: dict[str, Any],
    subject: Subject,
) -> Iterator[Record | Drop]:
    """One Record a ticket: its subject line and what "customer:" and "agent:" said; internal notes stay out.

    `where` is the URL of the helpdesk ("https://acme.zendesk.com"), with an API `key` and, for Zendesk, its
    `user` (an e-mail address); or the path of an export file (JSON or JSON Lines), or of a folder of them.
    `label` names the field that labels a ticket: "group", "type", "priority", "custom_fields.<id or name>",
    or "tags.team_*" for the only tag that fits. `since` (a date) is where the first turn begins; later ones
    go on with what has changed, `most` tickets in a turn. Only `finished` tickets are taken (solved,
    resolved, closed): the others come again when they are.

    Raises SettingsError for a wrong path or setting; SourceFailed when the helpdesk fails or refuses.
    """
    base = where.rstrip("/")
    use = f"{gap.task} {label}" if label else ""  # labels are a task's, so each reads for itself
    if "://" in where:
        api = _api(web, system, where, user, key)
        found = SYSTEMS[system].tickets(
            api, state.setdefault(use, {}), since=since, finished=finished, most=most
        )
    else:
        found = _exported(system, folder / where, finished, most, Progress(state, use))
    for ticket in found:
        if isinstance(ticket, Drop):
            yield ticket
            continue
        uri = SYSTEMS[system].link(base, ticket.id) if "://" in where else f"{where}#{ticket.id}"
        yield ticket.record(gap, label=label, uri=uri, subject=subject)


def _api(web: Web, system: System, where: str, user: str, key: str) -> API:
    if not key or (system == "zendesk" and not user):
        needed = "user (an agent's e-mail address) and key" if system == "zendesk" else "key"
        raise SettingsError(
            f"tickets: the API of {system} needs {needed}; write key: ${{NAME}} and export NAME"
        )
    return API(web, "tickets", where, headers=SYSTEMS[system].credentials(user, key))


def _exported(
    system: System, place: Path, finished: bool, most: int, progress: Progress
) -> Iterator[Ticket | Drop]:
    """The tickets of export files, so many in a turn."""
    of = SYSTEMS[system]
    for path in files_of(place, SUFFIXES):
        for raw in progress.items(path, _raw):
            if isinstance(raw, Drop):
                yield raw
            else:
                why = of.unwanted(raw, finished)
                yield Drop(why) if why else of.read(raw, {})
            most -= 1
            if most <= 0:
                return


def _raw(file: BinaryIO) -> Iterator[Any]:
    """A file's tickets; an answer of the API that somebody saved holds a list of them."""
    for found in objects(file):
        inside = at(found, "tickets")
        yield from inside if isinstance(inside, list) else [found]


def check(*, system: System, where: str, user: str = "", key: str = "", web: Web, folder: Path) -> None:
    """Ask the helpdesk one small question, or see whether the export is there."""
    if "://" in where:
        SYSTEMS[system].count(_api(web, system, where, user, key))
    else:
        files_of(folder / where, SUFFIXES)


def discover(
    gap: Gap, *, system: System, where: str, user: str = "", key: str = "", web: Web, folder: Path
) -> Iterator[Stream]:
    """The helpdesk with how many tickets it has, where it says so; or each export file with its size."""
    del gap
    if "://" in where:
        yield Stream(where, SYSTEMS[system].count(_api(web, system, where, user, key)))
        return
    for path in files_of(folder / where, SUFFIXES):
        yield Stream(path.name, note=f"{path.stat().st_size:,} bytes")
