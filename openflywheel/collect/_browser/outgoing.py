"""What a page in the browser may ask for: everything goes through our own client, or nowhere.

So the guard against SSRF, the caps and the allow list hold for scripts, sub-resources and redirects as well.
Pictures, fonts, media, frames and downloads are not asked for; style sheets are answered by an empty one,
since pages wait for them.
"""

from collections.abc import Awaitable, Mapping
from typing import Protocol

from playwright.async_api import Request, Route

from openflywheel.collect._site.urls import host
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response

MOST_REQUESTS = 120  # of one page
MOST_BYTES = 20_000_000  # of one page, all that it loads
MOST_SENT = 64_000  # bytes of a POST
SCRIPTED = frozenset({"script", "fetch", "xhr"})
KEPT_BACK = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "host", "te", "upgrade", "user-agent"}
)
HOP = frozenset(
    {"connection", "content-disposition", "content-encoding", "content-length", "set-cookie",
     "transfer-encoding", "content-security-policy-report-only", "report-to", "nel", "alt-svc", "refresh",
     "link"}
)  # fmt: skip


class Load(Protocol):
    """Fetches a sub-resource: method, URL, headers, body and the bytes that may come. Raises FetchFailed."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, most: int
    ) -> Awaitable[Response]: ...


class Outgoing:
    """The requests of one page. `running` are under way; `refused` counts what was not let through."""

    def __init__(self, document: Response, load: Load) -> None:
        self._document, self._load = document, load
        self._given = False
        self._left = MOST_BYTES
        self.asked = self.running = self.refused = 0

    async def answer(self, route: Route) -> None:
        """Answer one request of the browser's."""
        request = route.request
        if self._is_document(request):
            self._given = True
            await route.fulfill(status=200, headers=_headers(self._document), body=self._document.body)
        elif request.resource_type == "stylesheet":
            await route.fulfill(status=200, content_type="text/css", body="")
        elif self._allows(request):
            await self._fetch(route)
        else:
            self.refused += 1
            await refuse(route)

    def _is_document(self, request: Request) -> bool:
        """The page itself, once: where a script wants to go next is another page."""
        return (
            not self._given
            and request.is_navigation_request()
            and request.frame.parent_frame is None
            and request.url.partition("#")[0] == self._document.url.partition("#")[0]
        )

    def _allows(self, request: Request) -> bool:
        """Scripts and data. What is sent goes to the page's own host: it may change something there."""
        if request.resource_type not in SCRIPTED or self.asked >= MOST_REQUESTS or self._left <= 0:
            return False
        sent = len(request.post_data_buffer or b"")
        own = host(request.url) == host(self._document.url)
        return request.method == "GET" or (request.method == "POST" and own and sent <= MOST_SENT)

    async def _fetch(self, route: Route) -> None:
        request = route.request
        self.asked += 1
        self.running += 1
        try:
            headers = {
                k: v for k, v in request.headers.items() if k not in KEPT_BACK and not k.startswith("sec-")
            }
            body = request.post_data_buffer or b""
            response = await self._load(request.method, request.url, headers, body, self._left)
            self._left -= len(response.body)
            await route.fulfill(status=response.status, headers=_headers(response), body=response.body)
        except FetchFailed:
            self.refused += 1
            await route.abort("failed")
        finally:
            self.running -= 1


async def refuse(route: Route) -> None:
    """No content, to one who wants to leave the page: it stays. An error would take its place."""
    if route.request.is_navigation_request():
        await route.fulfill(status=204)
    else:
        await route.abort("blockedbyclient")


def _headers(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in HOP}
