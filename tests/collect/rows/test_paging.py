import pytest

from openflywheel.collect._rows.paging import Address, Cursor, Link, Number, Offset, Page
from openflywheel.collect._web.response import Response

URL = "https://api.example.com/items?limit=2"


def page(body=None, items=(1, 2), url=URL, **headers):
    answer = Response(url=url, status=200, headers=headers, body=b"", seconds=0)
    return Page(url=url, response=answer, body=body, items=items)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ('<https://api.example.com/items?page=2>; rel="next"', "https://api.example.com/items?page=2"),
        ('</items?page=1>; rel="prev", </items?page=3>; rel="next"', "https://api.example.com/items?page=3"),
        ("<?page=2>; rel=next", "https://api.example.com/items?page=2"),
        ('<?a=1,2>; title="a, b"; rel="last next"', "https://api.example.com/items?a=1,2"),
        ('<x>; rel="nextish"', ""),
        ('<x>; title="next"', ""),
        ("", ""),
        ("nonsense <<<", ""),
    ],
)
def test_the_link_header(said, url):
    assert Link().after(page(link=said)) == url


def test_a_cursor_ends_when_there_is_none_or_nothing_more():
    assert Cursor(at="next").after(page({"next": "a b&c"})) == f"{URL}&cursor=a+b%26c"
    assert Cursor(at="next").after(page({"next": None})) == ""
    assert Cursor(at="next", more="more").after(page({"next": "x", "more": False})) == ""
    last = Cursor(at="data.-1.id", parameter="starting_after", more="has_more")
    assert last.after(page({"data": [{"id": 1}, {"id": 7}], "has_more": True})) == f"{URL}&starting_after=7"


def test_numbers_and_offsets_grow_until_a_page_is_empty():
    assert Number().after(page()) == f"{URL}&page=2"
    assert Number(first=0).after(page()) == f"{URL}&page=1"
    assert Number().after(page(url=f"{URL}&page=41")) == f"{URL}&page=42"
    assert Number().after(page(items=())) == ""
    assert Offset().after(page(url=f"{URL}&offset=4")) == f"{URL}&offset=6"
    assert Offset().after(page(items=())) == ""


def test_an_address_in_the_body_may_be_relative():
    assert (
        Address(at="links.next").after(page({"links": {"next": "/items?p=2"}}))
        == "https://api.example.com/items?p=2"
    )
    assert Address().after(page({"next": 7})) == ""
