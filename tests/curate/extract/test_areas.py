import numpy as np
import pytest

from openflywheel.curate._extract.areas import Areas, areas, best, scores
from openflywheel.curate._extract.blocks import CODES, Page, blocks, tree_of
from openflywheel.curate._extract.words import GROUPS

PROSE = "A sentence that is long enough, with a comma, to be taken for a part of an article. "
ARTICLE = f'<div id="menu"><a href="/">Home</a></div><div id="a">{f"<p>{PROSE}</p>" * 5}</div><ul><li>x</ul>'


def page_of(html: str) -> Page:
    return blocks(tree_of(html))


def area_of(of: Areas, text: int) -> int:
    return int(of.home[text])


def test_sums_of_an_area_are_those_of_its_blocks() -> None:
    of = areas([page_of("<div><p>abc</p><ul><li>de<li>f</ul></div><p>ghij</p>")])
    div, ul = (int(np.flatnonzero(of.kinds == CODES[name])[-1]) for name in ("div", "ul"))
    assert (of.size[div], of.count[div]) == (6, 3)
    assert (of.size[ul], of.count[ul]) == (3, 2)
    assert of.size[0] == 10
    assert of.total(np.array([1, 10, 100, 1000]))[[0, div, ul]].tolist() == [1111, 111, 110]


def test_links_have_a_share() -> None:
    of = areas([page_of('<nav><a href="/">Home</a> <a href="/b">Blog</a></nav><p>Text here</p>')])
    nav = int(np.flatnonzero(of.kinds == CODES["nav"])[0])
    assert of.density[nav] == pytest.approx(8 / 9)
    assert of.linked.tolist() == pytest.approx([8 / 9, 0])


def test_words_of_a_small_area_reach_all_within_it() -> None:
    of = areas(
        [page_of(f'<div class="comments"><div><p>a</p></div></div><div class="x"><p>{PROSE}</p></div>')]
    )
    comment = 1 << [name for name, _ in GROUPS].index("comment")
    assert (of.under[of.area] & comment > 0).tolist() == [True, False]


def test_words_of_an_area_that_is_most_of_the_page_say_nothing() -> None:
    of = areas([page_of(f'<div class="has-comments"><p>{PROSE}</p></div>')])
    assert of.under[of.area].tolist() == [0]


def test_the_nearest_list_or_table_is_known() -> None:
    of = areas([page_of("<table><tr><td><ul><li>a</ul><td>b</table><p>c</p>")])
    assert of.kinds[of.lists[of.area]].tolist()[:2] == [CODES["ul"], CODES["table"]]
    assert of.lists[of.area][2] == -1


def test_paragraphs_have_their_home_around_them() -> None:
    of = areas([page_of("<section><p>a</p></section><div>b</div>")])
    assert of.kinds[of.home].tolist() == [CODES["section"], CODES["div"]]


def test_the_area_of_the_article_scores_best() -> None:
    of = areas([page_of(ARTICLE)])
    top = best(of, scores(of))
    assert top.tolist() == [area_of(of, 1)]


def test_a_page_without_paragraphs_has_its_outermost_area() -> None:
    of = areas([page_of("<b>a</b>")])
    assert best(of, scores(of)).tolist() == [0]


def test_a_page_is_measured_alike_in_any_company() -> None:
    other = page_of("<table><tr><td>1<td>2</table>" * 3)
    alone, second = areas([page_of(ARTICLE)]), areas([other, page_of(ARTICLE)])
    count = len(alone.kinds)
    assert np.array_equal(scores(alone), scores(second)[-count:])
    for name in ("size", "count", "prose", "density", "under", "within"):
        assert np.array_equal(getattr(alone, name), getattr(second, name)[-count:])
