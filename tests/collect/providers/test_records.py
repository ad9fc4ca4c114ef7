"""Results as Records: the same thing gives the same Record."""

from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._providers.product import Result
from openflywheel.collect._providers.records import of_pages, of_words
from openflywheel.collect._web.web import Web

HIT = Result(link="https://a.example/b", title="Title", description="Words.", rank=3, score=0.5)


class Objects:
    def put(self, content: bytes) -> str:
        return f"{len(content):064}"


def test_content_goes_before_title_and_description() -> None:
    with_content = Result(link=HIT.link, title=HIT.title, description=HIT.description, content="# All of it")
    found = [thing for thing in of_words([HIT, with_content], "search") if isinstance(thing, Record)]
    assert [record.text for record in found] == ["Title\nWords.", "# All of it"]
    assert found[0].uri == "https://a.example/b"
    assert found[0].meta == {"title": "Title"}


def test_rank_and_score_are_no_part_of_it() -> None:
    again = Result(link=HIT.link, title=HIT.title, description=HIT.description, rank=9, score=0.1)
    [one, two] = of_words([HIT, again], "search")
    assert isinstance(one, Record)
    assert isinstance(two, Record)
    assert one.id == two.id


def test_a_hit_without_words_is_dropped() -> None:
    assert list(of_words([Result(link="https://a.example")], "search")) == [Drop("no text")]


def test_an_author_is_only_an_opaque_key(web: Web, site) -> None:
    body = "<meta name=author content='Ada King'><title>T</title><main><p>" + "Some text to keep. " * 20
    url = site.page("/a", body)
    [page] = of_pages(
        [Result(link=url, title="other")], "search", web, Objects(), lambda person: f"key{len(person)}"
    )
    assert isinstance(page, Record)
    assert page.subject == "key8"
    assert "Ada" not in str(page.meta)
    assert page.parts[0].digest == f"{len(body.encode()):064}"
    assert page.meta["title"] == "T"
