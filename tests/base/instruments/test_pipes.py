"""Tables as Markdown."""

from openflywheel.base.instruments.pipes import pipe_table


def test_a_table():
    assert pipe_table([["a", "b"], ["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_short_rows_are_filled_and_cells_stay_in_their_line():
    assert pipe_table([["a"], ["x|y", "two\nlines"]]) == "| a |  |\n| --- | --- |\n| x\\|y | two lines |"


def test_no_rows():
    assert pipe_table([]) == ""
