"""PPTX: the words of each slide and its notes, with a form feed between slides."""

from collections.abc import Iterable, Iterator
from typing import Any

import pptx

from openflywheel.base.instruments.pipes import pipe_table
from openflywheel.base.nouns import Drop
from openflywheel.collect._files import office
from openflywheel.collect._files.file import File, Found


def read(file: File) -> Iterator[Found | Drop]:
    """One text. Raises Refused when the archive in it is unsafe."""
    office.check(file)
    deck = pptx.Presentation(file.stream)
    slides = ["\n".join(_slide(slide)) for slide in deck.slides]
    about = deck.core_properties
    meta = {"slides": str(len(slides)), **({"title": about.title} if about.title else {})}
    text = "\f".join(slides)
    yield Found(text=text if text.strip() else "", meta=meta, person=about.author or "")


def _slide(slide: Any) -> Iterator[str]:
    yield from _words(slide.shapes)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        yield from filter(None, [slide.notes_slide.notes_text_frame.text])


def _words(shapes: Iterable[Any]) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):  # a group
            yield from _words(shape.shapes)
        elif shape.has_text_frame and shape.text_frame.text:
            yield shape.text_frame.text
        elif getattr(shape, "has_table", False):
            yield f"\n{pipe_table([cell.text for cell in row.cells] for row in shape.table.rows)}\n"
