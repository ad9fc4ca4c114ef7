"""One chromium, started when a page first needs it, replaced now and then, and held by several pages at once.

It has no network of its own: no name resolves and its proxy does not exist, so that what slips past the
routing (WebSockets, WebRTC, preconnects) ends here. Without the proxy WebRTC reached 127.0.0.1 (version 156).
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Error, Playwright, async_playwright

from openflywheel.base.errors import SettingsError
from openflywheel.collect._browser.tab import CLOSE, Tab, open_tab
from openflywheel.collect._web.errors import FetchFailed

PAGES = 100  # until the browser is replaced: pages leave memory behind
TABS = 2  # pages at a time: a page keeps a core busy
HEAP = 256  # MB of JavaScript in a page; one that takes more has crashed
START = 60.0  # seconds

FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=socks5://nowhere.invalid:1",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--blink-settings=imagesEnabled=false",
    f"--js-flags=--max-old-space-size={HEAP}",
)


def find(browser: str) -> str:
    """The browser's path: the setting, or Debian's chromium. Raises SettingsError."""
    found = shutil.which(browser or "chromium")
    if found is None:
        missing = f"there is no program {browser!r}" if browser else "there is no chromium on this machine"
        raise SettingsError(
            f"rendered: {missing}: apt install chromium, or name one: browser: /path/to/chromium"
        )
    return found


class _Running:
    """A browser and the driver that it hangs on; `open` pages of the `served` ones are in it."""

    def __init__(self, playwright: Playwright, browser: Browser) -> None:
        self.playwright, self.browser = playwright, browser
        self.idle: list[Tab] = []
        self.served = self.open = 0

    async def tab(self, agent: str, origin: str) -> Tab:
        """A tab that has shown pages of this origin, or a new one in the place of the oldest."""
        for tab in self.idle:
            if tab.origin == origin:
                self.idle.remove(tab)
                return tab
        if len(self.idle) >= TABS:
            await self.idle.pop(0).close()
        return await open_tab(self.browser, agent, origin)

    async def close(self) -> None:
        """End the browser; the driver kills one that does not end by itself."""
        try:
            async with asyncio.timeout(CLOSE):
                await self.browser.close()
        except (TimeoutError, Error):
            pass  # it has crashed or hangs; what follows kills it
        await self.playwright.stop()


class Chromium:
    """The browser of one crawl. Use on one event loop.

    `started` counts how often it was; `failed` says why it could not be, and then it is not tried again.
    """

    def __init__(self, path: str, agent: str, *, pages: int = PAGES) -> None:
        self._path, self._agent, self._pages = path, agent, pages
        self._lock, self._tabs = asyncio.Lock(), asyncio.Semaphore(TABS)
        self._now: _Running | None = None
        self._all: set[_Running] = set()
        self.started = 0
        self.failed = ""

    @asynccontextmanager
    async def tab(self, origin: str) -> AsyncIterator[Tab]:
        """A tab for one page. Raises FetchFailed when the browser fails."""
        async with self._tabs:
            running = await self._take()
            try:
                async with _lent(running, self._agent, origin) as tab:
                    yield tab
            except (TimeoutError, Error) as error:
                running.served = self._pages  # it is not to be trusted with another page
                raise FetchFailed("the browser failed", "chromium:", str(error)[:200]) from error
            finally:
                running.open -= 1
                if running is not self._now and not running.open:
                    await self._end(running)

    async def close(self) -> None:
        """End all browsers."""
        for running in list(self._all):
            await self._end(running)

    async def _take(self) -> _Running:
        """The browser that is in use, or the next one."""
        async with self._lock:
            now = self._now
            if now is None or now.served >= self._pages or not now.browser.is_connected():
                self._now = await self._start()
                if now and not now.open:
                    await self._end(now)
            assert self._now
            self._now.served += 1
            self._now.open += 1
            return self._now

    async def _start(self) -> _Running:
        if self.failed:
            raise FetchFailed("the browser does not start", "chromium:", self.failed)
        playwright = await async_playwright().start()
        try:
            browser = await playwright.chromium.launch(
                executable_path=self._path,
                args=list(FLAGS),
                chromium_sandbox=os.geteuid() != 0,  # the sandbox refuses to run as root
                timeout=START * 1000,
            )
        except Error as error:
            await playwright.stop()
            self.failed = error.message[:500]
            raise FetchFailed("the browser does not start", "chromium:", self.failed) from None
        running = _Running(playwright, browser)
        self._all.add(running)
        self.started += 1
        return running

    async def _end(self, running: _Running) -> None:
        if running in self._all:
            self._all.discard(running)
            await running.close()


@asynccontextmanager
async def _lent(running: _Running, agent: str, origin: str) -> AsyncIterator[Tab]:
    """A tab that is kept if all went well; what a page has spoilt is thrown away."""
    tab = await running.tab(agent, origin)
    try:
        yield tab
        await tab.clear()
    except BaseException as spoilt:
        try:
            await tab.close()
        except (TimeoutError, Error) as worse:  # a crashed page; what spoilt it is what the caller must hear
            spoilt.add_note(f"its tab could not be closed: {worse}")
        raise
    running.idle.append(tab)
