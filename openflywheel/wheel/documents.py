"""Documents of any kind as one text, for curation: the readers of collect, and what is said in media."""

import io
from collections.abc import Iterator

from msgspec import Struct

from openflywheel.base.instruments.pipes import pipe_table
from openflywheel.base.nouns import Drop
from openflywheel.collect._files.explore import explore
from openflywheel.collect._files.file import File, Found
from openflywheel.collect._files.transcribe import transcribe


class Document(Struct, frozen=True):
    """What stands in a document, headings and tables as Markdown; `refused` says why nothing does."""

    text: str = ""
    meta: dict[str, str] = {}
    refused: str = ""


def read_document(content: bytes, name: str) -> Document:
    """A document by its bytes and its file's name, whose suffix says the kind. Raises MissingExtra.

    Sections, sheets and attachments follow each other; facts are those of the first part.
    """
    found = list(explore(File(name, io.BytesIO(content), len(content))))
    things = [each[1] for each in found if not isinstance(each, Drop)]
    text = "\n\n".join(filter(None, _texts(things))).strip()
    refused = next((each.reason for each in found if isinstance(each, Drop)), "no text")
    return Document(text, things[0].meta if things else {}, "" if text else refused)


def _texts(things: list[Found]) -> Iterator[str]:
    """The texts in their order; rows of one sheet become one table."""
    rows: list[dict[str, object]] = []
    for thing in [*things, Found()]:
        if rows and (thing.row is None or list(thing.row) != list(rows[0])):
            yield pipe_table([list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)])
            rows = []
        if thing.row is not None:
            rows.append(thing.row)
        else:
            yield thing.text or (transcribe(thing.content, thing.mime) if thing.mime else "")
