import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._extract.blocks import blocks, tree_of
from openflywheel.curate._extract.source import DEEPEST, LONGEST_TAG, MOST_BYTES, markup


def test_utf8_is_read_whatever_the_page_says() -> None:
    assert markup('<meta charset="latin1"><p>Größe'.encode()).endswith("Größe")


def test_a_byte_order_mark_is_no_text() -> None:
    assert markup(b"\xef\xbb\xbf<p>a") == "<p>a"


def test_the_declared_charset_is_read_where_it_is_not_utf8() -> None:
    page = '<meta charset="windows-1251"><p>Привет'.encode("cp1251")
    assert markup(page).endswith("Привет")


def test_utf16_with_its_mark() -> None:
    assert markup("<p>größer".encode("utf-16")) == "<p>größer"


@pytest.mark.parametrize("charset", ["nonsense", "base64", "idna", "rot13"])
def test_a_charset_that_is_none_fails_nothing(charset: str) -> None:
    assert "caf" in markup(f'<meta charset="{charset}"><p>caf\xe9'.encode("latin1"))


def test_only_the_first_five_megabytes_are_read_and_no_character_is_halved() -> None:
    text = markup(("x" + "ä" * MOST_BYTES).encode())
    assert len(text.encode()) == MOST_BYTES - 1
    assert set(text) == {"x", "ä"}


def test_an_ordinary_page_stays_as_it_is() -> None:
    page = "<html><body>" + "<div><p>Some <b>bold</b> text</p><br></div>" * 1_000
    assert markup(page.encode()) == page


def test_scripts_that_look_like_tags_do_not_shorten_a_page() -> None:
    script = "<script>" + "for(i=0;i<n;i++)a<b;" * 2_000 + "</script>"
    page = markup((script + "<div><p>The text.</p></div>" * 300).encode())
    assert page.count("<p>The text.</p>") == 300


def test_deep_nesting_ends_and_its_text_stays() -> None:
    page = markup(b"<div>" * 100_000 + b"here it is" + b"</div>" * 100_000)
    assert page.count("<div>") == DEEPEST
    assert "here it is" in page


def test_ends_of_nothing_do_not_hide_depth() -> None:
    assert markup(b"</div>" * 100_000 + b"<div>" * 100_000).count("<div>") == DEEPEST


def test_capitals_and_line_breaks_in_tags_count_as_well() -> None:
    assert markup(b"<DIV\n>" * 10_000).count("<DIV\n>") == DEEPEST


def test_unclosed_formatting_is_taken_out() -> None:
    assert markup(b"<font><p>x" * 2_000) == "<wbr><p>x" * 2_000


def test_paragraphs_and_items_without_ends_do_not_nest() -> None:
    page = "<ul>" + "<li>one<p>two<br>" * 2_000
    assert markup(page.encode()) == page


def test_a_tag_with_thousands_of_attributes_is_ended() -> None:
    page = markup(b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">text")
    assert max(map(len, page.split("<"))) <= LONGEST_TAG
    assert page.endswith(">text")


def test_a_long_script_after_a_whole_tag_stays() -> None:
    page = '<script type="application/ld+json">' + "{}" * LONGEST_TAG + "</script>"
    assert markup(page.encode()) == page


def test_a_quote_in_a_name_does_not_hide_a_long_tag() -> None:
    page = markup(b"""<a b"='"> ' """ + b" ".join(b"c%d" % n for n in range(20_000)) + b">text")
    assert max(map(len, page.split("<"))) <= LONGEST_TAG


def test_many_roots_become_nothing() -> None:
    assert "<html" not in markup(b"<html a=1>" * 10)
    assert markup(b"<html><body>x") == "<html><body>x"


PIECES = [
    b"<div>",
    b"</div>",
    b"<p>",
    b"<table>",
    b"<tr>",
    b"<td>",
    b"<a href=x>",
    b"<b>",
    b"<!--",
    b"-->",
    b"<svg>",
]
PIECES += [
    b"<script>",
    b"</script>",
    b"text ",
    b"<select>",
    b"<br>",
    b"\x00",
    b"\xff",
    b'<p class="',
    b"<pre>",
    b"<li>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_whatever_comes_is_read(pieces: list[bytes]) -> None:
    page = blocks(tree_of(markup(b"".join(pieces))))
    assert all(text.strip() for text in page.texts)


@given(st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes) -> None:
    page = blocks(tree_of(markup(content)))
    assert len(page.texts) == len(page.areas) == len(page.linked)
