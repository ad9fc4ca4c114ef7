import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._fake.server import running
from openflywheel.collect._rows.paging import Address, Cursor, Link, Number, Offset
from openflywheel.collect.http import check, discover, http

GAP = Gap(topic="route", why="cold start", task="route")
ALL = [f"answer {n}" for n in range(1, 8)]
WAYS = {
    "cursor": {"records": "data.items", "paging": Cursor(at="meta.next_cursor")},
    "page": {"records": "results", "paging": Number()},
    "offset": {"paging": Offset()},
    "link": {"paging": Link()},
    "url": {"records": "items", "paging": Address(at="links.next")},
}


@pytest.fixture(scope="module")
def sides():
    with running() as far:
        yield far


@pytest.fixture
def far(sides):
    sides.script({"keys": ["geheim"]})
    return sides


@pytest.fixture
def read(web, far):
    def reader(way, state=None, more="", **settings):
        told = {"token": "geheim", "label": "topic", "person": "by.mail"} | WAYS.get(way, {}) | settings
        url = f"{far.url}/pages-api/{way}{more}"
        kept = {} if state is None else state
        return list(http(GAP, url=url, web=web, state=kept, subject=lambda person: "key", **told))

    return reader


def texts(found):
    return [r.text for r in found if isinstance(r, Record)]


def drops(found):
    return [d.reason for d in found if isinstance(d, Drop)]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_paging_brings_every_item_once(read, far, way):
    found = read(way)
    assert texts(found) == ALL
    assert drops(found) == []
    assert (found[0].labels, found[0].subject, found[0].meta) == ({"route": "care"}, "key", {"id": "1"})
    assert (found[0].source, found[0].uri) == ("http", f"{far.url}/pages-api/{way}")


def test_without_paging_there_is_one_page(read, far):
    assert texts(read("offset", paging=None)) == ALL[:2]
    assert len(far.paths()) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_turn_reads_so_many_pages_and_the_next_one_goes_on(read, way):
    state = {}
    seen = [texts(read(way, state, pages=2)) for _ in range(2)]
    assert seen == [ALL[:4], ALL[4:]]


@pytest.mark.parametrize(
    "known",
    [
        {"token": "geheim"},
        {"login": "me:geheim"},
        {"headers": {"X-Api-Key": "geheim"}},
        {"parameters": {"api_key": "geheim"}},
    ],
)
def test_every_kind_of_credentials_is_accepted_and_none_is_kept(read, known):
    state = {}
    assert texts(read("link", state, pages=2, **({"token": ""} | known))) == ALL[:4]
    assert "geheim" not in str(state)
    assert texts(read("link", state, **({"token": ""} | known))) == ALL[4:]


@pytest.mark.parametrize("known", [{}, {"token": "falsch"}, {"parameters": {"api_key": "falsch"}}])
def test_a_refusal_names_the_next_step_and_no_secret(read, known):
    with pytest.raises(
        SourceFailed, match=r"http: .*/pages-api/link: answered 401: .*flywheel.yaml"
    ) as error:
        read("link", **({"token": ""} | known))
    assert "falsch" not in str(error.value)


def test_only_what_came_after_the_last_value_is_asked_for(read, far):
    far.desk.memory["pages_api"] = items = [{"id": n, "text": f"t{n}"} for n in (1, 2, 3)]
    state, told = {}, {"cursor": "id", "since": "since", "person": ""}
    assert texts(read("link", state, **told)) == ["t1", "t2", "t3"]
    items += [{"id": 4, "text": "t4"}]
    assert texts(read("link", state, **told)) == ["t3", "t4"]
    assert far.desk.asked[-1].query == "since=3"
    assert len(str(state)) < 100


def test_each_task_and_each_use_reads_for_itself(read, web, far):
    state = {}
    assert texts(read("link", state, cursor="id", since="since")) == ALL
    assert texts(read("link", state, cursor="id", since="since")) == ALL[-1:]
    assert texts(read("link", state, cursor="id", since="since", label="")) == ALL
    told = {
        "paging": Link(),
        "token": "geheim",
        "label": "topic",
        "person": "by.mail",
        "web": web,
        "state": state,
    }
    tone = Gap(topic="tone", why="cold start", task="tone")
    first, *_ = http(tone, url=f"{far.url}/pages-api/link", cursor="id", since="since", subject=str, **told)
    assert first.labels == {"tone": "care"}


def test_a_cut_turn_does_not_move_the_last_value_until_every_page_was_read(read, far):
    items = [{"id": n, "text": f"t{n}"} for n in (5, 4, 3, 2, 1)]  # newest first
    far.desk.memory["pages_api"] = items
    state, told = {}, {"cursor": "id", "since": "since", "person": "", "pages": 1}
    seen = [texts(read("link", state, **told)) for _ in range(3)]
    assert seen == [["t5", "t4"], ["t3", "t2"], ["t1"]]
    assert texts(read("link", state, **told)) == ["t5"]


def test_a_cursor_that_the_api_has_forgotten_starts_anew(read, far):
    state = {}
    read("cursor", state, pages=1)
    [kept] = state.values()
    kept["page"] = kept["page"].replace("cursor=", "cursor=stale")
    assert texts(read("cursor", state)) == ALL
    assert kept == {}


def test_pages_that_lead_back_are_read_once(web, site):
    site.page("/a", '{"items": [{"text": "one"}], "next": "/b"}')
    site.page("/b", '{"items": [{"text": "two"}], "next": "/a"}')
    state = {}
    found = list(
        http(GAP, url=f"{site.url}/a", records="items", paging=Address(), web=web, state=state, subject=str)
    )
    assert (texts(found), drops(found)) == (["one", "two"], ["next page was read already"])
    assert site.paths() == ["/a", "/b"]
    assert list(state.values()) == [{}]


