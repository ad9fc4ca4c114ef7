import bz2
import gzip
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._fake import confluence, mediawiki
from openflywheel.collect._fake.server import running
from openflywheel.collect._wiki import dump
from openflywheel.collect.wiki import check, discover, wiki

GAP = Gap(topic="care", why="cold start", task="answer")
PLACES = {"mediawiki": "/mediawiki/w/api.php", "confluence": "/confluence/wiki"}
FAKES = {"mediawiki": mediawiki, "confluence": confluence}
BOTH = pytest.mark.parametrize("system", PLACES)


@pytest.fixture(scope="module")
def sides():
    with running() as far:
        yield far


@pytest.fixture
def far(sides):
    sides.script({"keys": ["geheim"]})
    sides.desk.memory["now"] = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    return sides


@pytest.fixture
def read(web, far):
    def reader(system, state=None, **settings):
        told = {"where": far.url + PLACES[system], "user": "me@acme.example", "key": "geheim"} | settings
        kept = {} if state is None else state
        return list(wiki(GAP, system=system, web=web, folder=None, state=kept, **told))

    return reader


def titles(found):
    return [r.meta["title"] for r in found if isinstance(r, Record)]


def drops(found):
    return [d.reason for d in found if isinstance(d, Drop)]


def test_pages_of_mediawiki(read, far):
    first, *_ = found = read("mediawiki")
    assert len(found) == 3
    assert first.text == "# Shoe care 001\n\nShoe care 1 needs some wax.\n\n## Steps\n\n- brush\n- polish"
    assert first.uri == f"{far.url}/mediawiki/wiki/Shoe_care_001"
    assert (first.source, first.license) == ("wiki", "CC BY-SA 4.0")
    assert first.meta == {"title": "Shoe care 001", "modified": "2026-01-01T00:00:00Z"}


def test_pages_of_confluence(read, far):
    first, *_ = found = read("confluence")
    assert len(found) == 3
    assert first.text == "# Shoe care 1\n\n# Steps\nAsk for wax of order 1.\necho <wax> && polish"
    assert first.uri == f"{far.url}/confluence/wiki/spaces/CARE/pages/1/Shoe+care"
    assert first.meta == {"title": "Shoe care 1", "modified": "2026-01-01T01:00:00.000Z"}


@BOTH
def test_who_wrote_a_page_is_not_kept(read, system):
    assert not any("Ann" in str([r.text, r.meta, r.subject, r.uri]) for r in read(system))


@BOTH
def test_every_page_comes_once_and_later_what_has_changed(read, far, system):
    far.desk.memory[system] = [FAKES[system].page(n) for n in range(1, 131)]
    state = {}
    assert len(set(titles(read(system, state)))) == 130
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    far.desk.memory[system][4]["title"] = "Changed"
    if system == "mediawiki":
        far.desk.memory[system][4]["timestamp"] = now
    else:
        far.desk.memory[system][4]["version"] = {"when": now}
    again = titles(read(system, state))
    assert "Changed" in again
    assert len(again) < 40
    assert len(json.dumps(state)) < 200


@BOTH
def test_a_turn_takes_so_many_and_the_next_one_goes_on(read, far, system):
    far.desk.memory[system] = [FAKES[system].page(n) for n in range(1, 131)]
    state = {}
    turns = [titles(read(system, state, most=50)) for _ in range(4)]
    assert len(turns[0]) == 50
    assert len({title for turn in turns for title in turn}) == 130


def test_many_pages_of_confluence_that_changed_on_one_day_are_all_read(read, far):
    far.desk.memory["confluence"] = [
        confluence.page(n, f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}.000Z") for n in range(180)
    ]
    state = {}
    assert len({title for _ in range(4) for title in titles(read("confluence", state, most=60))}) == 180


@pytest.mark.parametrize("zone", [-11, 0, 14])
def test_what_changed_is_found_in_whatever_time_zone_confluence_searches(read, far, zone):
    far.desk.memory |= {"zone": zone, "confluence": [confluence.page(1, "2026-03-01T00:00:00.000Z")]}
    state = {}
    read("confluence", state)
    far.desk.memory["confluence"].append(confluence.page(2, "2026-03-01T00:05:00.000Z"))
    assert "Shoe care 2" in titles(read("confluence", state))


