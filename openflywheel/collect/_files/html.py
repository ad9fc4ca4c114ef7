"""HTML: the page's own text, with its title, language, license and facts."""

from collections.abc import Iterator

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found
from openflywheel.collect._site.page import read as read_page


def read(file: File) -> Iterator[Found | Drop]:
    """One text."""
    page = read_page(file.whole(), "")
    said = {**page.meta, "title": page.title, "lang": page.lang}
    meta = {k: v for k, v in said.items() if v}
    yield Found(text=page.text, meta=meta, license=page.license, person=page.author)
