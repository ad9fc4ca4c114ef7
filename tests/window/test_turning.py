"""Turning at the command line: who agrees to training over budget, what is shown, how it exits."""

import os
import sys

import pytest
from msgspec import Struct

from openflywheel.wheel.ring import TURN
from openflywheel.window._turning import _agree

SETTINGS = """\
name: desk
store: wheel
encoder: ngrams
tasks: {route: {kind: label}}
collect: {files: {path: seeds.jsonl, basis: no_personal_data}}
curate: [normalise]
customize: {head: {}}
evaluate: {accuracy: {}}
"""
SEEDS = {
    "refund": ["money back please", "where is my refund", "refund me now"],
    "parcel": ["where is my parcel", "parcel not here", "track my package"],
    "login": ["cannot sign in", "password forgotten", "login code missing"],
}


class Estimate(Struct):
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    dollars: float = 0.0
    note: str = "by rows"


HOURS = Estimate(cpu_seconds=7200)


@pytest.fixture
def terminal(monkeypatch):
    """A real one, at which a person sits: type on it, and read what it shows."""
    master, slave = os.openpty()
    with os.fdopen(slave, closefd=False) as keys, os.fdopen(slave, "w", closefd=False) as screen:

        def sit(typed):
            """In the test itself: pytest sets the streams anew when a fixture is through."""
            monkeypatch.setattr(sys, "stdin", keys)
            monkeypatch.setattr(sys, "stderr", screen)
            os.write(master, typed.encode())

        yield sit
    for end in (master, slave):
        os.close(end)


class TestAgree:
    @pytest.mark.parametrize("yes", [True, False])
    def test_nobody_is_asked_who_does_not_sit_at_a_terminal(self, yes, monkeypatch, capfd):
        read, write = os.pipe()
        os.write(write, b"y\n")
        with os.fdopen(read) as keys:
            monkeypatch.setattr(sys, "stdin", keys)
            assert _agree(yes, "scratch", HOURS) is yes
        os.close(write)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("typed", "agreed"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False)]
    )
    def test_a_person_at_one_is_asked_and_no_is_the_default(self, typed, agreed, terminal):
        terminal(typed)
        assert _agree(False, "scratch", HOURS) is agreed

    def test_what_is_no_answer_is_asked_again(self, terminal):
        terminal("perhaps\ny\n")
        assert _agree(False, "scratch", HOURS)

    def test_with_yes_a_person_at_one_is_not_asked(self, terminal):
        terminal("n\n")
        assert _agree(True, "scratch", HOURS)

    def test_a_terminal_that_only_types_is_not_asked(self, terminal, monkeypatch, tmp_path):
        terminal("y\n")
        with (tmp_path / "log").open("w") as log:
            monkeypatch.setattr(sys, "stderr", log)
            assert not _agree(False, "scratch", HOURS)
        assert (tmp_path / "log").read_text() == ""

    @pytest.mark.parametrize(
        ("estimate", "said"),
        [
            (HOURS, "scratch would take 7,200 s, 0.00 dollars (by rows). Start it?"),
            (Estimate(gpu_seconds=90, dollars=1.5), "scratch would take 90 s, 1.50 dollars"),
            (Estimate(dollars=12), "scratch would take 0 s, 12.00 dollars"),
        ],
    )
    def test_the_question_names_time_and_money(self, estimate, said, terminal, monkeypatch, tmp_path):
        class Screen:
            """A terminal that also keeps what it shows."""

            def __init__(self, under, copy):
                self._under, self._copy = under, copy

            def write(self, text):
                self._copy.write(text)
                return self._under.write(text)

            def __getattr__(self, name):
                return getattr(self._under, name)

        terminal("n\n")
        with (tmp_path / "copy").open("w") as copy:
            monkeypatch.setattr(sys, "stderr", Screen(sys.stderr, copy))
            _agree(False, "scratch", estimate)
        assert said in (tmp_path / "copy").read_text()


class TestTurn:
    @pytest.fixture
    def new(self, bare):
        """A flywheel with a few seeds that has never turned."""
        (bare / "flywheel.yaml").write_text(SETTINGS)
        seeds = [
            f'{{"text": "{text}", "label": "{label}"}}\n' for label, texts in SEEDS.items() for text in texts
        ]
        (bare / "seeds.jsonl").write_text("".join(seeds))
        return bare

    def test_all_rooms_in_their_order_and_then_there_is_nothing_new(self, new, ask_json):
        steps = ask_json("turn")
        assert [step["room"] for step in steps] == list(TURN)
        assert {step["turn"] for step in steps} == {0}
        assert {step["error"] for step in steps} == {""}
        gave = {step["room"]: step["gave"] for step in steps}
        assert (gave["collect"], gave["customize"]) == (9, 1)
        again = {step["room"]: step["gave"] for step in ask_json("turn", "--yes")}
        assert (again["collect"], again["customize"]) == (0, 0)

    def test_one_room_alone(self, new, ask_json):
        assert [step["room"] for step in ask_json("turn", "--only", "collect")] == ["collect"]

    def test_a_room_that_there_is_not(self, new, flywheel):
        told = flywheel("turn", "--only", "curat")
        assert told.exit_code == 2
        assert "'curate'" in told.stderr
        assert not (new / "wheel").exists()

    def test_a_room_that_fails_is_told_and_the_exit_says_so(self, new, flywheel):
        (new / "flywheel.yaml").write_text(SETTINGS.replace("seeds.jsonl", "lost.jsonl"))
        told = flywheel("turn", "--only", "collect")
        assert told.exit_code == 1
        assert "lost.jsonl" in told.stdout + told.stderr

    def test_spin_turns_at_least_once(self, new, flywheel):
        told = flywheel("spin", "--turns", "0")
        assert told.exit_code == 2
        assert "0 is not in the range x>=1" in told.stderr
