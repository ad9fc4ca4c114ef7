"""A conversation of any log, and the Records that it becomes."""

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.record import LONGEST, LONGEST_FACT, Subject, shown

Each = Literal["conversation", "turn"]
ASKING = frozenset({"user", "human", "customer"})


class Turn(Struct, frozen=True, kw_only=True):
    """What one side said; `label` is what it was, if the log says."""

    who: str
    text: str
    label: str = ""


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation. `system` is the prompt that stood before it, `person` who asked."""

    id: str
    turns: tuple[Turn, ...]
    system: str = ""
    label: str = ""
    person: str = ""
    facts: Mapping[str, str] = {}

    def records(self, gap: Gap, each: Each, *, uri: str, subject: Subject) -> Iterator[Record | Drop]:
        """One Record for all of it, or one for each thing that the person said."""
        place, key = f"{uri}#{self.id}", subject(self.person) if self.person else ""
        if each == "conversation":
            said = [f"{turn.who}: {turn.text.strip()}" for turn in self.turns if turn.text.strip()]
            yield self._record(gap, "\n".join(said), self.label, place, key)
            return
        for number, turn in enumerate(self.turns):
            if turn.who in ASKING:
                yield self._record(gap, turn.text.strip(), turn.label, f"{place}/{number}", key)

    def _record(self, gap: Gap, text: str, label: str, uri: str, key: str) -> Record | Drop:
        if not text:
            return Drop("no text")
        if len(text) > LONGEST:
            return Drop(f"text longer than {LONGEST:,} characters")
        known = label if gap.task else ""
        facts = {"conversation": self.id, "system": self.system, **self.facts}
        return Record(
            text=shown(text),
            source="chat",
            uri=uri,
            subject=key,
            meta={k: shown(v) for k, v in facts.items() if v and len(v) <= 10 * LONGEST_FACT},
            labels={gap.task: known} if known else {},
            labelled_by="seed" if known else "",
        )
