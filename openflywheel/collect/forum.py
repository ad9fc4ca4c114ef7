"""Forums with Reddit's JSON API: questions and the answers that people found good.

https://www.reddit.com/dev/api/ (listings, comments); https://support.reddithelp.com/hc/en-us/articles/16160319875092
"""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.api import API, bearer, with_query
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import LONGEST, Subject, shown
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.web import Web

Row = Mapping[str, Any]

BATCH = 100  # posts; the most that the API lists at once
ANSWERS = 50  # answers asked for, best first
GONE = frozenset({"[deleted]", "[removed]", "[deleted by user]"})
BOTS = frozenset({"AutoModerator"})
NAME = re.compile(r"[A-Za-z0-9_]{2,50}(?:\+[A-Za-z0-9_]{2,50})*")
HOUR = 3_600


def forum(
    gap: Gap,
    *,
    name: str,
    url: str = "https://oauth.reddit.com",
    token: str = "",
    answers: int = 3,
    score: int = 2,
    settled: float = 24.0,
    most: int = 100,
    web: Web,
    state: dict[str, Any],
    subject: Subject,
) -> Iterator[Record | Drop]:
    """One Record a post (title and text), and one for each of its best `answers` with at least that `score`.

    `name` is the forum's ("BuyItForLife", several as "a+b"), `url` its API's, `token` an OAuth token for it.
    Newest posts come first; a turn looks at `most` of them, goes on there the next time, and then asks for
    what is new. A post younger than `settled` hours waits: its answers are still to come. Who wrote a thing
    is kept as an opaque key alone, one for each Record. When the API says that the turn's requests are used
    up, the rest waits for the next turn.

    Raises SettingsError for a wrong name; SourceFailed when the API fails or refuses.
    """
    del gap
    api = _api(web, url, token, name)
    reading = _Reading(api, name, state.setdefault(name, {}), time.time() - settled * HOUR)
    for post in reading.posts(most):
        if why := _unwanted(post):
            yield Drop(why)
            continue
        yield _record(post, shown(post.get("selftext")), "", subject)
        for answer in reading.answers(post)[:answers] if answers else ():
            said = shown(answer.get("body"))
            if why := _gone(answer, said):
                yield Drop(why)
            elif _number(answer.get("score")) >= score:
                yield _record({**post, **answer}, said, shown(post.get("permalink")), subject)


class _Reading:
    """One turn's way down the list of posts, newest first.

    In the state: "until", the newest post of the last whole pass; "top", the newest of the pass that is going
    on; "after", where it was cut. Moments are Unix seconds.
    """

    def __init__(self, api: API, name: str, kept: dict[str, Any], before: float) -> None:
        self._api, self._name, self._kept, self._before = api, name, kept, before
        self._left = 1.0  # requests that the API still allows

    def posts(self, most: int) -> Iterator[Row]:
        """The posts that are settled and not yet read, page by page."""
        while most > 0 and self._left >= 1:
            found, after = self._page()
            until = self._kept.get("until", 0.0)
            fresh = [p for p in found if until <= _number(p.get("created_utc")) <= self._before]
            for post in fresh:
                self._kept["top"] = max(self._kept.get("top", until), _number(post["created_utc"]))
                yield post
            most -= len(fresh)
            old = any(_number(p.get("created_utc")) < until for p in found)
            if old or not after or after == self._kept.get("after"):
                self._kept.pop("after", None)
                self._kept["until"] = self._kept.pop("top", until)
                return
            self._kept["after"] = after

    def answers(self, post: Row) -> list[Row]:
        """The answers to a post, best first; not what was answered to them."""
        if not post.get("num_comments") or self._left < 1:
            return []
        asked = {"sort": "top", "depth": 1, "limit": ANSWERS, "raw_json": 1}
        said = self._ask(f"/comments/{shown(post.get('id'))}.json", asked)
        return sorted(_things(at(said, "1"), "t1"), key=lambda a: -_number(a.get("score")))

    def _page(self) -> tuple[list[Row], str]:
        asked = {"limit": BATCH, "raw_json": 1}
        if self._kept.get("after"):
            asked["after"] = self._kept["after"]
        said = self._ask(f"/r/{self._name}/new.json", asked)
        if at(said, "kind") != "Listing":
            raise self._api.failed(self._api.url, "gave no list of posts; does the url name Reddit's API?")
        return _things(said, "t3"), shown(at(said, "data.after"))

    def _ask(self, path: str, asked: Mapping[str, Any]) -> Any:
        response = self._api.get(with_query(self._api.url + path, asked))
        left = response.headers.get("x-ratelimit-remaining", "")
        self._left = float(left) if left.replace(".", "", 1).isdigit() else 1.0
        return self._api.parsed(response)


def _things(listing: Any, kind: str) -> list[Row]:
    """The data of a listing's children of a kind ("t3" posts, "t1" comments; "more" is neither)."""
    children = at(listing, "data.children")
    found = children if isinstance(children, list) else []
    return [data for c in found if at(c, "kind") == kind and isinstance(data := at(c, "data"), Mapping)]


def _unwanted(post: Row) -> str:
    """Why a post is not taken, "" when it is."""
    text = shown(post.get("selftext"))
    if post.get("stickied"):
        return "stickied"
    if post.get("over_18"):
        return "not safe for work"
    if post.get("removed_by_category"):
        return "removed"
    return _gone(post, text) or ("" if text.strip() else "post without text")


def _gone(thing: Row, text: str) -> str:
    author = shown(thing.get("author"))
    if author in GONE or text.strip() in GONE:
        return "deleted"
    return "by a bot or a moderator" if author in BOTS or thing.get("stickied") else ""


def _record(thing: Row, text: str, question: str, subject: Subject) -> Record | Drop:
    """A post, or an answer under the title of its `question` (the path to it)."""
    title, author = shown(thing.get("title")).strip(), shown(thing.get("author"))
    said = f"{title}\n\n{text.strip()}"
    if len(said) > LONGEST:
        return Drop(f"text longer than {LONGEST:,} characters")
    path = shown(thing.get("permalink"))
    facts = {
        "title": title,
        "forum": shown(thing.get("subreddit")),
        "flair": shown(thing.get("link_flair_text")),
        "published": _moment(thing.get("created_utc")),
        "question": f"https://www.reddit.com{question}" if question else "",
    }
    return Record(
        text=said,
        source="forum",
        uri=f"https://www.reddit.com{path}",
        subject=subject(author) if author else "",
        meta={k: v for k, v in facts.items() if v},
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _moment(value: Any) -> str:
    return datetime.fromtimestamp(_number(value), UTC).isoformat() if _number(value) else ""


def _api(web: Web, url: str, token: str, name: str) -> API:
    if not NAME.fullmatch(name):
        raise SettingsError(f"forum: {name!r} is no name of a forum; write the part after /r/")
    return API(web, "forum", url, headers=bearer(token))


def check(*, name: str, url: str = "https://oauth.reddit.com", token: str = "", web: Web) -> None:
    """Ask for the newest post."""
    _newest(web, url, token, name)


def discover(
    gap: Gap, *, name: str, url: str = "https://oauth.reddit.com", token: str = "", web: Web
) -> Iterator[Stream]:
    """The forum; how many posts it has nobody says, and the API lists the newest 1,000."""
    del gap
    found = _newest(web, url, token, name)
    yield Stream(f"/r/{name}", note="at most the newest 1,000 posts" if found else "no posts")


def _newest(web: Web, url: str, token: str, name: str) -> list[Row]:
    api = _api(web, url, token, name)
    return _things(api.json(f"{api.url}/r/{name}/new.json?limit=1"), "t3")
