"""A browser for tests: Debian's chromium, started once a test that needs it."""

import shutil

import pytest

from openflywheel.collect._browser.chromium import Chromium
from openflywheel.collect._browser.fetching import Rendered
from openflywheel.collect._browser.rendering import render
from openflywheel.collect._browser.tally import Tally


@pytest.fixture
def chromium(web):
    """A browser that has not been started yet. Skips where there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium: apt install chromium")
    browser = Chromium(path, web.agent, pages=5)
    yield browser
    web.run(browser.close())


@pytest.fixture
def rendered(web, chromium):
    """Renders a URL as a crawl would, whatever its section has taught; returns the document's text."""

    def run(url):
        fetching = Rendered(web, chromium, Tally({}), obey=True)
        return web.run(_render(web, chromium, fetching, url)).decode()

    return run


async def _render(web, chromium, fetching, url):
    return await render(chromium, await web.fetch(url), fetching._load)
