import json

import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._fake import freshdesk, zendesk
from openflywheel.collect._fake.server import running
from openflywheel.collect.tickets import check, discover, tickets

GAP = Gap(topic="route", why="cold start", task="route")
NAMES = ("Ann", "ann@", "Smith", "Bo ", "bo@")
FAKES = {"zendesk": zendesk, "freshdesk": freshdesk}
BOTH = pytest.mark.parametrize("system", FAKES)


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
    def reader(system, state=None, **settings):
        told = {"where": f"{far.url}/{system}", "user": "bo@acme.example", "key": "geheim"} | settings
        kept = {} if state is None else state
        found = tickets(
            GAP, system=system, web=web, state=kept, subject=lambda p: f"<{p}>", folder=None, **told
        )
        return list(found)

    return reader


def stored(system, *made):
    return {system: [FAKES[system].ticket(*one) if isinstance(one, tuple) else one for one in made]}


def uris(found):
    return [r.uri.rpartition("/")[2] for r in found if isinstance(r, Record)]


def drops(found):
    return [d.reason for d in found if isinstance(d, Drop)]


def test_a_ticket_of_zendesk_becomes_a_record(read, far):
    state = {}
    first, *_ = found = read("zendesk", state, label="group")
    assert len(found) == 3
    assert read("zendesk", state, label="group") == []
    assert len(read("zendesk", state, label="type")) == 3
    assert first.text == (
        "Shoes, order 1\ncustomer: My shoes of order 1 are too small.\nagent: You can send them back."
    )
    assert (first.source, first.subject) == ("tickets", "<ann@example.com>")
    assert first.uri == f"{far.url}/zendesk/agent/tickets/1"
    assert (first.labels, first.labelled_by) == ({"route": "Returns"}, "seed")
    assert first.meta == {
        "title": "Shoes, order 1",
        "status": "solved",
        "priority": "normal",
        "type": "question",
        "channel": "email",
        "tags": "team_returns, shoes",
        "published": "2025-12-31T10:00:00Z",
        "rating": "good",
    }


def test_a_ticket_of_freshdesk_becomes_a_record(read, far):
    first, *_ = found = read("freshdesk", label="custom_fields.cf_team")
    assert len(found) == 3
    assert first.text == (
        "Lamp, order 1\ncustomer: My lamp of order 1 is broken.\nagent: Please send us a picture.\n"
        "customer: Here it is."
    )
    assert (first.subject, first.labels) == ("<ann@example.com>", {"route": "returns"})
    assert first.uri == f"{far.url}/freshdesk/a/tickets/1"
    assert first.meta["status"] == "resolved"
    assert (first.meta["priority"], first.meta["channel"]) == ("medium", "email")
    assert (first.meta["published"], first.meta["solved"]) == ("2025-12-31T10:00:00Z", "2026-01-01T00:00:00Z")


@BOTH
def test_no_name_stands_in_what_is_told_of_a_ticket(read, system):
    for record in read(system):
        assert not any(name in str([record.meta, record.uri, record.text]) for name in NAMES)


@BOTH
def test_internal_notes_stay_out(read, system):
    assert not any("asked twice" in r.text for r in read(system))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("", ""),
        ("type", "question"),
        ("custom_fields.360", "size"),
        ("custom_fields.361", ""),
        ("tags.team_*", "team_returns"),
        ("tags", ""),
        ("nothing.here", ""),
    ],
)
def test_labels_come_from_the_field_that_is_named(read, label, said):
    record = read("zendesk", label=label)[0]
    assert (record.labels, record.labelled_by) == (({"route": said}, "seed") if said else ({}, ""))


@BOTH
def test_pages_are_read_to_the_end_and_a_later_turn_reads_what_changed(read, far, system):
    far.desk.memory.update(stored(system, *((n,) for n in range(1, 251))))
    state = {}
    assert len(set(uris(read(system, state)))) == 250
    far.desk.asked.clear()
    far.desk.memory[system].append(FAKES[system].ticket(900, "2026-01-02T00:00:00Z"))
    assert "900" in uris(read(system, state))
    assert len(far.paths()) <= 6
    assert len(json.dumps(state)) < 100


@BOTH
def test_a_turn_takes_so_many_and_the_next_one_goes_on(read, far, system):
    far.desk.memory.update(stored(system, *((n,) for n in range(1, 251))))
    state = {}
    turns = [uris(read(system, state, most=100)) for _ in range(4)]
    assert len(turns[0]) == 100
    assert {uri for turn in turns for uri in turn} == {str(n) for n in range(1, 251)}


