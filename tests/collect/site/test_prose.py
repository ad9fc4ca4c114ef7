import re
from collections import Counter
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from openflywheel.collect._site.markup import markup
from openflywheel.collect._site.prose import prose

PAGES = Path(__file__).parents[4] / "shared" / "data" / "readability_pages"
LONG = "The battery lasts two days when the screen is dim, and a night of rest fills it up again. " * 3


def text(html: str) -> str:
    return prose(LexborHTMLParser(html))


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<h1>A</h1><p>one <b>two</b>\n three</p><p>four", "A\none two three\nfour"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "a\nb\nc"),
        ("<p>a<br>b", "a\nb"),
        ("a<div>b</div>c", "a\nb\nc"),
        ("<dl><dt>term<dd>what it is</dl>", "term\nwhat it is"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a | b\n1 | 2"),
        ("<table><tr><td><p>1</p></td>\n<td><div><p>2</p></div></td></tr></table>", "1 | 2"),
        ("<table><tr><td></td><td>2</td></tr></table>", "| 2"),
        ("<pre>def f():\n    <b>return</b> 1 &lt; 2\n</pre>after", "def f():\n    return 1 < 2\nafter"),
        ("<p>x &amp;lt; y&nbsp;z &amp; &lt;b&gt;", "x &lt; y z & <b>"),
        ("<!-- no --><p>a<!-- > -->b", "ab"),
        ("", ""),
        ("<p> \n\t </p>", ""),
        ('<p title="a > b">c', "c"),
    ],
)
def test_blocks_become_lines(html: str, said: str) -> None:
    assert text(html) == said


@pytest.mark.parametrize(
    "html",
    [
        "<script>no</script>",
        "<style>no</style>",
        "<noscript>no</noscript>",
        "<template>no</template>",
        "<nav>no</nav>",
        "<header>no</header>",
        "<footer>no</footer>",
        "<aside>no</aside>",
        "<button>no</button>",
        "<select><option>no</select>",
        "<textarea>no</textarea>",
        "<div hidden>no</div>",
        "<svg><text>no</text></svg>",
        "<div aria-hidden=true>no</div>",
        '<div style="display:none">no</div>',
        "<div role=navigation>no</div>",
        '<p style="color: red; display: none">no</p>',
        "<iframe>no</iframe>",
        "<dialog>no</dialog>",
        "<a class=headerlink href=#x>no</a>",
        "<label>no</label>",
    ],
)
def test_what_is_not_the_text_goes(html: str) -> None:
    assert text(f"<p>yes</p>{html}") == "yes"


def test_the_header_of_an_article_stays() -> None:
    assert (
        text("<header>site</header><article><header>Title</header>Text<footer>by</footer></article>")
        == "Title\nText\nby"
    )


def test_main_stands_for_the_page_when_it_says_enough() -> None:
    assert text(f"<div>menu</div><main>{LONG}</main>") == LONG.strip()
    assert text(f"<div>more</div><article>{LONG}</article>") == LONG.strip()
    assert text("<div>menu</div><main>short</main>") == "menu\nshort"
    assert text(f"<article>{LONG}</article><article>{LONG}</article>").count("battery") == 6


def test_a_run_of_links_is_a_menu_and_two_are_not() -> None:
    link = "<li><a href=/x>Go there</a>"
    assert text(f"<ul>{link * 3}</ul><p>yes") == "yes"
    assert text(f"<ul>{link * 2}</ul><p>yes") == "Go there\nGo there\nyes"
    assert text(f"<ul>{link * 3}</ul><p>see <a href=/y>this</a> for more").startswith("see this")
    assert text("<p><a href=/a>One</a> | <a href=/b>Two</a></p>" * 3 + "<p>yes") == "yes"
    assert text(f"<p>yes<ul>{link * 5}</ul>") == "yes"


def words(said: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", said.lower()))


@pytest.mark.skipif(not PAGES.exists(), reason="../shared/data/readability_pages is not here")
def test_real_pages_keep_their_text() -> None:
    """65 pages with their main text (mozilla/readability): recall .99, F1 .93 when this was written."""
    precision, recall = [], []
    for folder in sorted(p for p in PAGES.iterdir() if p.is_dir()):
        found = words(text(markup((folder / "source.html").read_bytes())))
        wanted = words(LexborHTMLParser((folder / "expected.html").read_bytes()).text(separator=" "))
        both = (found & wanted).total()
        precision.append(both / max(found.total(), 1))
        recall.append(both / wanted.total())
    assert len(recall) >= 60
    assert sum(recall) / len(recall) > 0.98
    assert min(recall) > 0.8
    assert sum(precision) / len(precision) > 0.87
