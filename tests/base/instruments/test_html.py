"""Pages as bytes: what they are decoded to, and whether a tag in them has no end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments.html import LONGEST_TAG, decoded, has_gap

BOM = b"\xef\xbb\xbf"
PLAIN = st.text(st.characters(exclude_characters="\x00\x1b\ufeff", exclude_categories=("Cs",)))


def declared(charset: str, text: str) -> bytes:
    return f'<meta charset="{charset}"><p>{text}</p>'.encode(charset)


class TestDecoded:
    @given(PLAIN, st.sampled_from(["", "latin-1", "shift_jis", "no such thing"]))
    def test_utf8_is_read_as_it_is_whatever_the_headers_say(self, text, charset):
        assert decoded(text.encode(), charset) == text
        assert decoded(BOM + text.encode(), charset) == text

    @given(PLAIN, st.sampled_from("é€\u0939漢😀"), st.booleans(), st.integers(1, 3))
    def test_what_is_cut_off_within_a_character_loses_that_character_alone(self, text, last, bom, left):
        whole = last.encode()
        body = BOM * bom + text.encode() + whole[: min(left, len(whole) - 1)]
        assert decoded(body) == text

    @pytest.mark.parametrize("end", [b"\xff", b"\xe9!", b"\x80", b"\xfce"])
    def test_another_encoding_is_not_taken_for_one_that_was_cut_off(self, end):
        found = decoded(b"na" + end, "iso-8859-1")
        assert len(found) == 2 + len(end)
        assert found == (b"na" + end).decode("windows-1252")

    @pytest.mark.parametrize(
        ("charset", "text"),
        [
            ("windows-1252", "“naïve”"),
            ("shift_jis", "日本語のページ"),
            ("koi8-r", "страница"),
            ("gbk", "中文网页"),
            ("iso-8859-2", "žluťoučký kůň"),
        ],
    )
    def test_a_page_says_its_encoding_itself_or_its_headers_do(self, charset, text):
        assert text in decoded(declared(charset, text))
        assert decoded(f"<p>{text}</p>".encode(charset), charset) == f"<p>{text}</p>"

    @pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
    def test_utf16_is_known_by_its_mark_or_by_the_headers(self, codec):
        text = "<p>Grüße, 日本</p>"
        assert decoded("\ufeff".encode(codec) + text.encode(codec)) == text
        assert decoded(text.encode(codec), codec) == text

    def test_iso_2022_has_no_byte_above_127_and_is_not_ascii(self):
        body = "<p>日本語</p>".encode("iso2022_jp")
        assert max(body) < 128
        assert decoded(body, "iso-2022-jp") == "<p>日本語</p>"

    @pytest.mark.parametrize("charset", ["zip", "hex", "rot13", "base64", "bogus", "\x00", "idna", "utf-7"])
    def test_a_codec_that_is_none_of_text_does_no_harm(self, charset):
        assert "na" in decoded(b"<p>na\xefve</p>", charset)

    @given(
        st.binary(max_size=60),
        st.sampled_from(["", "utf-16", "big5", "iso-2022-kr", "zlib", "unicode_escape"]),
    )
    def test_no_bytes_make_it_fail(self, body, charset):
        assert isinstance(decoded(body, charset), str)

    @pytest.mark.parametrize("name", ["unicode_escape", "raw-unicode-escape", "utf-7", "punycode"])
    def test_a_codec_that_would_make_markup_of_letters_is_no_charset(self, name):
        hidden = b"\\u003cb\\u003e +ADw- \xff"
        declared = b'<meta charset="' + name.encode() + b'">' + hidden
        assert decoded(hidden, name) == hidden.decode(errors="replace")
        assert decoded(declared) == declared.decode(errors="replace")

    def test_nothing_is_the_empty_text(self):
        assert decoded(b"") == decoded(BOM) == decoded(b"", "latin-1") == ""


class TestGap:
    @pytest.mark.parametrize(
        ("text", "gap"),
        [
            ("", False),
            ("<", False),
            ("a" * LONGEST_TAG, False),
            ("a" * LONGEST_TAG + "<", False),
            ("<" + "a" * LONGEST_TAG + "<", False),
            ("a" * (LONGEST_TAG + 1), True),
            ("<" + "a" * (LONGEST_TAG + 1), True),
            ("a" * (LONGEST_TAG + 1) + "<", True),
            (("a" * LONGEST_TAG + "<") * 5, False),
            (("a" * LONGEST_TAG + "<") * 5 + "b" * (LONGEST_TAG + 1), True),
        ],
    )
    def test_it_is_one_from_one_character_too_many_on(self, text, gap):
        assert has_gap(text) is gap

    @given(
        st.lists(
            st.one_of(st.integers(0, 30), st.integers(LONGEST_TAG - 2, LONGEST_TAG + 2)),
            min_size=1,
            max_size=8,
        )
    )
    def test_wherever_the_stretches_stand(self, sizes):
        assert has_gap("<".join(">" * size for size in sizes)) is (max(sizes) > LONGEST_TAG)
