"""A support ticket of any system, and the Record that it becomes."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import LONGEST, shown

CUSTOMER, AGENT = "customer", "agent"


class Turn(Struct, frozen=True):
    """What one side said."""

    who: str
    text: str


class Ticket(Struct, frozen=True, kw_only=True):
    """A ticket. `person` asked; `facts` become meta; `fields` are what a label may be taken from.

    `fields`: group, type, priority, status, tags (a list), custom_fields (by id or name) ...
    """

    id: str
    title: str
    turns: tuple[Turn, ...]
    person: str
    facts: Mapping[str, str]
    fields: Mapping[str, Any]

    def record(self, gap: Gap, *, label: str, uri: str, subject: Callable[[str], str]) -> Record | Drop:
        """The subject line and the turns as a text; names stand nowhere but in the key of `subject`."""
        said = [f"{turn.who}: {turn.text.strip()}" for turn in self.turns if turn.text.strip()]
        text = "\n".join([line for line in (self.title.strip(), *said) if line])
        if not said:
            return Drop("ticket without text")
        if len(text) > LONGEST:
            return Drop(f"text longer than {LONGEST:,} characters")
        right = label_of(self.fields, label) if gap.task else ""
        return Record(
            text=shown(text),
            source="tickets",
            uri=uri,
            subject=subject(self.person) if self.person else "",
            meta={k: v for k, v in self.facts.items() if v},
            labels={gap.task: right} if right else {},
            labelled_by="seed" if right else "",
        )


def label_of(fields: Mapping[str, Any], path: str) -> str:
    """The label at a path; of tags the only one, or the only one that fits a pattern ("tags.team_*")."""
    where, _, pattern = path.partition(".")
    if where != "tags":
        return shown(at(fields, path)) if path else ""
    fitting = [str(tag) for tag in fields.get("tags") or () if fnmatchcase(str(tag), pattern or "*")]
    return fitting[0] if len(fitting) == 1 else ""


def texts(raw: Any, *paths: str) -> str:
    """The first of these fields that holds text."""
    found = (at(raw, path) for path in paths)
    return next((shown(value) for value in found if value not in (None, "")), "")


def rows(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list; none when it is no list."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
