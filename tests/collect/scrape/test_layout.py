import lxml.html

from openflywheel.collect._scrape.layout import readable, text_of


def test_blocks_stand_apart_and_inline_markup_leaves_no_trace():
    html = "<h2>One</h2><p>a micro<b>phone</b>\n here</p><ul><li>x<li>y</ul>5 &lt; 6<br>z"
    assert readable(html) == "One\n\na microphone here\n\nx\ny\n\n5 < 6\nz"


def test_cells_of_a_row_are_divided():
    assert readable("<table><tr><td>1<td>2<tr><td>3</table>") == "1 | 2\n3"


def test_scripts_styles_and_comments_are_no_text_but_what_follows_them_is():
    assert readable("a<script>x()</script><style>p{}</style><!-- c -->b") == "ab"


def test_text_without_markup_stays_as_it_is():
    for text in ("AT&T", "a < b > c", "if (a<b) x", "", "two\n\nlines"):
        assert readable(text) == text
    assert readable("fish &amp; chips") == "fish & chips"
    assert readable("write &lt;b&gt; here") == "write <b> here"


def test_markup_that_is_escaped_as_a_whole_is_markup():
    assert readable("&lt;p&gt;one&lt;/p&gt;two &amp;amp; three") == "one\n\ntwo & three"


def test_the_tail_of_an_element_is_not_its_text():
    tree = lxml.html.document_fromstring("<p><i>in</i>out</p>")
    assert text_of(tree.find(".//i")) == "in"
