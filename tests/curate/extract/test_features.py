import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._extract.blocks import Page, blocks, tree_of
from openflywheel.curate._extract.features import features, matrix

PROSE = "A sentence that is long enough, with a comma, to be taken for a part of an article. "
PAGE = f"""<nav><a href="/">Home</a></nav><article><h1>Title</h1><p>{PROSE}</p><p>{PROSE * 4}</p>
<ul><li><a href="/x">First link</a><li>Second</ul><pre>x = 1</pre></article><footer>Made by us</footer>"""
PARTS = [
    f"<p>{PROSE}</p>",
    "<h1>A</h1>",
    "<div>b</div>",
    '<ul><li><a href="x">c</a></ul>',
    "<table><tr><td>d</table>",
]


def page_of(html: str) -> Page:
    return blocks(tree_of(html))


def column(name: str, html: str = PAGE) -> list[float]:
    return [float(value) for value in features([page_of(html)])[1][name]]


def test_every_feature_has_a_number_for_every_block() -> None:
    page = page_of(PAGE)
    _, columns = features([page])
    x = matrix(columns)
    assert x.shape == (len(page.texts), len(columns)) == (8, 105)
    assert np.isfinite(x).all()


def test_of_the_text() -> None:
    assert column("linked") == [1, 0, 0, 0, 1, 0, 0, 0]
    assert column("heading") == [0, 1, 0, 0, 0, 0, 0, 0]
    assert column("commas")[2:4] == [2, 8]
    assert column("stopped") == [0, 0, 1, 1, 0, 0, 0, 0]


def test_of_the_elements() -> None:
    assert column("in_nav") == [1, 0, 0, 0, 0, 0, 0, 0]
    assert column("in_article") == [0, 1, 1, 1, 1, 1, 1, 0]
    assert column("is_pre") == [0, 0, 0, 0, 0, 0, 1, 0]
    assert column("in_footer") == [0, 0, 0, 0, 0, 0, 0, 1]


def test_of_names() -> None:
    html = f'<div><p>{PROSE}</p><div class="comment"><div><div><div><p>a</p></div></div></div></div></div>'
    assert column("any_comment", html) == [0, 1]
    assert column("near_comment", html) == [0, 0]
    assert column("noise", html) == [0, 1]


def test_of_the_list_around() -> None:
    assert column("list_count") == [0, 0, 0, 0, 2, 2, 0, 0]
    assert column("list_density")[0] == -1
    assert 0.6 < column("list_density")[4] < 0.7


def test_of_the_place() -> None:
    assert column("in_top") == [0, 1, 1, 1, 1, 1, 1, 0]
    assert column("before_h1") == [1, 0, 0, 0, 0, 0, 0, 0]
    assert column("before_h1", "<p>a</p><p>b</p>") == [0, 0]
    before = column("before")
    assert before[0] == 0
    assert before == sorted(before)


def test_of_the_neighbours() -> None:
    sizes = column("size")
    assert column("next1_size") == [*sizes[1:], -1]
    assert column("next-2_size") == [-1, -1, *sizes[:-2]]
    assert column("next-1_heading") == [0, 0, 1, 0, 0, 0, 0, 0]
    assert column("next1_sibling") == [0, 1, 1, 0, 1, 0, 0, 0]


def test_of_the_page() -> None:
    assert len(set(column("page_prose"))) == 1
    assert 0 < column("page_code")[0] < 0.1


@given(st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_page_has_the_same_features_in_any_company(pages: list[list[str]]) -> None:
    read = [page_of("".join(parts)) for parts in pages]
    of, columns = features(read)
    together = matrix(columns)
    for page, start in zip(read, of.first_block, strict=True):
        alone = matrix(features([page])[1])
        assert np.array_equal(together[start : start + len(page.texts)], alone)
