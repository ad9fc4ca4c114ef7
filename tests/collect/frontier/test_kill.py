"""kill -9 in the middle of a crawl: the server's log is the witness of what was fetched."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from openflywheel.collect._frontier.pace import AHEAD

PAGES = 400
VICTIM = Path(__file__).with_name("victim.py")


def build(site):
    """A tree of pages that are linked crosswise."""
    for n in range(PAGES):
        links = {(n * 3 + k) % PAGES for k in (1, 2, 3)} | {(n * 7 + 11) % PAGES}
        anchors = "".join(f'<p><a href="/{k or ""}">to {k}</a></p>' for k in sorted(links))
        words = " ".join(letters(n * j % 997) for j in range(1, 60))
        site.page(f"/{n or ''}", f"<html><body><p>Page {n} says {words}.</p>{anchors}</body></html>")
        site.pages[f"/{n or ''}"] = slow(site.pages[f"/{n or ''}"])


def letters(n):
    """Words, not numbers: pages that differ in numbers alone are taken for endless ones."""
    return "".join(chr(97 + int(digit)) for digit in str(n))


def slow(answer):
    """So that the crawl takes long enough to be hit in its middle."""
    return lambda headers: time.sleep(0.03) or answer


def started(site, folder):
    return subprocess.Popen([sys.executable, VICTIM, site.url + "/", folder], start_new_session=True)


def pages_asked(site):
    return Counter(path for path in site.paths() if path.count(".") == 0)


@pytest.mark.fault
def test_ten_kills_lose_no_page_and_fetch_at_most_what_was_in_flight_twice(site, tmp_path):
    build(site)
    random.seed(4)
    for kill in range(1, 11):
        victim = started(site, tmp_path)
        wanted = kill * PAGES // 11 + random.randrange(20)
        while len(pages_asked(site)) < wanted and victim.poll() is None:
            time.sleep(0.002)
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
    last = started(site, tmp_path)
    assert last.wait(60) == 0

    kept = (tmp_path / "kept").read_text().split()
    assert set(kept) == {f"{site.url}/{n or ''}" for n in range(PAGES)}  # 0 lost
    asked = pages_asked(site)
    assert len(asked) == PAGES
    assert sum(asked.values()) - PAGES <= 10 * AHEAD  # one batch in flight a kill
    assert len(kept) - PAGES <= 10  # a page may be given twice where a kill fell between giving and keeping