def test_texts_that_come_in_a_second_answer_are_waited_for(read, far):
    made = [mediawiki.page(n) for n in range(1, 60)]
    made[3]["late"] = made[55]["late"] = True
    far.desk.memory["mediawiki"] = made
    found = read("mediawiki")
    assert len(titles(found)) == len(set(titles(found))) == 59
    assert drops(found) == []
    made[7]["late"] = "never"
    assert drops(read("mediawiki")) == ["page without text"]


def test_what_is_not_taken_of_mediawiki_is_said(read, far):
    far.desk.memory["mediawiki"] = [
        mediawiki.page(1, content="#REDIRECT [[x]]"),
        mediawiki.page(2, missing=True),
        mediawiki.page(3, content="{{only a template}}"),
        mediawiki.page(4, content="x" * 1_000_001),
        mediawiki.page(5, ns=4),
        mediawiki.page(6),
    ]
    found = read("mediawiki")
    assert drops(found) == ["page is gone", "page without text", "text longer than 1,000,000 characters"]
    assert titles(found) == ["Shoe care 006"]
    assert titles(read("mediawiki", space="4")) == ["Shoe care 005"]


def test_a_redirect_among_the_changes_is_dropped(read, far):
    state = {"": {"since": far.desk.memory["now"]}}
    far.desk.memory["mediawiki"] = [mediawiki.page(1, "2099-01-01T00:00:00Z", content="#REDIRECT [[x]]")]
    assert drops(read("mediawiki", state)) == ["redirect"]


def test_after_a_long_pause_mediawiki_is_read_anew(read, far):
    far.desk.memory["mediawiki"] = [mediawiki.page(n, "2020-01-01T00:00:00Z") for n in range(3)]
    assert len(read("mediawiki", {"": {"since": "2021-01-01T00:00:00Z"}})) == 3


def test_one_space_of_confluence(read, far):
    far.desk.memory["confluence"] = [confluence.page(1), confluence.page(2, space="OTHER")]
    state = {}
    assert titles(read("confluence", state, space="CARE")) == ["Shoe care 1"]
    assert titles(read("confluence", state, space="OTHER")) == ["Shoe care 2"]
    assert titles(read("confluence", space='CARE" or space="OTHER')) == []


def test_broken_pages_of_confluence_are_dropped(read, far):
    far.desk.memory["confluence"] = [confluence.page(1), confluence.page(2, body={"storage": {"value": ""}})]
    found = read("confluence")
    assert (titles(found), drops(found)) == (["Shoe care 1"], ["page without text"])


def test_refusals_name_the_next_step_and_no_key(read):
    with pytest.raises(SourceFailed, match="wiki: .*answered 401: .*flywheel.yaml") as error:
        read("confluence", key="falsch")
    assert "falsch" not in str(error.value)
    with pytest.raises(SourceFailed, match="answered readapidenied: You need read permission"):
        read("mediawiki", key="falsch")


def test_a_busy_mediawiki_is_asked_again(read, far):
    far.desk.memory["lag"] = 7
    assert len(read("mediawiki")) == 3


@BOTH
def test_rate_limits_are_waited_for(read, far, system):
    rule = {"path": PLACES[system], "nth": 1, "status": 429, "retry_after": 0}
    far.script({"keys": ["geheim"], "rules": [rule]})
    assert len(read(system)) == 3


@BOTH
def test_an_address_that_is_no_wiki_is_explained(web, site, system):
    class Everything(dict):
        def get(self, path, default=None):
            return (200, {}, b"[]")

    site.pages = Everything()
    with pytest.raises(SourceFailed, match=r"is not the API of a MediaWiki|gave no pages"):
        list(wiki(GAP, system=system, where=f"{site.url}/api.php", web=web, folder=None, state={}))


@BOTH
def test_check_and_discover_ask_once(web, far, system):
    told = {"system": system, "where": far.url + PLACES[system], "user": "u", "web": web, "folder": None}
    check(key="geheim", **told)
    [stream] = discover(GAP, key="geheim", **told)
    assert stream.items == 3
    assert len(far.paths()) == 2
    with pytest.raises(SourceFailed):
        check(key="falsch", **told)


