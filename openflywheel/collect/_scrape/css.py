"""CSS selectors, compiled once each."""

from functools import lru_cache

from cssselect import SelectorError
from lxml.cssselect import CSSSelector

from openflywheel.base.errors import SettingsError


@lru_cache(maxsize=256)
def found_by(selector: str) -> CSSSelector:
    """What finds the elements of a tree of lxml. Raises SettingsError for what is no selector."""
    try:
        return CSSSelector(selector, translator="html")
    except SelectorError as error:
        raise SettingsError(f"{selector!r} is no CSS selector: {error}") from None
