"""Files of a place as Records: what is new, read kind by kind, with what was left out said."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Drop, Gap, Part, Record
from openflywheel.collect._files.answers import unnamed
from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.explore import explore
from openflywheel.collect._files.file import File, Found, Refused
from openflywheel.collect._files.kinds import TABLES, kind_of
from openflywheel.collect._files.place import Place
from openflywheel.collect._files.rows import things
from openflywheel.collect._files.seen import Seen
from openflywheel.collect._files.transcribe import transcribe
from openflywheel.collect._rows.record import LONGEST_FACT, Columns, Subject, shown
from openflywheel.collect._streams import Stream

LONGEST = 16 << 20  # characters of a document


class Objects(Protocol):
    """The store of media (store/objects.py)."""

    def put(self, content: bytes) -> str: ...


class Reading(Struct, frozen=True, kw_only=True):
    """How files become Records; `failure` says why a row reports that its sender failed, or "".

    With the `kind` of the gap's task a table without labels is told of its column that looks like them.
    """

    gap: Gap
    place: Place
    columns: Columns
    source: str
    largest: int
    objects: Objects
    subject: Subject
    kind: str = ""
    failure: Callable[[dict[str, Any]], str] = lambda _: ""

    def fresh(self, entries: Sequence[Entry], state: dict[str, Any], most: int) -> Iterator[Record | Drop]:
        """Records of what is new since the last time, at most so many; the rest comes the next time.

        Each task has a state of its own, since labels are a task's.
        """
        settings = content_id(msgspec.json.encode(self.columns))[:12]
        seen, left = Seen(state.setdefault(self.gap.task, {}), settings), most
        with closing(seen.fresh(entries)) as fresh:
            for entry, before in fresh:
                for number, thing in self._things(entry, before):
                    yield thing
                    seen.given(entry, number)
                    left -= isinstance(thing, Record)
                    if left <= 0:
                        return

    def _things(self, entry: Entry, before: int) -> Iterator[tuple[int, Record | Drop]]:
        """What becomes of each thing in a file but the first `before`, with its number."""
        found = enumerate(opened(self.place, entry, self.largest), start=1)
        for number, each in islice(found, before, None):
            if isinstance(each, Drop):
                yield number, each
                continue
            if number == 1 and self.place.single and each[1].row is not None:
                yield from ((0, said) for said in self._look(entry, each[1].row))
            yield from ((number, thing) for thing in self._thing(*each))

    def _thing(self, name: str, found: Found) -> Iterator[Record | Drop]:
        uri = self.place.uri(name) + (f"#{found.anchor}" if found.anchor else "")
        if found.row is None:
            yield self._document(found, uri)
        elif failed := self.failure(found.row):
            yield Drop(failed)
        else:
            yield from things(
                found.row, self.gap, self.columns, source=self.source, uri=uri, subject=self.subject
            )

    def _look(self, entry: Entry, first: dict[str, Any]) -> Iterator[Drop]:
        """Are the columns of a table that the user named itself those of the settings?

        Where the first row lacks one all are looked at: rows of JSON Lines differ. Raises SettingsError.
        """
        where = self.place.uri(entry.name)
        try:
            self.columns.require(first, where)
        except SettingsError:
            there = dict.fromkeys(name for row in self._rows(entry) for name in row)
            self.columns.require(there, where)
        if self.columns.label in first:
            return
        with closing(self._rows(entry)) as rows:
            column = unnamed(rows, self.columns, self.kind)
        if column:
            yield Drop(f"no row of {where} has a label: name its column (label: {column})")

    def _rows(self, entry: Entry) -> Generator[dict[str, Any], None, None]:
        for each in opened(self.place, entry, self.largest):
            if not isinstance(each, Drop) and each[1].row is not None:
                yield each[1].row

    def _document(self, found: Found, uri: str) -> Record | Drop:
        text = shown(found.text or (transcribe(found.content, found.mime) if found.mime else ""))
        text = text.replace("\0", "")
        if len(text) > LONGEST:
            return Drop("text too long")
        if not text.strip() and not found.mime:
            return Drop("no text")
        media = (
            (Part(mime=found.mime, uri=uri, digest=self.objects.put(found.content)),) if found.mime else ()
        )
        facts = {key: shown(value) for key, value in found.meta.items() if value}
        return Record(
            text=text,
            source=self.source,
            uri=uri,
            parts=media,
            subject=self.subject(found.person) if found.person else "",
            meta={key: value for key, value in facts.items() if len(value) <= LONGEST_FACT},
            license=found.license,
        )


def opened(place: Place, entry: Entry, largest: int) -> Iterator[tuple[str, Found] | Drop]:
    """What is found in one file, or why nothing is. Raises MissingExtra, SourceFailed."""
    if entry.refused or entry.size > largest:
        yield Drop(entry.refused or "file too large")
        return
    try:
        stream = place.open(entry)
    except Refused as why:
        yield Drop(str(why))
        return
    yield from explore(File(entry.name, stream, entry.size, single=place.single))


def streams(place: Place, entries: Iterable[Entry], largest: int) -> Iterator[Stream]:
    """Files and bytes by kind, the columns of the first table of a kind, and what would not be read."""
    kinds: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.name):
        kind = kind_of(entry.name)
        kinds.setdefault(entry.refused or (kind.name if kind else "unknown kind of file"), []).append(entry)
    for name, group in sorted(kinds.items()):
        columns = _columns(place, group[0], largest) if name in TABLES else ()
        yield Stream(name, len(group), columns=columns, note=f"{sum(e.size for e in group):,} bytes")


def _columns(place: Place, entry: Entry, largest: int) -> tuple[str, ...]:
    found = next((e for e in opened(place, entry, largest) if not isinstance(e, Drop)), None)
    return tuple(found[1].row or ()) if found else ()
