"""Endless pages: calendars, counters and filters that make a new URL for ever and say nothing new.

URLs that differ in numbers, months and the values of their queries alone have one pattern. After `FREE` pages
of a pattern each is compared with the one before; `STREAK` pages in a row with hardly a new line close it.
"""

import re
from collections import OrderedDict

from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._site.urls import origin

ENDLESS = "endless pages of one pattern"
FREE, STREAK = 10, 10
NEW = 0.1  # share of a page's characters on lines that the page before did not have
REMEMBERED = 500  # patterns whose newest page is remembered

_VALUE = re.compile(r"=[^&]*")
_DATE = (
    r"(?:\d+|\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)\b)"
)
_NUMBER = re.compile(rf"{_DATE}(?:[\s:./,#-]*{_DATE})*")


class _Pattern:
    """What is remembered of a pattern: its pages, dull ones in a row, and the lines of the newest."""

    def __init__(self) -> None:
        self.pages = self.dull = 0
        self.lines: frozenset[int] = frozenset()


class Endless:
    """The patterns of one crawl. The closed ones are kept in its frontier."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier
        self._closed = frontier.facts.endless()
        self._patterns: OrderedDict[str, _Pattern] = OrderedDict()

    def closed(self, url: str) -> bool:
        """Has the pattern of a canonical URL been closed?"""
        return bool(self._closed) and pattern_of(url) in self._closed

    def read(self, url: str, text: str) -> None:
        """A page of some text came from a canonical URL."""
        if (name := pattern_of(url)) is None:
            return
        pattern = self._patterns.setdefault(name, _Pattern())
        self._patterns.move_to_end(name)
        if len(self._patterns) > REMEMBERED:
            self._patterns.popitem(last=False)
        pattern.pages += 1
        if pattern.pages >= FREE:
            self._compare(name, pattern, text)

    def _compare(self, name: str, pattern: _Pattern, text: str) -> None:
        lines = {hash(line): len(line) for line in _NUMBER.sub("#", text.lower()).split("\n")}
        new = sum(size for line, size in lines.items() if line not in pattern.lines)
        pattern.dull = pattern.dull + 1 if new <= NEW * sum(lines.values()) else 0
        pattern.lines = frozenset(lines)
        if pattern.dull >= STREAK:
            self._closed.add(name)
            self._frontier.facts.close_pattern(name)


def pattern_of(url: str) -> str | None:
    """A URL with its numbers, months and query values folded; None when it has none of them."""
    path, mark, query = url[len(origin(url)) :].partition("?")
    folded = _NUMBER.sub("#", path.lower()) + mark + _VALUE.sub("", query)
    return None if folded == path.lower() else origin(url) + folded
