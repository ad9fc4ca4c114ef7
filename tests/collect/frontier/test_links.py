import pytest

from openflywheel.collect._frontier import links as module
from openflywheel.collect._frontier.endless import Endless
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.links import NEAR, Links, host_of
from openflywheel.collect._frontier.plan import plan
from openflywheel.collect._frontier.rows import Job
from openflywheel.collect._site.page import Link, Page
from openflywheel.collect._value.aim import BreadthFirst

SITE = "http://127.0.0.1"


class Counting(BreadthFirst):
    """Says what it was asked, and how much each link is worth by its words."""

    def __init__(self):
        self.asked, self.fails = [], False

    def rate(self, links, page, depth):
        if self.fails:
            raise ZeroDivisionError
        self.asked.append([link.url.removeprefix(SITE) for link in links])
        return [float(len(link.text)) for link in links]


@pytest.fixture
def found(web, tmp_path):
    frontier = Frontier(tmp_path / "a.db")

    class Found:
        aim = Counting()

        def __init__(self):
            self.frontier = frontier
            self.use(by_words=True)

        def use(self, *, by_words, **rules):
            wanted = plan(start=SITE + "/", web=web, **rules)
            self.links = Links(wanted, frontier, Endless(frontier), self.aim, by_words=by_words)

        def __call__(self, *links, depth=0, **page):
            made = [link if isinstance(link, Link) else Link(SITE + link) for link in links]
            read = Page(url=SITE + "/", links=tuple(made), **page)
            drops = [d.reason for d in self.links.follow(Job(1, SITE + "/", 1, depth, 0.0), read)]
            frontier.commit()
            return drops

        def waiting(self):
            return [url.removeprefix(SITE) for _, url, _, _ in frontier.nearest(100)]

    made = Found()
    made.aim.asked, made.aim.fails = [], False
    yield made
    frontier.close()


def test_links_are_rated_once_and_queued(found):
    assert found("/a", "/b") == []
    assert found("/a", "/b") == []
    assert found.aim.asked == [["/a", "/b"]]
    assert found.waiting() == ["/a", "/b"]


def test_the_most_valuable_of_a_page_is_queued_first(found):
    found(Link(SITE + "/a", "x"), Link(SITE + "/b", "a long text"), Link(SITE + "/c", ""))
    assert found.waiting() == ["/b", "/a", "/c"]


def test_other_words_for_a_queued_url_count_and_for_a_breadth_first_crawl_do_not(found):
    found(Link(SITE + "/a", "x"))
    found(Link(SITE + "/a", "battery recycling"))
    assert found.frontier.best() == len("battery recycling")
    found.use(by_words=False)
    found(Link(SITE + "/b", "x"))
    found(Link(SITE + "/b", "a text that is longer than all others"))
    assert found.frontier.best() == len("battery recycling")


def test_near_duplicates_are_dropped_once_with_what_they_resemble(found):
    assert found("/a", "/a/", "/a/index.html") == [NEAR, NEAR]
    assert found(Link(SITE + "/a/", "other words")) == []
    assert found.waiting() == ["/a"]
    known = found.frontier.known(["127.0.0.1/a"])["127.0.0.1/a"]
    assert [k.url.removeprefix(SITE) for k in known] == ["/a", "/a/", "/a/index.html"]


def test_a_near_duplicate_of_what_was_dropped_gets_its_chance(found):
    found("/a")
    [job] = found.frontier.take(1, 0, Free())
    found.frontier.dropped(job, "HTTP 404", 1.0)
    assert found("/a/") == []
    assert found.waiting() == ["/a/"]


class Free:
    resting = 0

    def room(self, host, name):
        return 9


def test_rules_drop_links_and_other_sites_are_none_of_our_business(found):
    found.use(by_words=True, exclude=("/no*",))
    assert found("/no", "/yes", Link("http://example.com/")) == ["excluded by a pattern"]
    assert found("/no") == []
    assert found.waiting() == ["/yes"]


def test_links_of_a_poisoned_page_are_found_on_the_next_one(found):
    found.aim.fails = True
    with pytest.raises(ZeroDivisionError):
        found("/a")
    found.aim.fails = False
    found("/a")
    assert found.waiting() == ["/a"]


def test_too_deep_is_not_queued(found):
    found.use(by_words=True, depth=2)
    found("/a", depth=2)
    found("/b", depth=1)
    assert found.waiting() == ["/b"]


def test_of_endless_patterns_nothing_more_is_queued(found):
    found.frontier.facts.close_pattern(f"{SITE}/cal/#")
    found.use(by_words=True)
    found("/cal/1", "/docs")
    assert found.waiting() == ["/docs"]


def test_what_is_remembered_is_bounded(found, monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED", 10)
    for n in range(100):
        found(f"/{'x' * n}")
    assert len(found.links._new) + len(found.links._old) <= 22
    assert len(found.waiting()) == 100


def test_for_another_gap_what_waits_is_rated_anew(found):
    found(Link(SITE + "/a", "long words"), Link(SITE + "/b", "x"))
    found.aim.rate = lambda links, page, depth: [1.0 if link.url.endswith("/b") else 0.5 for link in links]
    found.links.rate_again()
    found.frontier.commit()
    assert [job.url[-1] for job in found.frontier.take(2, 0, Free())] == ["b", "a"]


def test_a_host_is_named_with_its_port():
    assert host_of("http://127.0.0.1:8080/a?b") == "127.0.0.1:8080"
    assert host_of("https://example.com") == "example.com"
