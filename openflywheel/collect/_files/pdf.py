"""PDF: the text that stands in it, with a form feed between pages. What was only scanned has none.

Columns are read one after the other, wherever the file has its pieces of text (see layout.py).
"""

import threading
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium  # type: ignore[import-untyped]
from pypdfium2 import raw

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused
from openflywheel.collect._files.layout import lines

PAGES = 5_000
PIECES = 5_000  # of text on a page; one with more is a drawing, and is read as it stands in the file

_pdfium = threading.Lock()  # PDFium is not thread-safe


def read(file: File) -> Iterator[Found | Drop]:
    """One text. Raises Refused when it is encrypted."""
    with _pdfium:
        document = _opened(file)
        try:
            pages = len(document)
            text = "\f".join(_text(document, page, file) for page in range(min(pages, PAGES)))
            said = document.get_metadata_dict(skip_empty=True)
        finally:
            document.close()
    meta = {"title": said["Title"]} if "Title" in said else {}
    yield Found(text=text, meta={**meta, "pages": str(pages)}, person=said.get("Author", ""))
    if pages > PAGES:
        yield Drop(f"pages after the {PAGES:,}th")


def _opened(file: File) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(file.whole())
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise Refused("encrypted file") from error
        raise


def _text(document: pdfium.PdfDocument, number: int, file: File) -> str:
    """A page's text, under the allowance: a page can show one stream a million times."""
    page = document[number]
    words = page.get_textpage()
    try:
        text = _in_order(words)
    finally:
        words.close()
        page.close()
    file.allowance.take(len(text))
    return text.replace("\r\n", "\n")


def _in_order(words: pdfium.PdfTextPage) -> str:
    """The text as it is read: as it stands in the file, unless its columns are torn there."""
    pieces = words.count_rects()
    if not 0 < pieces <= PIECES:
        return str(words.get_text_bounded())
    boxes = np.array([words.get_rect(i) for i in range(pieces)])
    found = lines(boxes)
    order = [i for line in found for i in line]
    if order == sorted(order):
        return str(words.get_text_bounded())
    return "\n".join(" ".join(str(words.get_text_bounded(*boxes[i])).strip() for i in line) for line in found)
