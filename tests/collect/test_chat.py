import json
from collections import Counter
from pathlib import Path

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows import objects
from openflywheel.collect.chat import chat, check, discover

GAP = Gap(topic="route", why="cold start", task="route")
DATA = Path(__file__).parents[3] / "shared" / "data"
OPENAI = {
    "id": "c1",
    "user": "ann@example.com",
    "intent": "weather",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Rain?"}, {"type": "image_url", "image_url": {}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "function": {"name": "sky", "arguments": '{"at": "Ulm"}'}}],
        },
        {"role": "tool", "content": "wet"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Thanks!"},
    ],
}
SHAREGPT = {
    "id": "s1",
    "system": "Be brief.",
    "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}],
}
ABCD = {
    "convo_id": 3592,
    "scenario": {
        "personal": {"customer_name": "crystal minh", "email": "cminh@email.com"},
        "flow": "product_defect",
        "subflow": "return_size",
    },
    "original": [["agent", "Hi!"], ["customer", "I need to return it."], ["action", "Account pulled up."]],
}
TABLE = (
    "conversationId\tturnNumber\tutterance\tauthorRole\tintent\n"
    "a\t0\thi there\tcustomer\tgreet\n"
    'a\t1\t"two\nlines"\tagent\t\n'
    "a\t2\tbook a flight\tcustomer\tbook\n"
    "b\t0\tclaim status\tcustomer\tclaim\n"
)


def read(folder, state=None, path="log.jsonl", **settings):
    kept = {} if state is None else state
    return list(chat(GAP, path=path, folder=folder, state=kept, subject=lambda p: f"<{p}>", **settings))


