"""A state is ahead of its rows when a passage was killed in between, and is trusted no more then."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.nouns import Record
from openflywheel.curate._engine import state
from openflywheel.curate._passage import BEGUN, begin, in_step, tidy

RECIPE = "r"


def record(name: str) -> Record:
    return Record(text=name, source="test")


A, B, C = ([record(name)] for name in "abc")


def commit(workspace: Path, recipe: str = RECIPE) -> str:
    """What a run does when its steps are through: the state knows what it was given."""
    with state.opened(workspace / recipe, recipe) as held:
        held.commit(())
    return state.version(workspace / recipe)


def made(workspace: Path, took: list[Record], recipe: str = RECIPE) -> None:
    """A passage up to the point where its rows are kept."""
    in_step(workspace, recipe, took)
    begin(workspace, recipe, took)
    commit(workspace, recipe)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A workspace after a passage that was kept whole."""
    made(tmp_path, A)
    tidy(tmp_path, RECIPE)
    return tmp_path


def test_before_the_first_passage_there_is_no_state(tmp_path):
    assert not in_step(tmp_path, RECIPE, A)
    assert not in_step(tmp_path / "not there", RECIPE, [])


def test_after_one_that_was_kept_the_next_trusts_it(first):
    before = state.version(first / RECIPE)
    assert in_step(first, RECIPE, B)
    assert in_step(first, RECIPE, [])
    assert state.version(first / RECIPE) == before


def test_killed_before_its_state_the_old_one_holds(first):
    begin(first, RECIPE, B)
    before = state.version(first / RECIPE)
    for took in (B, B + C, C, []):
        assert in_step(first, RECIPE, took)
    assert state.version(first / RECIPE) == before


@pytest.mark.parametrize("again", [B, B + C, C + B])
def test_killed_between_state_and_rows_it_is_removed(again, first):
    made(first, B)
    assert not in_step(first, RECIPE, again)
    assert not (first / RECIPE).exists()
    assert not in_step(first, RECIPE, again)


def test_one_record_of_many_that_comes_again_is_enough(first):
    made(first, [record(str(n)) for n in range(50)])
    assert not in_step(first, RECIPE, [*C, record("49")])


def test_killed_in_the_first_passage_of_all(tmp_path):
    made(tmp_path, A)
    assert not in_step(tmp_path, RECIPE, A)
    made(tmp_path, A)
    assert in_step(tmp_path, RECIPE, B)


def test_killed_again_while_it_makes_good(first):
    """Each attempt may die at each point; what it leaves is never trusted for the same records."""
    for deaths in itertools.product(("before begin", "after begin", "after commit"), repeat=2):
        made(first, B)
        for death in deaths:
            assert not in_step(first, RECIPE, B)
            if death != "before begin":
                begin(first, RECIPE, B)
            if death == "after commit":
                commit(first)
        assert not in_step(first, RECIPE, B)
        made(first, B)
        assert in_step(first, RECIPE, C)


def test_a_state_of_another_recipe_is_not_touched(first):
    made(first, B, "other")
    assert not in_step(first, "other", B)
    assert in_step(first, RECIPE, C)


def test_what_begins_is_noted_whole_or_not_at_all(first):
    begin(first, RECIPE, B + C)
    assert (first / BEGUN).read_text().split("\n") == [state.version(first / RECIPE), B[0].id, C[0].id]
    assert [path.name for path in first.iterdir() if path.name.startswith(".")] == []


POINTS = ("begun", "committed", "kept")


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(POINTS), st.integers(0, 2)), max_size=9))
def test_whatever_the_order_of_kills_a_trusted_state_knows_just_what_has_rows(tmp_path_factory, course):
    """A model: what the state knows, and what has rows. Each passage takes what has none, and some more."""
    workspace = tmp_path_factory.mktemp("w")
    rows: set[str] = set()
    known: set[str] = set()
    arrived: list[Record] = []
    for number, (point, more) in enumerate(course):
        arrived += [record(f"{number}-{n}") for n in range(more)]
        took = [each for each in arrived if each.id not in rows]
        if not took:
            continue
        if in_step(workspace, RECIPE, took):
            assert known == rows
        else:
            known, took = set(), list(arrived)
        begin(workspace, RECIPE, [each for each in arrived if each.id not in rows])
        if point != "begun":
            commit(workspace)
            known |= {each.id for each in took}
        if point == "kept":
            rows |= known
            tidy(workspace, RECIPE)


class TestTidy:
    def test_states_of_other_recipes_and_unfinished_work_go(self, first):
        commit(first, "old")
        (first / "work" / "run").mkdir(parents=True)
        tidy(first, RECIPE)
        assert {path.name for path in first.iterdir()} == {RECIPE, BEGUN}
        assert in_step(first, RECIPE, B)

    def test_folders_that_are_no_states_stay(self, first):
        (first / "mine").mkdir()
        (first / "mine" / "notes.txt").write_text("keep")
        tidy(first, RECIPE)
        assert (first / "mine" / "notes.txt").read_text() == "keep"

    def test_twice_is_once(self, first):
        tidy(first, RECIPE)
        before = sorted(first.rglob("*"))
        tidy(first, RECIPE)
        assert sorted(first.rglob("*")) == before
