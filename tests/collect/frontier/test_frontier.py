import sqlite3
from itertools import count

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.rows import Said, Seen, number_of
from openflywheel.collect._frontier.tables import DROPPED, FETCHED, QUEUED, Tables
from openflywheel.collect._site.urls import near


class Free:
    """Every host can be asked at once, but those that are `busy`."""

    def __init__(self, *busy, room=10):
        self.busy, self._room = busy, room

    @property
    def resting(self):
        return len(self.busy)

    def room(self, host, name):
        return 0 if name in self.busy else self._room


def seen(path, host="a", value=0.0, depth=1, **more):
    return Seen(f"http://{host}{path}", f"{host}{path}", host, depth, value, **more)


@pytest.fixture
def frontier(tmp_path):
    one = Frontier(tmp_path / "crawl" / "a.db")
    yield one
    one.close()


def fill(frontier, *links):
    for link in links:
        frontier.add(link)
    frontier.commit()


def paths(jobs):
    return [job.url.removeprefix("http://") for job in jobs]


def again(frontier, path):
    """What a process finds that opens the file after the first one was killed."""
    frontier._tables.close()
    return Frontier(path)


def test_the_most_valuable_comes_first_and_of_equals_the_oldest(frontier):
    fill(frontier, seen("/1"), seen("/2", value=5), seen("/3"), seen("/4", value=-1))
    assert paths(frontier.take(3, 0, Free())) == ["a/2", "a/1", "a/3"]
    assert paths(frontier.take(3, 0, Free())) == ["a/4"]
    assert frontier.take(3, 0, Free()) == []
    assert frontier.waiting == 4


def test_a_slow_host_holds_up_none_but_itself(frontier):
    fill(frontier, *(seen(f"/{n}", value=9) for n in range(30)), seen("/x", host="b"), seen("/y", host="c"))
    assert paths(frontier.take(2, 0, Free("a"))) == ["b/x", "c/y"]
    assert len(frontier.take(5, 0, Free(room=1))) == 1  # b and c are taken, a has room for one


def test_many_busy_hosts_do_not_hide_one_that_is_free(frontier):
    busy = [f"h{n}" for n in range(40)]
    fill(frontier, *(seen("/", host=name, value=3) for name in busy), seen("/", host="free"))
    assert paths(frontier.take(1, 0, Free(*busy))) == ["free/"]


def test_a_url_is_known_once_under_each_of_its_forms(frontier):
    assert frontier.add(seen("/1"))
    assert not frontier.add(seen("/1", value=9))
    other = Seen("http://a/1/", "a/1", "a", 1)
    assert frontier.add(other, "near duplicate", 1)
    assert not frontier.add(other, "near duplicate", 1)
    known = frontier.known(["a/1", "a/2"])
    assert [(k.url, k.state) for k in known["a/1"]] == [("http://a/1", QUEUED), ("http://a/1/", DROPPED)]
    assert "a/2" not in known
    assert frontier.waiting == 1


def test_a_better_way_to_a_url_moves_it_up(frontier):
    fill(frontier, seen("/1", depth=4), seen("/2", value=1))
    frontier.better(1, "a", 2.0, 3)
    frontier.better(2, "a", 0.5, 9)
    frontier.commit()
    assert [(j.value, j.depth) for j in frontier.take(2, 0, Free())] == [(2.0, 3), (1.0, 1)]
    assert frontier.best() == 2.0


def test_what_was_settled_is_out_of_the_queue(frontier):
    fill(frontier, *(seen(f"/{n}") for n in range(4)))
    read, gone, later, same = frontier.take(4, 0, Free())
    frontier.fetched(read, Said(7, '"tag"', "Mon"), 100.0)
    frontier.dropped(gone, "HTTP 404", 100.0)
    frontier.again(later)
    frontier.unchanged(same, 100.0)
    frontier.commit()
    assert frontier.waiting == 1
    assert [(j.id, j.tries) for j in frontier.take(9, 0, Free())] == [(later.id, 1)]
    assert [frontier.count(s) for s in (QUEUED, FETCHED, DROPPED)] == [1, 2, 1]
    assert frontier.best() == 0.0


def test_nothing_uncommitted_is_there_after_a_crash_and_nothing_committed_is_lost(tmp_path):
    first = Frontier(tmp_path / "a.db")
    fill(first, seen("/1"), seen("/2"))
    one, two = first.take(2, 0, Free())
    first.fetched(one, Said(1), 1.0)
    first.add(seen("/3"))
    first.pages.keep(one, b"page")
    first.commit()
    first.fetched(two, Said(2), 1.0)
    first.add(seen("/4"))
    first.pages.keep(two, b"lost")
    second = again(first, tmp_path / "a.db")
    assert paths(second.take(9, 0, Free())) == ["a/2", "a/3"]
    assert list(second.pages.undelivered(0)) == [(1, b"page")]
    second.close()


def test_what_was_taken_and_not_settled_is_queued_after_a_crash(tmp_path):
    first = Frontier(tmp_path / "a.db")
    fill(first, seen("/1"))
    assert paths(first.take(1, 0, Free())) == ["a/1"]
    second = again(first, tmp_path / "a.db")
    assert paths(second.take(1, 0, Free())) == ["a/1"]
    second.close()


def test_a_host_that_refuses_is_left_alone_longer_each_time(frontier):
    fill(frontier, seen("/1"), seen("/2", host="b"))
    now, waits = 1_000.0, []
    for _ in range(12):
        frontier.refuses(1, now, 0.0)
        frontier.refuses(1, now, 0.0)  # in flight at the same time: the same refusal
        frontier.commit()
        assert paths(frontier.take(9, now, Free())) in (["b/2"], [])
        wait = next(w for w in count(1) if frontier.take(9, now + w, Free()))
        frontier.again(frontier.job("a/1", "http://a/1") or Taken(1, 1))
        waits.append(wait)
        now += wait
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]


