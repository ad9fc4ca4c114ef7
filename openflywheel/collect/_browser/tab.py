"""A tab of the browser with a profile of its own, kept for further pages of the same origin.

A fresh profile takes 1.4 CPU-s, a tab that is used again .2 (chromium 156): so pages of one site share a tab,
what they have stored is cleared in between, and other sites never see it.
"""

import asyncio

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Route

from openflywheel.collect._browser.outgoing import Outgoing, refuse

CLOSE = 10.0  # seconds


class Tab:
    """One page's place; `outgoing` answers its requests, `crashed` is set when its renderer has died."""

    def __init__(self, origin: str, context: BrowserContext, page: Page, session: CDPSession) -> None:
        self.origin, self.page, self.crashed = origin, page, asyncio.Event()
        self.outgoing: Outgoing | None = None
        self._context, self._session = context, session
        page.on("crash", lambda _: self.crashed.set())
        context.on("page", _close)

    async def answer(self, route: Route) -> None:
        """Answer a request; between two pages nothing is let through."""
        await (self.outgoing.answer(route) if self.outgoing else refuse(route))

    async def clear(self) -> None:
        """End the page's scripts and forget what it has stored."""
        self.outgoing = None
        await self.page.goto("about:blank", timeout=CLOSE * 1000)
        said = {"origin": self.origin, "storageTypes": "all"}
        await self._session.send("Storage.clearDataForOrigin", said)

    async def close(self) -> None:
        """Raises TimeoutError when the tab hangs."""
        async with asyncio.timeout(CLOSE):
            await self._context.close()


async def open_tab(browser: Browser, agent: str, origin: str) -> Tab:
    """A tab for pages of an origin: no downloads, no service workers, no permissions."""
    context = await browser.new_context(
        user_agent=agent, service_workers="block", accept_downloads=False, permissions=[]
    )
    page = await context.new_page()
    tab = Tab(origin, context, page, await context.new_cdp_session(page))
    await context.route("**/*", tab.answer)
    return tab


async def _close(popup: Page) -> None:
    """Its requests are refused already; this only frees it."""
    await popup.close()
