"""Bars for those who wait at a terminal, and nothing for those who do not."""

import io
import re
import sys

import pytest

from openflywheel.window._progress import progress, watched

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Screen(io.StringIO):
    """Keeps what a terminal would show."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        return CONTROL.sub("", self.getvalue())


@pytest.fixture
def attached(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def attached():
        """In the test itself: pytest sets standard error anew when a fixture is through."""
        monkeypatch.setattr(sys, "stderr", Screen())
        return sys.stderr

    return attached


def test_each_tick_is_a_step_and_names_what_is_done(attached):
    screen = attached()
    with progress("turning", 3) as tick:
        for room in ("signals", "study"):
            tick(room)
    assert "turning: study" in screen.shown
    assert "2/3" in screen.shown
    assert "3/3" not in screen.shown


def test_figures_of_a_step_stand_in_a_bar_of_their_own(attached):
    screen = attached()
    with watched("turning", 8) as (_, tell):
        tell("customize", {"step": 20, "steps": 400, "loss": 1.23456})
    assert "customize: loss 1.235" in screen.shown
    assert "20/400" in screen.shown
    assert "step 20" not in screen.shown


def test_figures_without_steps_are_told_too(attached):
    screen = attached()
    with watched("turning", 8) as (_, tell):
        tell("collect", {"done": 7, "queued": 2})
    assert "collect: done 7, queued 2" in screen.shown


def test_the_second_bar_is_hidden_until_it_is_told_of_and_with_each_tick(attached):
    screen = attached()
    with watched("turning", 8) as (tick, tell):
        assert "customize" not in screen.shown
        tell("customize", {"step": 1, "steps": 2})
        tick("customize")
        screen.seek(0)
        screen.truncate()
    assert "turning: customize" in screen.shown
    assert "1/2" not in screen.shown.rpartition("turning: customize")[2]


def test_standard_output_stays_clean(attached, capsys):
    attached()
    with watched("turning", 2) as (tick, tell):
        tick("signals")
        tell("customize", {"step": 1, "steps": 2})
    assert capsys.readouterr().out == ""


def test_without_a_terminal_nothing_is_shown(monkeypatch, capfd):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with watched("turning", 2) as (tick, tell):
        tick("signals")
        tell("customize", {"loss": 1.0})
        tick("study")
    assert log.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_an_error_inside_comes_out_and_the_bar_is_gone(attached):
    screen = attached()
    with pytest.raises(ZeroDivisionError), progress("turning", 2) as tick:
        tick("signals")
        raise ZeroDivisionError
    assert screen.getvalue().endswith("\x1b[2K")  # the line is empty again
    assert screen.getvalue().rindex("\x1b[?25h") > screen.getvalue().rindex("turning")  # the cursor is back


@pytest.mark.parametrize(
    "figures", [{}, {"step": 3}, {"steps": 3}, {"loss": float("nan")}, {"n": 0}, {"n": -1.5}]
)
def test_whatever_figures_come_are_shown(figures, attached):
    screen = attached()
    with watched("turning", 1) as (_, tell):
        tell("customize", figures)
    assert "customize:" in screen.shown


def test_texts_in_brackets_are_shown_as_they_are(attached):
    screen = attached()
    with progress("turning", 1) as tick:
        tick("[red]study[/]")
    assert "turning: [red]study[/]" in screen.shown


def test_names_that_look_like_markup_stop_nothing(attached):
    screen = attached()
    with watched("turning", 1) as (_, tell):
        tell("customize", {"loss[/val]": 1.0})
    assert "customize: loss[/val] 1" in screen.shown
