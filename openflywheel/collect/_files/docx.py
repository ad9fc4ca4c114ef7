"""DOCX: paragraphs and tables in their order; headings and tables as in Markdown."""

from collections.abc import Iterator

import docx
from docx.document import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

from openflywheel.base.instruments.pipes import pipe_table
from openflywheel.base.nouns import Drop
from openflywheel.collect._files import office
from openflywheel.collect._files.file import File, Found


def read(file: File) -> Iterator[Found | Drop]:
    """One text. Raises Refused when the archive in it is unsafe."""
    office.check(file)
    document = docx.Document(file.stream)
    text = "\n".join(_blocks(document))
    about = document.core_properties
    yield Found(text=text, meta={"title": about.title} if about.title else {}, person=about.author or "")


def _blocks(document: Document) -> Iterator[str]:
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield f"\n{pipe_table([cell.text for cell in row.cells] for row in block.rows)}\n"
        else:
            yield _paragraph(block)


def _paragraph(paragraph: Paragraph) -> str:
    style = paragraph.style.name if paragraph.style else ""
    level = (style or "").removeprefix("Heading ")
    return f"{'#' * int(level)} {paragraph.text}" if level.isdigit() else paragraph.text
