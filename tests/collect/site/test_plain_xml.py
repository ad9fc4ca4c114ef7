import pytest

from openflywheel.collect._site.plain_xml import XmlRefused, check_prolog, parsed, parser

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "'
    + b"&a;" * 10
    + b'">]><urlset><url><loc>&b;</loc></url></urlset>'
)
EXTERNAL = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
PARAMETER = b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]><x/>'


@pytest.mark.parametrize("bomb", [LAUGHS, EXTERNAL, PARAMETER, LAUGHS.decode().encode("utf-16")])
def test_a_dtd_that_declares_is_refused(bomb: bytes) -> None:
    with pytest.raises(XmlRefused, match="XML with a DTD"):
        check_prolog(bomb)
    with pytest.raises(XmlRefused, match="XML with a DTD"):
        list(parsed(parser(), iter([bomb])))


def test_one_that_only_names_itself_is_harmless() -> None:
    check_prolog(b'<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://h/rss-0.91.dtd"><rss/>')


@pytest.mark.parametrize(
    "body", [b"", b"text", b"<", b"<!-- only -->", b'<?xml version="1.0"?>', b"<a b=1>", b"\xff\xff"]
)
def test_what_has_no_element_is_no_xml(body: bytes) -> None:
    with pytest.raises(XmlRefused, match="XML broken off"):
        check_prolog(body)


def test_what_is_broken_later_passes_the_prolog() -> None:
    check_prolog(b"<rss><channel>&nbsp;</wrong>")


def test_a_long_prolog_is_read_to_its_end() -> None:
    check_prolog(b"<!--" + b"x" * 200_000 + b"--><rss/>")


def test_pieces_are_handed_over_as_they_come() -> None:
    made, said = parser(), list[str]()
    made.CharacterDataHandler = said.append
    for _ in parsed(made, [b"<a>one", b"</a>"]):
        pass
    assert "".join(said) == "one"
    with pytest.raises(XmlRefused, match="XML broken off"):
        list(parsed(parser(), [b"<a>one"]))