def test_an_api_that_gives_the_same_page_for_ever_is_left(web, site):
    for query in ("", "?page=2", "?page=3"):
        site.page(f"/a{query}", '[{"text": "one"}]')
    found = list(http(GAP, url=f"{site.url}/a", paging=Number(), web=web, state={}, subject=str))
    assert (texts(found), drops(found)) == (["one"], ["next page was read already"])
    assert len(site.paths()) == 2


def test_endless_pages_end_with_the_turn(web, site):
    for n in range(1, 30):
        site.page(f"/a?page={n}", f'[{{"text": "page {n}"}}]')
    state = {}
    told = {"url": f"{site.url}/a?page=1", "paging": Number(), "web": web, "state": state, "subject": str}
    assert len(list(http(GAP, pages=10, **told))) == 10
    assert texts(http(GAP, pages=1, **told)) == ["page 11"]


def test_broken_items_are_dropped_and_the_others_stay(read, far):
    far.desk.memory["pages_api"] = [
        1,
        {"id": 2, "text": "fine"},
        None,
        {"id": 3},
        {"id": 4, "text": ["a", "b"]},
        "x",
    ]
    found = read("offset", person="")
    assert texts(found) == ["fine", "a, b"]
    assert drops(found) == ["item is no object", "item is no object", "no text", "item is no object"]


def test_a_broken_page_ends_the_turn_and_is_asked_for_again(web, site):
    site.page("/a", '{"items": [{"text": "one"}], "next": "/b"}')
    site.page("/b", '{"items": [{"text": "tw')
    state = {}
    told = {"url": f"{site.url}/a", "records": "items", "paging": Address(), "web": web, "state": state}
    found = list(http(GAP, subject=str, **told))
    assert (texts(found), drops(found)) == (["one"], ["page is no JSON"])
    site.page("/b", '{"items": [{"text": "two"}]}')
    assert texts(http(GAP, subject=str, **told)) == ["two"]


@pytest.mark.parametrize("body", ["<html>", "[" * 200_000, '{"items": "no list"}', '{"a": 1}', "7"])
def test_a_first_page_that_cannot_be_used_is_explained(web, site, body):
    site.page("/a", body)
    with pytest.raises(
        (SourceFailed, SettingsError), match=r"no JSON; does the url|there is no list at 'items'"
    ):
        list(http(GAP, url=f"{site.url}/a", records="items", web=web, state={}, subject=str))


def test_a_rate_limit_is_waited_for(read, far):
    far.script(
        {"keys": ["geheim"], "rules": [{"path": "/pages-api", "nth": 2, "status": 429, "retry_after": 0}]}
    )
    assert texts(read("link")) == ALL


def test_a_long_rate_limit_fails_with_the_next_step(read, far):
    far.script({"keys": ["geheim"], "rules": [{"path": "/pages-api", "status": 429, "retry_after": 900}]})
    with pytest.raises(SourceFailed, match="answered 429: .* next turn"):
        read("link")


def test_credentials_go_to_no_other_origin(web, site, far):
    site.page("/a", f'{{"items": [{{"text": "one"}}], "next": "{far.url}/pages-api/link"}}')
    told = {
        "records": "items",
        "paging": Address(),
        "token": "geheim",
        "web": web,
        "state": {},
        "subject": str,
    }
    with pytest.raises(SourceFailed, match="its credentials are sent nowhere else"):
        list(http(GAP, url=f"{site.url}/a", **told))
    assert far.paths() == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"text": "txt"}, "has a field 'txt'; did you mean 'text'"),
        ({"cursor": "id"}, "go together"),
        ({"since": "since"}, "go together"),
        ({"records": "item"}, "there is no list at 'item'"),
    ],
)
def test_mistakes_are_explained(read, settings, said):
    with pytest.raises(SettingsError) as error:
        read("link", **settings)
    assert said in str(error.value)


def test_what_is_no_url_of_an_api_is_refused(web):
    for url in ("file:///etc/passwd", "nonsense", "http://"):
        with pytest.raises(SettingsError, match="is not the URL of an API"):
            list(http(GAP, url=url, web=web, state={}, subject=str))


def test_the_settings_are_plain_tables():
    told = {
        "url": "https://api.example.com/x",
        "basis": "contract",
        "paging": {"by": "cursor", "at": "meta.next"},
    }
    assert door.check("collect", "http", told)["paging"] == Cursor(at="meta.next")
    with pytest.raises(SettingsError, match="paging"):
        door.check("collect", "http", told | {"paging": {"by": "magic"}})


def test_check_asks_once_and_finds_mistakes(web, far):
    url = f"{far.url}/pages-api/cursor"
    check(url=url, records="data.items", token="geheim", web=web)
    assert len(far.paths()) == 1
    with pytest.raises(SourceFailed, match="401"):
        check(url=url, records="data.items", token="falsch", web=web)
    with pytest.raises(SettingsError, match="did you mean 'text'"):
        check(url=url, records="data.items", token="geheim", text="texts", web=web)


def test_discover_names_the_fields(web, far):
    [stream] = discover(GAP, url=f"{far.url}/pages-api/link", token="geheim", web=web)
    assert stream.name == f"{far.url}/pages-api/link"
    assert stream.columns == ("id", "text", "topic", "by")
    assert (stream.items, stream.note) == (None, "2 items on the first page")