def test_notion_is_read_from_its_export_alone(web):
    with pytest.raises(SettingsError, match="notion is read from its export"):
        list(wiki(GAP, system="notion", where="https://notion.so", web=web, folder=None, state={}))


def exported(folder, system, name, content, state=None, **settings):
    (folder / name).write_bytes(content)
    kept = {} if state is None else state
    return list(wiki(GAP, system=system, where=name, web=None, folder=folder, state=kept, **settings))


def xml(*pages, before=""):
    about = "<siteinfo><base>https://wiki.example/wiki/Main_Page</base></siteinfo>"
    return f'{before}<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">{about}{"".join(pages)}</mediawiki>'.encode()


def one(id, text, ns=0, more=""):
    return (
        f"<page><title>Shoe care {id}</title><ns>{ns}</ns><id>{id}</id>{more}<revision><id>{id}9</id>"
        f"<timestamp>2026-01-01T00:00:00Z</timestamp><contributor><username>Ann</username><id>5</id></contributor>"
        f"<comment>by Ann</comment><text xml:space='preserve'>{text}</text></revision></page>"
    )


DUMP = xml(
    one(1, "'''Wax''' &amp; [[brush]]"),
    one(2, "talk", ns=1),
    one(3, "#REDIRECT [[x]]", more="<redirect title='x'/>"),
    one(4, "more"),
)


@pytest.mark.parametrize(
    ("name", "pack"), [("a.xml", bytes), ("a.xml.bz2", bz2.compress), ("a.xml.gz", gzip.compress)]
)
def test_dumps_of_mediawiki(tmp_path, name, pack):
    first, dropped, last = exported(tmp_path, "mediawiki", name, pack(DUMP))
    assert (first.text, first.uri) == (
        "# Shoe care 1\n\nWax & brush",
        "https://wiki.example/wiki/Shoe_care_1",
    )
    assert first.meta == {"title": "Shoe care 1", "modified": "2026-01-01T00:00:00Z"}
    assert (dropped, last.meta["title"]) == (Drop("redirect"), "Shoe care 4")
    assert "Ann" not in str([first, last])


def test_of_many_versions_of_a_page_the_newest_is_taken(tmp_path):
    versions = "".join(
        f"<revision><timestamp>2026-01-0{day}T00:00:00Z</timestamp><text>day {day}</text></revision>"
        for day in (2, 3, 1)
    )
    [page] = exported(
        tmp_path, "mediawiki", "a.xml", xml(f"<page><title>T</title><ns>0</ns><id>1</id>{versions}</page>")
    )
    assert page.text == "# T\n\nday 3"


def test_a_dump_is_read_once_and_in_turns(tmp_path):
    (tmp_path / "a.xml").write_bytes(xml(*(one(n, "x") for n in range(5))))
    told = {"system": "mediawiki", "where": "a.xml", "most": 3, "web": None, "folder": tmp_path, "state": {}}
    seen = [len(list(wiki(GAP, **told))) for _ in range(3)]
    assert seen == [3, 2, 0]


LAUGHS = '<!DOCTYPE m [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (xml(one(1, "&b;"), before=LAUGHS), "XML with a DTD"),
        (xml(one(1, "fine"))[:-60], "XML broken off"),
        (b"<mediawiki>" + b"<a>" * 100_000, "XML nested too deep"),
        (bz2.compress(DUMP)[:-20], "dump broken off"),
        (b"\x1f\x8b\x08broken, and not gzip", "dump broken off"),
        (b"no xml", "XML broken off"),
    ],
)
def test_broken_and_hostile_dumps_are_dropped(tmp_path, content, reason):
    found = exported(tmp_path, "mediawiki", "a.xml", content)
    assert set(drops(found)) == {reason}


def test_what_a_dump_unpacks_to_is_capped(tmp_path, monkeypatch):
    monkeypatch.setattr(dump, "FLOOR", 1_000_000)
    bomb = gzip.compress(xml(one(1, "fine"), one(2, " " * 5_000_000)))
    found = exported(tmp_path, "mediawiki", "a.xml.gz", bomb)
    assert (titles(found), drops(found)) == (["Shoe care 1"], ["unpacks to too much"])


