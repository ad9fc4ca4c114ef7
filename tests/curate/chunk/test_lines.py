import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._chunk.lines import BLOCK, ITEM, LINE, LONELY, WHOLE, Lines, lines_of

parts = ["# a\n", "```\n", "~~~", "\n", "- b\n", "| c |\n", "|-|\n", "d\n", "===\n", "é"]
some = st.lists(st.lists(st.sampled_from(parts)).map("".join), max_size=5)


def found(*texts: str) -> Lines:
    return lines_of(pa.chunked_array([list(texts)], pa.string()))


@given(some)
def test_the_lines_are_the_texts(texts: list[str]) -> None:
    lines = found(*texts)
    whole = [""] * len(texts)
    for n, document in enumerate(lines.document.tolist()):
        whole[document] += lines.text(*lines.starts[[n, n + 1]].tolist())
    assert whole == texts
    assert len(lines.border) == len(lines.block) == len(lines.level) == len(lines.head) == len(lines.document)


@given(some)
def test_a_text_has_the_same_lines_beside_others(texts: list[str]) -> None:
    together, alone = found(*texts), [found(text) for text in texts]
    assert together.border.tolist() == [b for lines in alone for b in lines.border.tolist()]
    assert together.level.tolist() == [b for lines in alone for b in lines.level.tolist()]


@pytest.mark.parametrize(
    ("text", "borders"),
    [
        ("a\nb\n\nc\n", [WHOLE, LINE, LINE, BLOCK]),
        ("- a\n  b\n- c\n\nd", [WHOLE, LINE, ITEM, LINE, BLOCK]),
        ("x\n1. a\n2. b", [WHOLE, BLOCK, ITEM]),
        ("a\n# b\n\nc\n### d\n", [WHOLE, 1, LINE, LONELY, 3]),
        ("a\n\nTitle\n=====\nb", [WHOLE, LINE, 1, LINE, LONELY]),
        ("a\n\nTitle\n---\n\nb", [WHOLE, LINE, 2, LINE, LINE, LONELY]),
        ("a\nb\n---\nc", [WHOLE, LINE, LINE, LINE]),
        ("a\n```\n# no\n\n- b\n```\nc", [WHOLE, BLOCK, LINE, LINE, LINE, LONELY, BLOCK]),
        ("a\n| b |\n|---|\n| c |\nd", [WHOLE, BLOCK, LINE, LINE, BLOCK]),
        ("#nospace\n####### seven\n#\n", [WHOLE, LINE, 1]),
    ],
)
def test_what_a_cut_breaks(text: str, borders: list[int]) -> None:
    assert found(text).border.tolist() == borders


def test_a_longer_fence_is_closed_by_no_shorter_one() -> None:
    assert found("````\n```\n# a\n````\n# b").level.tolist() == [0, 0, 0, 0, 1]


def test_an_inline_fence_opens_nothing_and_a_language_closes_nothing() -> None:
    assert found("```a``` b\n# c").level.tolist() == [0, 1]
    assert found("```\n```sh\n# c\n```\n# d").level.tolist() == [0, 0, 0, 0, 1]


def test_a_table_and_code_have_heads_that_are_not_their_own() -> None:
    assert found("| a |\n|---|\n| b |").head.tolist() == [[0, 0], [0, 0], [0, 2]]
    assert found("x\n~~~\nb\n~~~").head.tolist() == [[0, 0], [0, 0], [1, 2], [1, 2]]


def test_a_table_without_a_rule_has_no_head() -> None:
    first, end = found("| a |\n| b |").head[1].tolist()
    assert first == end
