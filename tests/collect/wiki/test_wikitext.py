import time

import pytest

from openflywheel.collect._wiki.wikitext import cut, plain, redirects

PAGE = """{{Infobox|a={{x|y}}|b=[[c]]}}
'''Shoes''' are ''[[footwear|worn]]'' on [[foot|feet]].<ref name="a">{{cite|x}} text</ref><ref name=b /> \
[[File:Shoe.jpg|thumb|A [[red]] shoe]]
<!-- hidden -->
== Sizes ==
* small
** very
# one
{| class="wikitable"
|-
! Size !! style="x" | cm
|-
| 38 || align="right" | 24 [[cm|centimetres]]
|}
=== More ===
See [https://example.com the site], [https://example.com]. &amp; x<br/>y <b>bold</b>
[[Category:Footwear]][[:Category:Footwear|cat]][[de:Schuh]]__NOTOC__"""

SAID = """Shoes are worn on feet.

## Sizes

- small
- very
- one
Size | cm
38 | 24 centimetres

### More

See the site, . & x
y bold
cat"""


def test_a_page_as_markdown():
    assert plain(PAGE) == SAID


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("{{never closed", "{{never closed"),
        ("closed }} only", "closed }} only"),
        ("[[never closed", "never closed"),
        ("a <ref>never closed", "a never closed"),
        ("{{a|{{b}} c}} d", "d"),
        ("[[a]] [[b|c]] [[d#e|f|g]]", "a c g"),
        ("it's 5 o'clock", "it's 5 o'clock"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("x = y = z", "x = y = z"),
        ("&lt;tag&gt;", "<tag>"),
    ],
)
def test_pieces(markup, said):
    assert plain(markup) == said


def test_redirects_in_any_language():
    assert redirects("#REDIRECT [[Shoe]]")
    assert redirects(" #WEITERLEITUNG[[Schuh]]")
    assert not redirects("# first [of a list")
    assert not redirects("text")


def test_what_stands_between_two_marks_is_cut():
    assert cut("a(b(c)d)e)f(", r"\(", r"\)") == "ae)f("


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        ("= ", " "),
        ("=a", " \t"),
        ("|", "="),
        ("|", "a="),
        ("", "{{"),
        ("", "[["),
        ("", "[[a|"),
        ("", "<ref>"),
        ("", "<!--"),
        ("", "="),
        ("", "= "),
        ("", "=\n"),
        ("", "'"),
        ("", "|"),
        ("", "[http://x "),
        ("", "<"),
        ("", "<a "),
        ("", " "),
        ("", "\t"),
        ("", " \n"),
        ("", "\n*"),
        ("", "{|\n"),
    ],
)
def test_hostile_markup_takes_time_in_proportion_to_its_length(begin, piece):
    def seconds(times):
        began = time.process_time()
        plain(begin + piece * times + "x")
        return time.process_time() - began

    seconds(10)
    assert seconds(80_000) < 20 * max(seconds(20_000), 0.01)  # four times as long; 16 if it were quadratic
