from openflywheel.collect._browser.tally import AGAIN, MOST, Tally, helps, section

APP, DOCS = "https://x.example/app/%d", "https://x.example/docs/%d"


def crawl(tally, url, asks, helped, pages):
    """The places of the pages that were rendered."""
    rendered = []
    for n in range(pages):
        if tally.wants(url % n, asks):
            rendered.append(n)
            tally.learn(url % n, asks, helped)
    return rendered


def test_what_asks_for_a_browser_is_rendered_as_long_as_that_helps():
    assert crawl(Tally({}), APP, True, True, 50) == list(range(50))


def test_where_a_browser_never_helps_few_pages_are_rendered_for_nothing():
    rendered = crawl(Tally({}), APP, True, False, 50)
    assert rendered[:2] == [0, 1]
    assert len(rendered) == 2 + 50 // AGAIN


def test_pages_that_ask_for_nothing_are_looked_at_ever_more_rarely():
    assert crawl(Tally({}), DOCS, False, False, 300) == [15, 63, 255]


def test_a_section_whose_pages_do_not_tell_is_found_out():
    rendered = crawl(Tally({}), DOCS, False, True, 30)
    assert rendered == list(range(15, 30))


def test_sections_learn_apart_and_remember_in_a_bounded_state():
    kept = {}
    tally = Tally(kept)
    crawl(tally, APP, True, False, 3)
    assert tally.wants(DOCS % 1, True)
    assert not Tally(kept).wants(APP % 9, True)
    for n in range(2 * MOST):
        tally.wants(f"https://{n}.example/", False)
    assert len(kept) == MOST


def test_a_section_is_a_folder_without_its_numbers_and_the_names_of_a_query():
    assert section("https://x.example/a/12/b?q=1&p=2") == section("https://x.example/a/7/c?p=3&q=x")
    assert section("https://x.example/a/1") != section("https://x.example/b/1")
    assert section("https://x.example/") == "https://x.example/?"


def test_counts_are_told():
    tally = Tally({})
    crawl(tally, APP, True, False, 20)
    crawl(tally, DOCS, True, True, 2)
    assert (tally.pages, tally.figures) == (22, {"rendered": 6, "needless": 4})


def test_help_is_a_fifth_more_text_and_not_a_word():
    assert helps("", "x" * 50)
    assert not helps("", "x" * 49)
    assert not helps("x" * 1000, "x" * 1100)
    assert helps("x" * 1000, "x" * 1200)


def test_pages_of_one_section_with_the_very_same_text_are_noticed():
    tally = Tally({})
    assert not tally.repeats(APP % 1, "a menu")
    assert tally.repeats(APP % 2, "a menu")
    assert not tally.repeats(DOCS % 1, "a menu")
    assert not tally.repeats(APP % 3, "another text")
    for n in range(MOST):
        tally.repeats(f"https://{n}.example/", "x")
    assert not tally.repeats(APP % 4, "another text")


def test_the_first_pages_of_a_section_that_ask_are_tried_one_at_a_time():
    tally = Tally({})
    assert tally.unsure(APP % 1)
    crawl(tally, APP, True, True, 2)
    assert not tally.unsure(APP % 3)
    assert tally.unsure(DOCS % 1)
