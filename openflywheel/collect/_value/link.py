"""What an aim is shown of a site."""

from typing import Protocol


class Link(Protocol):
    """Where a link points, and the words it stands under (_site/page.py)."""

    @property
    def url(self) -> str: ...

    @property
    def text(self) -> str: ...


class Page(Protocol):
    """The page that links stand on (_site/page.py)."""

    @property
    def text(self) -> str: ...
