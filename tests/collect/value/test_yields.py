"""What the parts of a site brought."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.collect._value.yields import MOST, Yields, parts


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://a.com/", ["a.com"]),
        ("https://a.com", ["a.com"]),
        ("https://a.com/docs/x.html", ["a.com", "a.com/docs/"]),
        ("https://a.com/docs/sql-select.html", ["a.com", "a.com/docs/", "a.com/docs/#sql"]),
        (
            "https://a.com/1/2/3/4/5/x",
            ["a.com", "a.com/1/", "a.com/1/2/", "a.com/1/2/3/"],
        ),
    ],
)
def test_the_parts_of_a_url(url, found):
    assert parts(url) == found


def test_nobody_knows_at_first():
    assert Yields().expected("https://a.com/x") == (0.5, 0.0)


def test_a_part_learns_from_what_it_brought():
    yields = Yields()
    for i in range(10):
        yields.add(f"https://a.com/good/{i}", 1.0)
        yields.add(f"https://a.com/bad/{i}", 0.0)
    good, looks = yields.expected("https://a.com/good/new")
    bad, _ = yields.expected("https://a.com/bad/new")
    assert good > 0.85
    assert bad < 0.15
    assert looks == 10


def test_an_unknown_part_is_believed_to_be_like_what_is_around_it():
    yields = Yields()
    for i in range(10):
        yields.add(f"https://a.com/docs/{i}/x", 1.0)
    near, looks = yields.expected("https://a.com/docs/new/x")
    far, _ = yields.expected("https://b.com/docs/new/x")
    assert near > far
    assert looks == 0


def test_a_family_of_names_does_not_hide_that_its_folder_is_known():
    yields = Yields()
    yields.add("https://a.com/docs/sql-select.html", 1.0)
    assert yields.expected("https://a.com/docs/libpq-connect.html")[1] == 1


def test_the_memory_is_bounded_and_the_newest_stay():
    yields = Yields()
    for i in range(3 * MOST):
        yields.add(f"https://h{i}.com/", 1.0)
    state = yields.state()
    assert len(state) == MOST
    assert f"h{3 * MOST - 1}.com" in state
    assert "" in state


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=30))
def test_means_stay_between_0_and_1_and_survive_a_restart(seen):
    yields, again = Yields(), Yields()
    for host, brought in seen:
        yields.add(f"https://{host}.com/x/y", brought)
    again.restore(json.loads(json.dumps(yields.state())))
    for host in "abcd":
        found = yields.expected(f"https://{host}.com/x/z")
        assert found == again.expected(f"https://{host}.com/x/z")
        assert 0 <= found[0] <= 1