class Taken:
    def __init__(self, id, host):
        self.id, self.host = id, host


def test_a_host_may_say_how_long_and_is_forgiven_when_it_answers(frontier):
    fill(frontier, seen("/1"))
    frontier.refuses(1, 0.0, 500.0)
    frontier.commit()
    assert frontier.take(9, 499.0, Free()) == []
    assert len(frontier.take(9, 500.0, Free())) == 1
    frontier.answers(1)
    frontier.refuses(1, 600.0, 0.0)
    frontier.again(Taken(1, 1))
    assert len(frontier.take(9, 630.0, Free())) == 1


def test_old_pages_are_queued_again_with_what_they_said(frontier):
    fill(frontier, seen("/old"), seen("/new"))
    old, new = frontier.take(2, 0, Free())
    frontier.fetched(old, Said(7, '"tag"', "Mon"), 100.0)
    frontier.fetched(new, Said(8), 200.0)
    frontier.requeue(150.0)
    frontier.commit()
    [job] = frontier.take(9, 0, Free())
    assert (job.url, job.etag, job.modified, job.digest) == ("http://a/old", '"tag"', "Mon", 7)
    assert frontier.waiting == 1


def test_the_same_content_is_found_under_another_url(frontier):
    fill(frontier, seen("/1"), seen("/2"))
    one, _ = frontier.take(2, 0, Free())
    frontier.fetched(one, Said(number_of("text")), 1.0)
    assert frontier.same_content(number_of("text"), 2) == one.id
    assert frontier.same_content(number_of("text"), one.id) is None
    assert frontier.same_content(number_of("other"), 2) is None


def test_another_aim_gives_other_values_and_leaves_the_start_first(frontier):
    fill(
        frontier,
        seen("/start", depth=0, value=99),
        seen("/1", value=5),
        seen("/2", value=4),
        seen("/3", depth=2),
    )
    assert [row[1] for row in frontier.nearest(2)] == ["http://a/1", "http://a/2"]
    frontier.revalue({2: 0.1, 3: 0.7})
    frontier.commit()
    assert paths(frontier.take(9, 0, Free())) == ["a/start", "a/2", "a/1", "a/3"]


def test_what_waits_is_revised_by_its_url_and_what_was_fetched_is_not(frontier):
    urls = ["http://a/1", "http://a/2", "http://b/3"]
    fill(
        frontier,
        *(Seen(url, near(url), url[7], 1, value) for url, value in zip(urls, (5, 4, 3), strict=True)),
    )
    [first] = frontier.take(1, 0, Free())
    frontier.fetched(first, Said(number_of("text")), 1.0)
    frontier.revise({urls[0]: 99.0, urls[1]: 0.5, "http://c/unknown": 7.0})
    frontier.commit()
    assert frontier.best() == 3
    assert paths(frontier.take(9, 0, Free())) == ["b/3", "a/2"]


def test_numbers_of_pages_rise_also_when_the_newest_were_lost(tmp_path):
    frontier = Frontier(tmp_path / "a.db", delivered=41)  # the store has kept 41, a power cut took the file
    fill(frontier, seen("/1"), seen("/2"))
    one, two = frontier.take(2, 0, Free())
    assert [frontier.pages.keep(one, b"1"), frontier.pages.keep(two, b"2")] == [42, 43]
    frontier.pages.forget(42)
    assert list(frontier.pages.undelivered(41)) == [(43, b"2")]
    frontier.close()


def test_undelivered_pages_come_in_order_however_many(frontier):
    fill(frontier, seen("/1"))
    [job] = frontier.take(1, 0, Free())
    for n in range(50):
        frontier.pages.keep(job, b"%d" % n)
    assert [int(body) for _, body in frontier.pages.undelivered(10)] == list(range(10, 50))


def test_facts_and_endless_patterns_are_remembered(tmp_path):
    frontier = Frontier(tmp_path / "a.db")
    frontier.facts.put("aim", {"a": [1, 2]})
    frontier.facts.close_pattern("x#")
    frontier.facts.close_pattern("x#")
    frontier.commit()
    later = again(frontier, tmp_path / "a.db")
    assert (later.facts.get("aim"), later.facts.get("other")) == ({"a": [1, 2]}, None)
    assert later.facts.endless() == {"x#"}
    later.close()


def test_delivered_pages_leave_no_trace_in_the_file(tmp_path):
    frontier = Frontier(tmp_path / "a.db")
    fill(frontier, seen("/1"))
    [job] = frontier.take(1, 0, Free())
    frontier.pages.keep(job, b"a telling text " * 2_000)
    frontier.commit()
    frontier.pages.forget(1)
    frontier.close()
    assert b"telling" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_links_words_are_kept_up_to_a_length(frontier):
    fill(frontier, seen("/1", text="\u4e2d" * 999), seen("/2"))
    assert [row[2] for row in frontier.nearest(2)] == ["\u4e2d" * 200, None]


def test_a_file_that_is_no_frontier_is_refused(tmp_path):
    broken = tmp_path / "a.db"
    broken.write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StoreError, match="remove it to crawl anew"):
        Frontier(broken)


def test_a_frontier_of_another_version_is_refused(tmp_path):
    Tables(tmp_path / "a.db").close()
    base = sqlite3.connect(tmp_path / "a.db")
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(StoreError, match=r"another version \(99\)"):
        Frontier(tmp_path / "a.db")