def write(folder, *rows, name="log.jsonl"):
    (folder / name).write_text(
        "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    )


def texts(found):
    return [r.text for r in found if isinstance(r, Record)]


def drops(found):
    return [d.reason for d in found if isinstance(d, Drop)]


def test_messages_of_openai_become_one_record(tmp_path):
    write(tmp_path, OPENAI)
    [record] = read(tmp_path)
    assert record.text == (
        'user: Rain?\n[image_url]\nassistant: [calls sky {"at": "Ulm"}]\ntool: wet\n'
        "assistant: Yes.\nuser: Thanks!"
    )
    assert (record.source, record.uri, record.subject) == ("chat", "log.jsonl#c1", "<ann@example.com>")
    assert (record.labels, record.labelled_by) == ({"route": "weather"}, "seed")
    assert record.meta == {"conversation": "c1", "system": "Be kind."}


def test_each_turn_of_whoever_asked(tmp_path):
    write(tmp_path, OPENAI)
    found = read(tmp_path, each="turn")
    assert [(r.text, r.uri) for r in found] == [
        ("Rain?\n[image_url]", "log.jsonl#c1/0"),
        ("Thanks!", "log.jsonl#c1/4"),
    ]
    assert found[0].labels == {}


def test_sharegpt_and_abcd(tmp_path):
    write(tmp_path, SHAREGPT, ABCD)
    first, second = read(tmp_path)
    assert (first.text, first.meta["system"]) == ("user: hi\nassistant: hello", "Be brief.")
    assert second.text == "agent: Hi!\ncustomer: I need to return it.\naction: Account pulled up."
    assert (second.labels, second.subject) == ({"route": "return_size"}, "<cminh@email.com>")
    assert second.meta == {"conversation": "3592", "flow": "product_defect", "subflow": "return_size"}
    assert "crystal" not in str(second.meta)


def test_lists_under_the_names_of_their_parts(tmp_path):
    write(tmp_path, json.dumps({"train": [ABCD, {"odd": 1}], "dev": [ABCD | {"convo_id": 2}]}, indent=1))
    found = read(tmp_path)
    assert [r.uri for r in found if isinstance(r, Record)] == ["log.jsonl#3592", "log.jsonl#2"]
    assert drops(found) == ["no conversation in a known form"]


def test_a_table_of_turns(tmp_path):
    write(tmp_path, TABLE, name="log.tsv")
    first, second = read(tmp_path, path="log.tsv")
    assert first.text == "customer: hi there\nagent: two\nlines\ncustomer: book a flight"
    assert (first.labels, first.meta) == ({}, {"conversation": "a", "labels": "greet, book"})
    assert (second.labels, second.uri) == ({"route": "claim"}, "log.tsv#b")
    turns = read(tmp_path, path="log.tsv", each="turn")
    assert [(t.text, t.labels["route"]) for t in turns] == [
        ("hi there", "greet"),
        ("book a flight", "book"),
        ("claim status", "claim"),
    ]


def test_labels_and_people_from_fields_that_are_named(tmp_path):
    write(tmp_path, OPENAI | {"extra": {"team": "sky", "mail": "bob@x.de"}})
    [record] = read(tmp_path, label="extra.team", person="extra.mail")
    assert (record.labels, record.subject) == ({"route": "sky"}, "<bob@x.de>")
    write(tmp_path, TABLE, name="log.tsv")
    assert read(tmp_path, path="log.tsv", label="turnNumber", person="authorRole")[1].labels == {"route": "0"}


def test_a_conversation_without_a_name_is_named_by_what_it_says(tmp_path):
    row = {"messages": [{"role": "user", "content": "hi"}]}
    write(tmp_path, row, row, row | {"messages": [{"role": "user", "content": "ho"}]})
    one, two, three = read(tmp_path)
    assert one.id == two.id != three.id


def test_broken_lines_are_dropped_with_their_reasons(tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "LONGEST", 5_000)
    odd = [
        {"messages": [{"role": "user"}, 7, {"content": "x"}, {"role": "user", "content": {"a": 1}}]},
        {"messages": []},
        {"messages": "text"},
        {"conversations": [{"from": 1, "value": None}]},
        [1],
        "null\n",
        '{"messages": [\n',
        {"messages": [{"role": "user", "content": "x" * 6_000}]},
        OPENAI,
    ]
    write(tmp_path, *odd)
    found = read(tmp_path)
    assert drops(found) == [
        "no text",
        "no conversation in a known form",
        "no text",
        "no conversation in a known form",
        "no conversation in a known form",
        "line is no JSON",
        "line too long",
    ]
    assert len(texts(found)) == 2


def test_broken_tables_are_read_as_far_as_they_go(tmp_path):
    rows = (
        TABLE + '\t0\tof nobody\tcustomer\tx\nc\t0\nd\t0\t"never closed ' + "x" * 200_000 + "\ne\t0\tlast\n"
    )
    write(tmp_path, rows, name="log.tsv")
    found = read(tmp_path, path="log.tsv")
    assert "turn of no conversation" in drops(found)
    assert "line too long" in drops(found)
    assert texts(found)[1] == "customer: claim status"
    for other in ("a\tb\n1\t2\n", 'conversationId\t"' + "x" * 200_000):
        write(tmp_path, other, name="log.tsv")
        assert drops(read(tmp_path, path="log.tsv", form="multidogo")) == ["no table of turns"]


def test_a_log_that_grows_is_read_from_where_it_was_left(tmp_path):
    state = {}
    write(tmp_path, OPENAI, SHAREGPT)
    assert len(read(tmp_path, state)) == 2
    assert read(tmp_path, state) == []
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write(json.dumps(ABCD)[:50])  # somebody is still writing
    assert read(tmp_path, state) == []
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write(json.dumps(ABCD)[50:] + "\n")
    assert [r.uri for r in read(tmp_path, state)] == ["log.jsonl#3592"]
    assert len(json.dumps(state)) < 200


def test_a_turn_takes_so_many_and_the_next_one_goes_on(tmp_path):
    state = {}
    write(tmp_path, *(SHAREGPT | {"id": str(n)} for n in range(5)))
    assert [len(read(tmp_path, state, most=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_each_task_and_each_use_reads_for_itself(tmp_path):
    state = {}
    write(tmp_path, OPENAI)
    assert len(read(tmp_path, state)) == 1
    assert len(read(tmp_path, state, each="turn")) == 2
    tone = Gap(topic="tone", why="", task="tone")
    [record] = chat(tone, path="log.jsonl", folder=tmp_path, state=state, subject=str)
    assert record.labels == {"tone": "weather"}
    assert read(tmp_path, state) == []


def test_a_folder_of_logs(tmp_path):
    (tmp_path / "logs" / "2026").mkdir(parents=True)
    write(tmp_path / "logs", OPENAI)
    write(tmp_path / "logs" / "2026", TABLE, name="b.tsv")
    (tmp_path / "logs" / "note.txt").write_text("no log")
    assert [r.uri for r in read(tmp_path, path="logs/")] == [
        "logs/2026/b.tsv#a",
        "logs/2026/b.tsv#b",
        "logs/log.jsonl#c1",
    ]


def test_check_and_discover(tmp_path):
    write(tmp_path, OPENAI)
    write(tmp_path, TABLE, name="b.tsv")
    write(tmp_path, "{}\n", name="c.json")
    check(path="log.jsonl", folder=tmp_path)
    with pytest.raises(SettingsError, match="there is no .*none"):
        check(path="none", folder=tmp_path)
    notes = {s.name: s.note.partition(",")[0] for s in discover(GAP, path=".", folder=tmp_path)}
    assert notes == {"log.jsonl": "openai", "b.tsv": "multidogo", "c.json": "form not known"}


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout")
def test_real_conversations_of_multidogo_and_abcd():
    found = list(chat(GAP, path="multidogo/airline/dev.tsv", each="turn", folder=DATA, state={}, subject=str))
    lines = (DATA / "multidogo/airline/dev.tsv").read_text().count("<TURN>")
    assert len(found) == lines
    assert Counter(r.labels["route"] for r in found if isinstance(r, Record))["bookflight"] > 10
    whole = list(chat(GAP, path="multidogo/media", most=10**6, folder=DATA, state={}, subject=str))
    assert drops(whole) == []
    assert len(whole) > 1_000
    [one, *_] = found = list(
        chat(GAP, path="abcd_docs/abcd_sample.json", folder=DATA, state={}, subject=lambda p: "k")
    )
    assert drops(found) == []
    assert (one.labels, one.subject) == ({"route": "return_size"}, "k")
    assert "crystal" not in str(one.meta).lower()