@BOTH
def test_many_tickets_that_changed_in_the_same_second_are_all_read(read, far, system):
    same = "2026-01-01T00:00:00Z"
    far.desk.memory.update(stored(system, *((n, same) for n in range(1, 231)), (231, "2026-01-01T00:00:01Z")))
    state = {}
    seen = {uri for _ in range(4) for uri in uris(read(system, state, most=50))}
    assert seen == {str(n) for n in range(1, 232)}


def test_a_ticket_that_changes_while_freshdesk_is_read_hides_no_other(web, far):
    made = far.desk.memory["freshdesk"] = [freshdesk.ticket(n) for n in range(1, 251)]
    told = {"where": f"{far.url}/freshdesk", "key": "geheim", "web": web, "state": {}, "folder": None}
    found = tickets(GAP, system="freshdesk", subject=str, **told)
    seen = [next(found).uri]
    for ticket in made[:40]:  # they move to the end of the list, out of pages that are to come
        ticket["updated_at"] = "2026-01-02T00:00:00Z"
    seen += [r.uri for r in found if isinstance(r, Record)]
    assert len(set(seen)) == 250


@BOTH
def test_what_is_not_taken_is_said(read, far, system):
    fake = FAKES[system]
    open_ = {"zendesk": "open", "freshdesk": 2}[system]
    gone = {"zendesk": {"status": "deleted"}, "freshdesk": {"deleted": True}}[system]
    far.desk.memory[system] = [fake.ticket(1, status=open_), fake.ticket(2, **gone), fake.ticket(3)]
    found = read(system)
    assert (uris(found), sorted(drops(found))) == (["3"], ["ticket deleted", "ticket not solved yet"])
    assert len(uris(read(system, finished=False))) == 2


def test_spam_is_dropped(read, far):
    far.desk.memory["freshdesk"] = [freshdesk.ticket(1, spam=True)]
    assert drops(read("freshdesk")) == ["ticket is spam"]


@BOTH
def test_a_refusal_names_the_next_step_and_no_key(read, system):
    with pytest.raises(SourceFailed, match="tickets: .*answered 401: .*flywheel.yaml") as error:
        read(system, key="falsch")
    assert "falsch" not in str(error.value)


@BOTH
def test_a_key_is_needed(read, system):
    with pytest.raises(SettingsError, match=f"the API of {system} needs .*key"):
        read(system, key="")


@BOTH
def test_rate_limits_are_waited_for(read, far, system):
    rule = {"path": f"/{system}/api", "nth": 2, "status": 429, "retry_after": 0}
    far.script({"keys": ["geheim"], "rules": [rule]})
    assert len(read(system)) == 3


@BOTH
def test_a_failure_half_way_leaves_the_state_at_the_last_whole_page(web, far, system):
    far.desk.memory.update(stored(system, *((n,) for n in range(1, 121))))
    state = {}
    told = {"user": "u", "key": "geheim", "web": web, "state": state, "subject": str, "folder": None}
    found = tickets(GAP, system=system, where=f"{far.url}/{system}", **told)
    for _ in range(50):
        next(found)
    assert state == {"": {}}
    found.close()


@BOTH
def test_an_address_that_is_no_helpdesk_is_explained(web, site, system):
    site.pages = {}
    told = {"user": "u", "key": "geheim", "web": web, "state": {}, "subject": str, "folder": None}
    with pytest.raises(SourceFailed, match="answered 404: .*url"):
        list(tickets(GAP, system=system, where=site.url, **told))


@BOTH
def test_check_and_discover_ask_once(web, far, system):
    told = {"system": system, "where": f"{far.url}/{system}", "user": "u", "web": web, "folder": None}
    check(key="geheim", **told)
    [stream] = discover(GAP, key="geheim", **told)
    assert stream.items == {"zendesk": 3, "freshdesk": None}[system]
    assert len(far.paths()) == 2
    with pytest.raises(SourceFailed, match="401"):
        check(key="falsch", **told)


def exported(folder, system, rows, name="export.json", **settings):
    text = rows if isinstance(rows, str) else "\n".join(map(json.dumps, rows))
    (folder / name).write_text(text)
    told = {"where": name, "web": None, "state": {}, "folder": folder} | settings
    return list(tickets(GAP, system=system, subject=lambda p: f"<{p}>", **told))


