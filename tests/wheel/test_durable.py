"""A turn survives its process, and wheels of one process take turns."""

import os
from collections import Counter

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Dataset, Model, Row, Step
from openflywheel.wheel.ring import TURN

# Kills the process, once, as the room it stands in is half through.
DEADLY = """\
import os
def deadly(batch, *, folder):
    if (folder / "kill").exists():
        (folder / "kill").unlink()
        os._exit(7)
    return batch
"""
TURNING = """
import sys
from openflywheel.wheel.flywheel import Flywheel
with Flywheel.open(sys.argv[1]) as wheel:
    wheel.turn(each=lambda step: print(step.room, flush=True))
"""


def passed(wheel):
    """Turns the wheel once; returns the rooms that were passed, and the Steps of the turn."""
    seen = []
    steps = wheel.turn(each=lambda step: seen.append(step.room))
    return seen, steps


class TestKilled:
    @pytest.fixture
    def killed(self, new, install, elsewhere):
        """Kill a turn of the wheel in a folder in `curate`; returns the rooms that it had passed."""
        site = install("curate", "deadly", DEADLY)

        def kill(*changes):
            yaml = (new / "flywheel.yaml").read_text()
            for old, fresh in (("[normalise, ", "[normalise, deadly, "), *changes):
                yaml = yaml.replace(old, fresh)
            (new / "flywheel.yaml").write_text(yaml)
            (new / "kill").touch()
            paths = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
            child = elsewhere(TURNING, new / "flywheel.yaml", env={**os.environ, "PYTHONPATH": paths})
            said, _ = child.communicate()
            assert child.returncode == 7
            return said.split()

        return kill

    @pytest.mark.fault
    @pytest.mark.slow
    def test_it_goes_on_at_the_room_where_it_was_killed(self, killed, new, reopen):
        before = killed()
        assert before == list(TURN[: TURN.index("curate")])
        wheel = reopen(new)
        assert [s.room for s in wheel.store.all(Step)] == before
        assert wheel.store.all(Row) == []
        seen, steps = passed(wheel)
        assert [*before, *seen] == list(TURN)
        assert [(s.room, s.turn, s.error) for s in steps] == [(room, 0, "") for room in TURN]
        assert steps == wheel.store.all(Step)
        assert [len(wheel.store.all(kind)) for kind in (Row, Dataset, Model)] == [9, 1, 1]
        seen, steps = passed(wheel)
        assert (seen, {s.turn for s in steps}) == (list(TURN), {1})

    @pytest.mark.fault
    @pytest.mark.slow
    def test_a_wheel_of_another_name_leaves_it_alone(self, killed, new, reopen):
        shared = f"encoder: ngrams\ndatabase: sqlite:///{new}/shared.db"
        before = killed(("encoder: ngrams", shared))
        other = reopen(new, ("name: desk", "name: shelf"), ("store: wheel", "store: other"))
        seen, steps = passed(other)
        assert (seen, [s.room for s in steps]) == (list(TURN), list(TURN))
        other.close()
        wheel = reopen(new, ("name: shelf", "name: desk"), ("store: other", "store: wheel"))
        assert wheel.store.last_turn() == 0
        assert passed(wheel)[0] == list(TURN[len(before) :])


class TestTogether:
    def test_two_wheels_of_one_process_take_turns(self, new, reopen):
        one, two = reopen(new), reopen(new, ("store: wheel", "store: other"))
        turns = [[s.turn for s in wheel.turn()] for wheel in (one, two, one, one, two)]
        assert turns == [[n] * len(TURN) for n in (0, 0, 1, 2, 1)]
        for wheel, count in ((one, 3), (two, 2)):
            assert Counter(s.room for s in wheel.store.all(Step)) == dict.fromkeys(TURN, count)
            assert len(wheel.store.all(Model)) == 1

    def test_closing_one_does_not_disturb_the_other(self, new, reopen):
        one, two = reopen(new), reopen(new, ("store: wheel", "store: other"))
        one.turn()
        two.close()
        assert [s.turn for s in one.turn()] == [1] * len(TURN)
        one.close()
        assert [s.turn for s in reopen(new).turn()] == [0] * len(TURN)

    def test_one_store_opened_twice_turns_once_at_a_time(self, desk, reopen):
        one, two = reopen(desk), reopen(desk)
        assert [next(s.turn for s in wheel.turn()) for wheel in (one, two, one)] == [1, 2, 3]
        assert Counter(s.room for s in two.store.all(Step)) == dict.fromkeys(TURN, 4)


class TestDatabase:
    def test_one_that_keeps_no_turns_is_an_error_and_answers_go_on(self, desk, reopen):
        wheel = reopen(desk, ("encoder: ngrams", "encoder: ngrams\ndatabase: sqlite:////no/such/folder/x.db"))
        with pytest.raises(StoreError, match="cannot keep turns: .*correct {2}database:"):
            wheel.turn()
        assert wheel.ask("route", "where is my parcel").output == "parcel"

    def test_one_of_another_kind_is_an_error_that_tells_no_password(self, desk, reopen):
        with pytest.raises(StoreError, match="correct {2}database:") as raised:
            reopen(desk, ("encoder: ngrams", "encoder: ngrams\ndatabase: mysql://desk:marmalade@nowhere/x"))
        assert "marmalade" not in str(raised.value)

    def test_it_can_be_corrected_without_a_new_process(self, desk, reopen):
        wrong = reopen(desk, ("encoder: ngrams", "encoder: ngrams\ndatabase: sqlite:////no/such/folder/x.db"))
        with pytest.raises(StoreError):
            wrong.turn()
        wrong.close()
        right = reopen(desk, ("sqlite:////no/such/folder/x.db", f"sqlite:///{desk}/turns.db"))
        assert [s.turn for s in right.turn()] == [1] * len(TURN)
        assert (desk / "turns.db").exists()
