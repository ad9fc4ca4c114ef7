"""Which parts of a site need a browser: learned from what rendering brought there, and looked at anew."""

import re
from typing import Any

from openflywheel.base.ids import content_id
from openflywheel.collect._site.urls import origin

MOST = 200  # sections remembered, of about 60 bytes
TRIALS = 2  # pages that are rendered one at a time, before it is clear whether that helps
AGAIN = 10  # of the pages that a browser has not helped, one in so many is rendered all the same
FIRST, TIMES = 16, 4  # of the pages that ask for no browser, the 16th, 64th, 256th ... is rendered to be sure
MORE, LEAST = 1.2, 50  # what counts as help: a fifth more text, and 50 characters

_DIGITS = re.compile(r"\d+")


def section(url: str) -> str:
    """The part of a site that a canonical URL lies in: its folder, numbers aside, and its query's names."""
    path, _, query = url[len(origin(url)) :].partition("?")
    names = sorted({pair.partition("=")[0] for pair in query.split("&") if pair})
    return f"{origin(url)}{_DIGITS.sub('#', path.rpartition('/')[0])}/?{'&'.join(names)}"[:200]


def helps(plain: str, rendered: str) -> bool:
    """Has the browser brought text that the page did not have?"""
    return len(rendered) >= max(len(plain) * MORE, len(plain) + LEAST)


class Tally:
    """What rendering did, by section and by whether a page asked for a browser. `kept` is its memory.

    Each entry holds pages seen, rendered and helped. `rendered` and `needless` count this crawl's.
    """

    def __init__(self, kept: dict[str, Any]) -> None:
        self._kept: dict[str, list[int]] = kept
        self._texts: dict[str, str] = {}
        self.pages = self.rendered = self.needless = 0

    @property
    def figures(self) -> dict[str, float]:
        """For the progress of a crawl."""
        return {"rendered": self.rendered, "needless": self.needless}

    def unsure(self, url: str) -> bool:
        """Is it too early to know whether a browser helps the pages here that ask for one?"""
        return self._entry(url, asks=True)[1] < TRIALS

    def repeats(self, url: str, text: str) -> bool:
        """Has the section's page before had the very same text? Then scripts may write what differs."""
        name, digest = section(url), content_id(text)
        same = self._texts.pop(name, "") == digest
        self._texts[name] = digest
        while len(self._texts) > MOST:
            del self._texts[next(iter(self._texts))]
        return same

    def wants(self, url: str, asks: bool) -> bool:
        """Is a page to be rendered? `asks`: it says itself that it needs a browser."""
        self.pages += 1
        entry = self._entry(url, asks)
        entry[0] += 1
        seen, rendered, helped = entry
        likely = (helped + asks) / (rendered + 1) >= 0.5  # a page that asks has one success on credit
        return likely or (seen % AGAIN == 0 if asks else _is_power(seen))

    def learn(self, url: str, asks: bool, helped: bool) -> None:
        """Note what rendering a page has brought."""
        entry = self._entry(url, asks)
        entry[1] += 1
        entry[2] += helped
        self.rendered += 1
        self.needless += not helped

    def _entry(self, url: str, asks: bool) -> list[int]:
        name = f"{section(url)} {'asks' if asks else 'silent'}"
        entry = self._kept.pop(name, [0, 0, 0])
        self._kept[name] = entry
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return entry


def _is_power(seen: int) -> bool:
    """Is it FIRST, or that times TIMES, and so on?"""
    while seen > FIRST and seen % TIMES == 0:
        seen //= TIMES
    return seen == FIRST
