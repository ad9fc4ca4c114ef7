import pyarrow as pa

from openflywheel.curate._chunk.lines import lines_of
from openflywheel.curate._chunk.sections import LONGEST, Sections, common

PAGE = """before
# A
in a
## B ##
in b
### C
## D
in d
# E
"""


def sections(*texts: str) -> Sections:
    return Sections(lines_of(pa.chunked_array([list(texts)], pa.string())))


def test_a_line_stands_under_its_headings() -> None:
    found = sections(PAGE)
    assert [found.of(n, n) for n in range(9)] == [
        "",
        "A",
        "A",
        "A > B",
        "A > B",
        "A > B > C",
        "A > D",
        "A > D",
        "E",
    ]


def test_several_lines_stand_under_what_they_have_in_common() -> None:
    found = sections(PAGE)
    assert found.of(3, 7) == "A"
    assert found.of(2, 8) == "A"
    assert found.of(0, 4) == ""


def test_a_heading_with_nothing_under_it_does_not_count() -> None:
    assert sections("# A\n\n## B\n\ntext\n").of(0, 4) == "A > B"


def test_the_next_text_begins_without_a_heading() -> None:
    found = sections("# A\nx\n", "y\n# B\n## C\nz\n", "w")
    assert [found.of(n, n) for n in (1, 2, 5, 6)] == ["A", "", "B > C", ""]


def test_a_deeper_heading_may_come_first() -> None:
    found = sections("### C\nx\n# A\ny\n")
    assert [found.of(1, 1), found.of(3, 3)] == ["C", "A"]


def test_an_endless_heading_is_cut_and_an_empty_one_is_left_out() -> None:
    found = sections(f"# {'x' * 999}\na\n## \nb\n")
    assert found.of(1, 1) == "x" * LONGEST
    assert found.of(3, 3) == "x" * LONGEST


def test_what_paths_have_in_common() -> None:
    assert common([("a", "b"), ("a", "c"), ("a", "b", "d")]) == ("a",)
    assert common([("a", "b")]) == ("a", "b")
    assert common([(), ("a",)]) == ()
