import pytest

from openflywheel.collect._frontier.endless import FREE, REMEMBERED, STREAK, Endless, pattern_of
from openflywheel.collect._frontier.frontier import Frontier

SITE = "https://example.com"
DULL = "Calendar\nMonday {} March 2031\nno events on this day\n"


@pytest.fixture
def frontier(tmp_path):
    one = Frontier(tmp_path / "a.db")
    yield one
    one.close()


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/docs/a.html", None),
        ("/p/17", "/p/#"),
        ("/p/2031-03-01/", "/p/#/"),
        ("/p/2031/03/01", "/p/#"),
        ("/cal/March-2031", "/cal/#"),
        ("/list?page=3&sort=name", "/list?page&sort"),
        ("/marching", None),
        ("/sunny/dec.html", "/sunny/#.html"),
    ],
)
def test_numbers_months_and_values_are_folded(path, pattern):
    assert pattern_of(SITE + path) == (SITE + pattern if pattern else None)


def test_pages_that_differ_in_numbers_alone_close_their_pattern(frontier):
    endless = Endless(frontier)
    for n in range(FREE + STREAK):
        assert not endless.closed(f"{SITE}/cal/{n}")
        endless.read(f"{SITE}/cal/{n}", DULL.format(n))
    assert endless.closed(f"{SITE}/cal/999")
    assert not endless.closed(f"{SITE}/other/999")
    assert not endless.closed(f"{SITE}/cal/about")


def test_a_closed_pattern_stays_closed_in_the_next_call(frontier):
    frontier.facts.close_pattern(f"{SITE}/cal/#")
    assert Endless(frontier).closed(f"{SITE}/cal/7")


def words(n):
    return "".join(chr(97 + int(d)) for d in str(n))


def test_pages_that_say_something_go_on_for_ever(frontier):
    endless = Endless(frontier)
    for n in range(200):
        endless.read(f"{SITE}/p/{n}", f"Shop\nMenu\nArticle {words(n)} is a very good {words(n * 7)}\n")
    assert not endless.closed(f"{SITE}/p/1")


def test_one_page_with_news_begins_the_count_anew(frontier):
    endless = Endless(frontier)
    for n in range(4 * STREAK):
        news = f"something happened to {words(n)}" if n % (STREAK - 1) == 0 else ""
        endless.read(f"{SITE}/cal/{n}", DULL.format(n) + news)
    assert not endless.closed(f"{SITE}/cal/1")


def test_many_patterns_take_bounded_memory(frontier):
    endless = Endless(frontier)
    for n in range(3 * REMEMBERED):
        endless.read(f"{SITE}/{words(n)}/1", "text")
    assert len(endless._patterns) == REMEMBERED


def test_pages_without_numbers_are_never_endless(frontier):
    endless = Endless(frontier)
    for _ in range(100):
        endless.read(f"{SITE}/a", "the same")
    assert not endless.closed(f"{SITE}/a")
