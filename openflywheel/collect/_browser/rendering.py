"""A page as readers see it: its scripts run, we answer its requests, its document is taken when it rests."""

import asyncio
import time
from typing import Any

from playwright.async_api import Error

from openflywheel.collect._browser.chromium import Chromium
from openflywheel.collect._browser.outgoing import Load, Outgoing
from openflywheel.collect._browser.tab import Tab
from openflywheel.collect._site.urls import origin
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response

SECONDS = 15.0  # of one page
QUIET, POLL = 0.5, 0.1  # seconds without requests and new text; between two looks
STILL = 3.0  # seconds without new text, whatever is asked for: some pages poll for ever
MOST = 8_000_000  # characters of a rendered document
SIZE = "document.body ? document.body.textContent.length : -1"
DOCUMENT = f"(() => {{ const d = document.documentElement.outerHTML; return d.length > {MOST} ? '' : d }})()"

UNSETTLED, CRASHED, TOO_LARGE = (
    "the page never settles",
    "the page crashes the browser",
    "the page grows too large",
)


async def render(chromium: Chromium, response: Response, load: Load) -> bytes:
    """The document that a page's scripts make of `response`, in UTF-8. Raises FetchFailed.

    `load` fetches what the page asks for. What it does to reach further is refused: frames, other pages,
    pop-ups; WebSockets find no network. Dialogs are dismissed; a page whose text still changes after 15 s is
    given up.
    """
    async with chromium.tab(origin(response.url)) as tab:
        tab.outgoing = Outgoing(response, load)
        work, crash = (
            asyncio.create_task(_document(tab, response.url)),
            asyncio.create_task(tab.crashed.wait()),
        )
        try:
            done, _ = await asyncio.wait((work, crash), timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if work not in done:
                raise FetchFailed(CRASHED if crash in done else UNSETTLED, response.url)
            document = work.result()
        except Error as error:
            raise FetchFailed(CRASHED, response.url, error.message[:200]) from None
        finally:
            for task in (work, crash):
                task.cancel()
            await asyncio.gather(work, crash, return_exceptions=True)
    if not document:
        raise FetchFailed(TOO_LARGE, response.url)
    return document.encode("utf-8", "replace")


async def _document(tab: Tab, url: str) -> str:
    await tab.page.goto(url, wait_until="commit", timeout=0)
    await _rest(tab)
    said: Any = await tab.page.evaluate(DOCUMENT)
    return str(said)


async def _rest(tab: Tab) -> None:
    """Wait until the text stays as it is: a moment when nothing is asked for, longer while something is."""
    size, changed, busy = None, time.monotonic(), 0.0
    while True:
        now, said = time.monotonic(), await tab.page.evaluate(SIZE)
        busy = now if tab.outgoing and tab.outgoing.running else busy
        changed = changed if said == size else now
        size = said
        if now - changed >= STILL or now - max(changed, busy) >= QUIET:
            return
        await asyncio.sleep(POLL)