def test_an_export_of_zendesk_holds_comments_and_people(tmp_path):
    row = zendesk.ticket(7) | {
        "comments": zendesk.comments(7),
        "requester": {"id": 1, "name": "Ann Smith", "email": "ann@example.com"},
        "group": {"id": 71, "name": "Returns"},
        "metric_set": {"solved_at": "2026-01-03T00:00:00Z"},
    }
    [record] = exported(tmp_path, "zendesk", [row], label="group")
    assert record.text.count("\n") == 2
    assert (record.subject, record.labels) == ("<ann@example.com>", {"route": "Returns"})
    assert (record.uri, record.meta["solved"]) == ("export.json#7", "2026-01-03T00:00:00Z")
    assert not any(name in str(record.meta) for name in NAMES)


def test_an_export_of_freshdesk_wraps_tickets_and_notes(tmp_path):
    inner = {
        "id": 77, "display_id": 7, "subject": "Lamp", "description": "It is broken.", "status": 5,
        "status_name": "Closed", "priority_name": "Low", "source_name": "Email", "requester_id": 31,
        "requester_name": "Ann Smith",
        "helpdesk_notes": [
            {"helpdesk_note": {"body": "Send it back.", "incoming": False, "private": False}},
            {"helpdesk_note": {"body": "internal", "incoming": False, "private": True}},
        ],
    }  # fmt: skip
    [record] = exported(tmp_path, "freshdesk", json.dumps([{"helpdesk_ticket": inner}], indent=1))
    assert record.text == "Lamp\ncustomer: It is broken.\nagent: Send it back."
    assert (record.uri, record.subject) == ("export.json#7", "<31>")
    assert record.meta == {"title": "Lamp", "status": "closed", "priority": "low", "channel": "email"}


def test_a_saved_answer_of_the_api_and_a_folder_of_files(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "b.json").write_text(json.dumps({"tickets": [zendesk.ticket(1), zendesk.ticket(2)]}))
    found = exported(tmp_path / "x", "zendesk", [zendesk.ticket(3)], "a.ndjson", where=".")
    assert [r.meta["title"] for r in found] == [f"Shoes, order {n}" for n in (3, 1, 2)]


def test_an_export_is_read_once_and_in_turns(tmp_path):
    rows, state = [zendesk.ticket(n) for n in range(5)], {}
    seen = [len(exported(tmp_path, "zendesk", rows, state=state, most=3))]
    again = {"where": "export.json", "web": None, "state": state, "folder": tmp_path, "subject": str}
    seen += [len(list(tickets(GAP, system="zendesk", most=3, **again))) for _ in range(2)]
    assert seen == [3, 2, 0]


def test_broken_rows_of_an_export_are_dropped_with_their_reasons(tmp_path):
    said = '{"id": 1\n7\n{"subject": "x"}\n{"id": 5, "status": "solved", "comments": 7, "via": "mail"}\n'
    found = exported(tmp_path, "zendesk", said + json.dumps(zendesk.ticket(2)) + "\n")
    assert drops(found) == [
        "line is no JSON",
        "ticket is no object with an id",
        "ticket is no object with an id",
        "ticket without text",
    ]
    assert len(found) == 5


def test_a_missing_export_and_a_wrong_date_are_explained(tmp_path, read):
    with pytest.raises(SettingsError, match="there is no .*none.json"):
        exported(tmp_path, "zendesk", [], where="none.json")
    with pytest.raises(SettingsError, match="since = 'soon' is no date"):
        read("zendesk", since="soon")
    with pytest.raises(SettingsError, match="there is no"):
        check(system="zendesk", where="none.json", web=None, folder=tmp_path)
    (tmp_path / "a.json").write_text("[]")
    [stream] = discover(GAP, system="zendesk", where="a.json", web=None, folder=tmp_path)
    assert (stream.name, stream.note) == ("a.json", "2 bytes")


def test_since_is_where_the_first_turn_begins(read, far):
    far.desk.memory["zendesk"] = [
        zendesk.ticket(1, "2026-01-01T00:00:00Z"),
        zendesk.ticket(2, "2026-02-01T00:00:00Z"),
    ]
    assert uris(read("zendesk", since="2026-01-15")) == ["2"]
