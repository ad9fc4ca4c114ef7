"""What a crawl may fetch: its start, its bounds and its rules, checked once."""

import re
from fnmatch import translate
from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.settings import duration
from openflywheel.collect._site.urls import canonical, origin, trap
from openflywheel.collect._web.web import Web

Scope = Literal["host", "domain", "any"]

OUTSIDE = "outside the scope"
EXCLUDED = "excluded by a pattern"
NOT_INCLUDED = "not included by a pattern"


class Plan(Struct, frozen=True, kw_only=True, dict=True):
    """Start, bounds and rules of a crawl; see the settings of `crawl`. `source` names the plugin."""

    start: tuple[str, ...]
    source: str = "crawl"
    pages: int = 200
    depth: int = 8
    seconds: float = 600.0
    bytes: int = 500_000_000
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    scope: Scope = "host"
    sitemaps: bool = True
    obey: bool = True
    media: bool = False
    refresh: float = 7 * 86_400.0

    @cached_property
    def name(self) -> str:
        """What its frontier's file is called: another start or other rules make another frontier."""
        rules = (*self.start, "", *self.include, "", *self.exclude, self.scope, f"{self.media} {self.obey}")
        return f"{self.source}-{content_id(*rules)[:16]}"

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(_site(url) for url in self.start)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
        return _any_of(self.include), _any_of(self.exclude)

    def refuses(self, url: str) -> str:
        """Why a canonical URL is not to be fetched by the rules; "" when they let it pass."""
        if not self.covers(url):
            return OUTSIDE
        if reason := trap(url):
            return reason
        include, exclude = self._patterns
        path = url[len(origin(url)) :]
        if exclude and exclude.match(path):
            return EXCLUDED
        return NOT_INCLUDED if include and not include.match(path) and url not in self.start else ""

    def delivers(self, url: str) -> bool:
        """Is a page of the crawl also wanted? A start page that no pattern includes only leads to others."""
        include, _ = self._patterns
        return include is None or include.match(url[len(origin(url)) :]) is not None

    def covers(self, url: str) -> bool:
        """Is a URL inside the scope? www.example.com and example.com are one host."""
        if self.scope == "any":
            return True
        site = _site(url)
        return site in self._hosts or (
            self.scope == "domain" and any(site.endswith(f".{host}") for host in self._hosts)
        )


def plan(
    *,
    start: str | tuple[str, ...],
    seconds: float | str = 600.0,
    refresh: float | str = "7d",
    web: Web,
    **rest: Any,
) -> Plan:
    """A checked plan; durations are seconds, or texts such as "10m". Raises SettingsError."""
    given = (start,) if isinstance(start, str) else start
    starts = tuple(url for url in map(canonical, given) if url)
    source = rest.get("source", "crawl")
    if len(starts) != len(given) or not starts:
        raise SettingsError(f"{source}: start: {start!r} is not the URL of a site; write https://host/path")
    strangers = [url for url in starts if not web.owns(url)]
    if strangers and not web.settings.contact:
        raise SettingsError(
            f"{source}: {strangers[0]} is not a host of yours, and nobody there could reach you; "
            "set wheel.web.contact to an e-mail address or a URL"
        )
    made = Plan(start=starts, seconds=duration(seconds), refresh=duration(refresh), **rest)
    if not made.obey and (strangers or made.scope == "any"):
        raise SettingsError(
            f"{source}: obey: false is for hosts of your own alone, and {(strangers or starts)[0]} may lead "
            "to others; leave it out, or name the host in wheel.web.allow"
        )
    return made


def _site(url: str) -> str:
    return origin(url).partition("://")[2].removeprefix("www.")


def _any_of(globs: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(translate, globs))) if globs else None
