import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._extract.blocks import CODES, KINDS, Page, blocks, tree_of
from openflywheel.curate._extract.words import words_of


def page_of(html: str) -> Page:
    return blocks(tree_of(html))


def texts(html: str) -> list[str]:
    return page_of(html).texts


def kind(page: Page, block: int) -> str:
    return KINDS[page.kinds[page.areas[block]]]


def test_a_block_is_the_text_between_tags_of_areas() -> None:
    assert texts("<div>one<p>two <b>bold</b> words</p>three</div>") == ["one", "two bold words", "three"]


def test_white_space_is_folded_and_parts_words() -> None:
    assert texts("<p>  a\n\t b <i>c</i> <b>d</b>&nbsp;e </p>") == ["a b c d e"]


def test_inline_elements_part_no_words() -> None:
    assert texts("<p>un<b>believ</b>able, H<sub>2</sub>O</p>") == ["unbelievable, H2O"]


def test_entities_are_read_once() -> None:
    assert texts("<p>a &lt;b&gt; &amp;amp; c</p>") == ["a <b> &amp; c"]


def test_signs_in_attributes_are_no_tags() -> None:
    assert texts('<p title="a > b <p>">text</p><img alt="x > y">more') == ["text", "more"]


def test_code_keeps_its_lines_and_its_indentation() -> None:
    assert texts("<pre>\n  if x:\n    <b>y</b> = 1\n\n</pre>") == ["  if x:\n    y = 1"]
    assert texts("<pre><span>  </span>a<br>b</pre>") == ["  a\nb"]


def test_one_line_break_is_a_line_and_two_are_a_new_block() -> None:
    assert texts("<p>a<br>b<br><br> c<br>\n<br>\n<br>d</p>") == ["a\nb", "c", "d"]


def test_a_rule_parts_blocks() -> None:
    assert texts("<div>a<hr>b</div>") == ["a", "b"]


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<style>x</style>",
        "<noscript>x</noscript>",
        "<template>x</template>",
        "<button>x</button>",
        "<select><option>x</select>",
        "<svg><text>x</text></svg>",
        "<textarea>x</textarea>",
        "<p hidden>x</p>",
        '<div aria-hidden="true">x<div>y</div>z</div>',
        '<span style="color:red; display: none">x</span>',
        '<div style="visibility:hidden">x</div>',
        '<div role="navigation">x</div>',
        "<!-- <p>x</p> -->",
        '<a class="headerlink" href="#x">x</a>',
    ],
)
def test_what_is_not_shown_is_left_out(html: str) -> None:
    assert texts(f"<p>before</p>{html}<p>after</p>") == ["before", "after"]


def test_a_hidden_element_without_an_end_hides_nothing_else() -> None:
    assert texts('<p>a<img aria-hidden="true" src=x><br hidden>b</p>') == ["a\nb"]


def test_a_body_that_scripts_would_show_is_read() -> None:
    assert texts('<body style="display:none"><p>text</p></body>') == ["text"]


def test_letters_within_links_are_counted() -> None:
    page = page_of('<p>see <a href="/x">the page</a> now</p><p><a href="/y">menu</a></p>')
    assert page.texts == ["see the page now", "menu"]
    assert page.linked == [len("the page"), 4]


def test_areas_nest_and_hold_ranges_of_blocks() -> None:
    page = page_of("<article><h1>t</h1><div><p>a</p><p>b</p></div></article><p>c</p>")
    article, div = page.kinds.index(CODES["article"]), page.areas[1] - 1
    assert [kind(page, n) for n in range(4)] == ["h1", "p", "p", "p"]
    assert (page.starts[article], page.ends[article]) == (0, 3)
    assert (page.starts[div], page.ends[div]) == (1, 3)
    assert page.parents[div] == article
    assert (page.starts[0], page.ends[0]) == (0, 4)


def test_elements_of_the_pages_own_are_areas() -> None:
    assert texts("<my-card>a</my-card><my-card>b</my-card>") == ["a", "b"]


def test_words_of_an_areas_attributes_are_kept() -> None:
    page = page_of('<div class="comments"><p>a</p></div>')
    assert page.words[page.parents[page.areas[0]]] == words_of(' class="comments"')


def test_nothing_gives_nothing() -> None:
    assert texts("") == texts("<body> \n </body>") == texts("<frameset><frame></frameset>") == []


@given(
    st.recursive(
        st.text("ab <&"), lambda inner: st.lists(st.tuples(st.sampled_from(KINDS), inner)), max_leaves=20
    )
)
def test_ranges_cover_exactly_the_blocks_of_their_areas(tree: object) -> None:
    page = page_of(_html(tree))
    for area in range(len(page.kinds)):
        inside = [block for block, at in enumerate(page.areas) if _is_within(page, at, area)]
        assert inside == list(range(page.starts[area], page.ends[area]))


def _html(tree: object) -> str:
    if isinstance(tree, str):
        return tree.replace("&", "&amp;").replace("<", "&lt;")
    assert isinstance(tree, list)
    return "".join(f"<{name}>{_html(inner)}</{name}>" for name, inner in tree)


def _is_within(page: Page, inner: int, area: int) -> bool:
    while inner != area and inner:
        inner = page.parents[inner]
    return inner == area
