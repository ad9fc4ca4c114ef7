"""Would a page be taken? What its site says, asked now: for sources that keep no list of what they saw."""

from openflywheel.collect._site.page import is_html, read
from openflywheel.collect._site.robots import RobotsBook
from openflywheel.collect._site.signals import SiteSignals, opted_out
from openflywheel.collect._site.urls import canonical
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.web import Web


def verdict(web: Web, url: str) -> str:
    """Whether the rules let a page pass, and which does not, in a sentence. Fetches the page."""
    found = canonical(url)
    if found is None:
        return f"not taken: {url!r} is no URL of the web"
    try:
        return web.run(_judged(web, found))
    except FetchFailed as error:
        return f"not taken: {error}"


async def _judged(web: Web, url: str) -> str:
    robots = await RobotsBook(web.fetch, web.agent).robots(url)
    if not robots.allowed(web.agent, url):
        return f"not taken: robots.txt refuses it: {robots.why(web.agent, url)}"
    response = await web.fetch(url)
    if not response.ok:
        return f"not taken: its site answers {response.status}"
    if not is_html(response.mime, response.body):
        return f"not taken: it is {response.mime or 'of no stated type'}, and no page"
    page = read(response.body, response.url, response.charset)
    site = await SiteSignals(web.fetch).at(response.url)
    reason = opted_out(response.url, response.headers, page, robots, site)
    return (
        f"not taken: {reason}" if reason else "the rules let it pass: robots.txt and its site's reservations"
    )