def test_a_page_that_is_too_long_is_dropped_and_the_next_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(dump, "LONGEST", 100)
    found = exported(tmp_path, "mediawiki", "a.xml", xml(one(1, "x" * 101), one(2, "fine")))
    assert (titles(found), drops(found)) == (["Shoe care 2"], ["page longer than 100 characters"])


def packed(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


CONFLUENCE_PAGE = """<html><head><title>Care : Wax</title></head><body>
<div id="breadcrumb-section">Home</div><h1 id="title-heading"><span id="title-text"> Care : Wax </span></h1>
<div id="content"><div class="page-metadata">Created by <span class="author">Ann Smith</span></div>
<div id="main-content" class="wiki-content group"><h2>Steps</h2><p>Brush it.</p></div></div></body></html>"""


def test_the_html_export_of_a_space_of_confluence(tmp_path):
    content = packed(
        **{"CARE/wax_1.html": CONFLUENCE_PAGE, "CARE/index.html": "<ul><li>Wax</li></ul>", "a/x.png": "p"}
    )
    found = exported(tmp_path, "confluence", "care.zip", content)
    [page] = [r for r in found if isinstance(r, Record)]
    assert page.text == "# Wax\n\n## Steps\nBrush it."
    assert page.uri == "care.zip#CARE/wax_1.html"
    assert drops(found) == ["no page of the wiki"] * 2
    assert "Ann" not in str(page)


ID = "0123456789abcdef0123456789abcdef"
NOTION_MD = "# Wax\n\nOwner: Ann Smith\nCreated: May 1, 2026\n\nBrush it.\n\n## More\n\nNote: polish it.\n"
NOTION_HTML = (
    '<article><header><h1 class="page-title">Wax</h1><table class="properties"><tr><td>Ann Smith</td></tr>'
    '</table></header><div class="page-body"><h2>Steps</h2><p>Brush it.</p></div></article>'
)


def test_the_export_of_notion_as_markdown_html_and_zips_in_a_zip(tmp_path):
    inner = packed(**{f"Care/Wax {ID}.md": NOTION_MD, f"Care/Table {ID}.csv": "a,b"})
    content = packed(**{"Export-Part-1.zip": inner, f"Page {ID[::-1]}.html": NOTION_HTML})
    found = exported(tmp_path, "notion", "notion.zip", content)
    first, second = (r for r in found if isinstance(r, Record))
    assert first.text == "# Wax\n\nBrush it.\n\n## More\n\nNote: polish it."
    assert first.uri == f"notion.zip#{ID}"
    assert (second.text, second.meta) == ("# Wax\n\n## Steps\nBrush it.", {"title": "Wax"})
    assert drops(found) == ["no page of the wiki"]
    assert "Ann" not in str([first, second])


def test_hostile_zips_are_dropped_with_their_reasons(tmp_path):
    bomb = exported(tmp_path, "notion", "a.zip", packed(**{"a.md": "x" * 90_000_000}))
    assert drops(bomb) == ["unpacks to too much"]
    out = exported(tmp_path, "notion", "b.zip", packed(**{"../../evil.md": "x", "fine.md": "# T\n\nfine"}))
    assert (titles(out), drops(out)) == (["T"], ["unsafe archive member"])
    assert drops(exported(tmp_path, "notion", "c.zip", b"no zip at all")) == ["broken zip file"]


def test_a_missing_export_is_explained_and_a_folder_is_read(tmp_path):
    with pytest.raises(SettingsError, match="there is no .*none.zip"):
        list(wiki(GAP, system="notion", where="none.zip", web=None, folder=tmp_path, state={}))
    (tmp_path / "a.zip").write_bytes(packed(**{"x.md": "# X\n\ntext"}))
    (tmp_path / "b.zip").write_bytes(packed(**{"y.md": "no title"}))
    found = list(wiki(GAP, system="notion", where=".", web=None, folder=tmp_path, state={}))
    assert titles(found) == ["X", "y"]
    check(system="notion", where="a.zip", web=None, folder=tmp_path)
    assert [s.name for s in discover(GAP, system="notion", where=".", web=None, folder=tmp_path)] == [
        "a.zip",
        "b.zip",
    ]
