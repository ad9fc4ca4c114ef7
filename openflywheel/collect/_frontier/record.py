"""A page as a Record."""

from collections.abc import Callable
from typing import Protocol

from openflywheel.base.nouns import Part, Record
from openflywheel.collect._site.page import Page
from openflywheel.collect._site.signals import linked_license
from openflywheel.collect._web.response import Response


class Objects(Protocol):
    """Where bytes are kept (store/objects.py)."""

    def put(self, content: bytes) -> str: ...


def record_of(
    response: Response, page: Page, *, source: str, objects: Objects, subject: Callable[[str], str]
) -> Record:
    """A page as a Record, its bytes among the objects; its author, being a person, only as an opaque key."""
    facts = {"title": page.title, "lang": page.lang, **page.meta}
    part = Part(mime=response.mime or "text/html", uri=page.url, digest=objects.put(response.body))
    return Record(
        text=page.text,
        source=source,
        uri=page.url,
        parts=(part,),
        subject=subject(page.author) if page.author else "",
        license=page.license or linked_license(response.headers),
        meta={name: said for name, said in facts.items() if said},
    )
