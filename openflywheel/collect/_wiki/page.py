"""A page of any wiki, and the Record that it becomes."""

from msgspec import Struct

from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._rows.record import LONGEST, shown


class Page(Struct, frozen=True, kw_only=True):
    """A page as text with headings; `changed` in ISO 8601. Who wrote it is not kept."""

    id: str
    title: str
    text: str
    uri: str = ""
    changed: str = ""
    license: str = ""

    def record(self, where: str) -> Record | Drop:
        """The Record; `where` names the wiki for a page that has no address of its own."""
        if not self.text.strip():
            return Drop("page without text")
        text = f"# {self.title}\n\n{self.text.strip()}" if self.title else self.text.strip()
        if len(text) > LONGEST:
            return Drop(f"text longer than {LONGEST:,} characters")
        facts = {"title": self.title, "modified": self.changed}
        return Record(
            text=shown(text),
            source="wiki",
            uri=self.uri or f"{where}#{self.id}",
            license=self.license,
            meta={k: shown(v) for k, v in facts.items() if v},
        )
