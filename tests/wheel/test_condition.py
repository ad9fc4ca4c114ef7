"""What doctor says of a store: writable, free, every room well, every task judged, experts at hand."""

import os
import shutil

import pytest

from openflywheel.base.nouns import Dataset, Step
from openflywheel.base.settings import read
from openflywheel.store.lease import lease
from openflywheel.wheel.condition import examine_store


def found(wheel):
    """name -> check, of an open wheel's store."""
    return {check.name: check for check in examine_store(wheel.settings)}


def test_before_the_first_turn_nothing_is_made(new):
    (check,) = examine_store(read(new / "flywheel.yaml"))
    assert (check.name, check.state) == ("store", "ok")
    assert check.what == f"{new / 'wheel'} will be made by the first turn"
    assert not (new / "wheel").exists()


def test_after_a_turn_it_is_counted_and_free(wheel):
    checks = found(wheel)
    assert checks["store"].what == f"{wheel.store.path}: {sum(wheel.store.counts().values())} rows"
    assert (checks["lock"].state, checks["lock"].what) == ("ok", "free: nobody is turning the wheel")
    assert checks["experts"].state == "ok"
    assert not {"collect", "curate", "customize"} & set(checks)


def test_looking_changes_nothing(wheel):
    before = wheel.store.counts()
    assert found(wheel) == found(wheel)
    assert wheel.store.counts() == before


def test_while_somebody_turns_it_says_to_wait(wheel):
    with lease(wheel.store.path / "turn.lock", "the wheel 'desk'"):
        lock = found(wheel)["lock"]
    assert (lock.state, lock.remedy) == ("warning", "wait for it, or stop it")
    assert str(os.getpid()) in lock.what
    assert found(wheel)["lock"].state == "ok"


class TestRooms:
    @staticmethod
    def step(wheel, room, error):
        wheel.store.append([Step(room=room, turn=9, took=1, gave=0, seconds=0.1, error=error)])

    def test_one_that_failed_is_told_with_what_to_do(self, wheel):
        self.step(wheel, "curate", "the disk is full")
        check = found(wheel)["curate"]
        assert (check.state, check.what) == ("error", "failed: the disk is full")
        assert check.remedy == "when it is repaired: flywheel turn --only curate"

    def test_its_newest_passage_counts_alone(self, wheel):
        self.step(wheel, "curate", "the disk is full")
        self.step(wheel, "customize", "out of memory")
        self.step(wheel, "curate", "")
        assert "curate" not in found(wheel)
        assert found(wheel)["customize"].state == "error"
        self.step(wheel, "curate", "again")
        assert found(wheel)["curate"].what == "failed: again"


class TestHoldouts:
    def test_a_task_that_nobody_can_judge_is_warned_of(self, desk, reopen):
        checks = found(reopen(desk, ("tasks: {", "tasks: {price: {kind: number}, ")))
        assert checks["task price"].state == "warning"
        assert "study needs audit" in checks["task price"].remedy

    def test_a_holdout_of_one_task_is_none_of_another(self, desk, reopen):
        wheel = reopen(desk, ("tasks: {", "tasks: {price: {kind: number}, "))
        wheel.store.append(
            [Dataset(name="price-holdout", task="price", role="holdout", rows=("r",), recipe="x")]
        )
        wheel.store.append([Dataset(name="mood-train", task="route", role="train", rows=("s",), recipe="x")])
        judged = {d.task for d in wheel.store.all(Dataset) if d.role == "holdout"}
        assert "price" in judged
        assert [name for name in found(wheel) if name.startswith("task ")] == [
            f"task {task}" for task in wheel.settings.tasks if task not in judged
        ]


class TestExperts:
    BUDGET = ("wheel: {", "wheel: {budget: {labels: 1, holdout: 0}, ")

    def test_they_keep_up_with_three_turns_of_questions_and_no_more(self, desk, reopen):
        """Every question that no one answers is asked once; study asks for those that nobody was sure of."""
        wheel = reopen(desk, self.BUDGET)
        while len(wheel.store.experts.open()) <= 3:
            assert found(wheel)["experts"].state == "ok"
            before = len(wheel.store.experts.open())
            for n in range(3):
                wheel.ask("route", f"who are you {before} {n}", subject=f"p{before}-{n}")
            wheel.turn()
            assert len(wheel.store.experts.open()) > before
        check = found(wheel)["experts"]
        assert (check.state, check.what[:20]) == ("warning", "4 questions are open")
        assert "the oldest for 0.0 days" in check.what
        assert "flywheel label" in check.remedy


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(desk):
    settings = read(desk / "flywheel.yaml")
    (desk / "wheel").chmod(0o500)
    (check,) = examine_store(settings)
    (desk / "wheel").chmod(0o700)
    assert (check.state, check.remedy) == ("error", f"chmod u+w {desk / 'wheel'}")


def test_a_store_that_is_a_file_is_an_error_and_ends_the_list(desk):
    settings = read(desk / "flywheel.yaml")
    shutil.rmtree(desk / "wheel")
    (desk / "wheel").write_text("no folder")
    (check,) = examine_store(settings)
    assert (check.name, check.state) == ("store", "error")
    assert "set  store:  to another folder" in check.remedy


def test_a_database_that_cannot_be_reached_ends_the_list(desk, reopen):
    settings = reopen(desk).settings
    other = type(settings)(
        **{name: getattr(settings, name) for name in settings.__struct_fields__}
        | {"database": "postgresql://wheel:x@127.0.0.1:1/none"}
    )
    (check,) = examine_store(other)
    assert check.state == "error"
    assert ":x@" not in check.what
