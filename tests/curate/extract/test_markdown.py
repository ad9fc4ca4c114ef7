import pytest

from openflywheel.curate._extract.areas import areas
from openflywheel.curate._extract.blocks import blocks, tree_of
from openflywheel.curate._extract.markdown import markdown
from openflywheel.curate._extract.tables import tables


def written(html: str, *left_out: str) -> str:
    page = blocks(tree_of(html))
    of = areas([page])
    kept = [n for n, text in enumerate(page.texts) if text not in left_out]
    return markdown(page, kept, of.within[of.area].tolist(), tables(page))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<h1>a</h1><h3>b<br>c</h3>d", "# a\n\n### b c\n\nd"),
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<ul><li><p>a</p><p>b</p><li>c</ul>", "- a\n\n  b\n\n- c"),
        ("<ol><li>a<br>b</ol>", "1. a\n   b"),
        ("<blockquote><p>a</p></blockquote>b", "> a\n\nb"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n\n> > b"),
        ("<pre>if x:\n  y</pre>", "```\nif x:\n  y\n```"),
        ("<pre>```\nx\n```</pre>", "````\n```\nx\n```\n````"),
        ('<p>see <a href="/x">this</a></p>', "see this"),
        ("<table><tr><th>a<th>b<tr><td>1|2<td></table>x", "| a | b |\n| --- | --- |\n| 1\\|2 |  |\n\nx"),
        (
            "<table><caption>t</caption><tr><td>a<td>b<tr><td>c<td>d</table>",
            "t\n\n| a | b |\n| --- | --- |\n| c | d |",
        ),
        ("<table><tr><td>a<td><p>b</p></table>", "a\n\nb"),
    ],
)
def test_a_page_is_written_as_markdown(html: str, text: str) -> None:
    assert written(html) == text


def test_what_is_not_kept_is_not_written() -> None:
    assert written("<h1>t</h1><p>a</p><ol><li>x<li>y</ol>", "a", "x") == "# t\n\n2. y"


def test_code_in_an_item_stands_below_it() -> None:
    assert written("<ul><li>run<pre>a\nb</pre></ul>") == "- run\n\n  ```\n  a\n  b\n  ```"


def test_nothing_is_nothing() -> None:
    assert written("<p>a</p>", "a") == ""
