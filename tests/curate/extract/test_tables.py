import pytest

from openflywheel.curate._extract.blocks import Page, blocks, tree_of
from openflywheel.curate._extract.tables import LONGEST, tables


def page_of(html: str) -> Page:
    return blocks(tree_of(html))


def cells(html: str) -> list[list[list[str]]]:
    page = page_of(html)
    return [
        [" ".join(page.texts[start:end]) for start, end in row]
        for table in tables(page)
        for row in table.rows
    ]  # type: ignore[misc]


DATA = "<table><caption>c</caption><tr><th>a<th>b<tr><td>1<td><p>2</p><p>3</p><tr><td><td>4</table>"


def test_a_table_of_data_has_rows_of_cells_empty_ones_too() -> None:
    assert cells(DATA) == [["a", "b"], ["1", "2 3"], ["", "4"]]


def test_its_blocks_are_all_that_stand_in_it() -> None:
    page = page_of(f"<p>x</p>{DATA}<p>y</p>")
    (table,) = tables(page)
    assert page.texts[table.start : table.end] == ["c", "a", "b", "1", "2", "3", "4"]


def test_a_table_around_others_lays_out() -> None:
    page = page_of(f"<table><tr><td>menu<td>{DATA}<tr><td>x<td>y</table>")
    assert [page.texts[table.start] for table in tables(page)] == ["c"]


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td>a<td>b</table>",
        "<table><tr><td>a<tr><td>b</table>",
        "<table><tr><td><h2>a</h2><td>b<tr><td>c<td>d</table>",
        "<table><tr><td>1<td><pre>x</pre><tr><td>2<td>y</table>",
        f"<table><tr><td>menu<td>{'long text ' * LONGEST}<tr><td>c<td>d</table>",
        "<table><tr><td>a<td>b<tr><td>c<tr><td>d<td>e<td>f<tr></table><table></table>",
    ],
)
def test_what_only_lays_out_is_no_data(html: str) -> None:
    assert tables(page_of(html)) == []


def test_a_page_has_several() -> None:
    assert len(tables(page_of(DATA * 3))) == 3
