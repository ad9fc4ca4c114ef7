import gzip
import io
import json
import os
import zipfile
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from openflywheel.base import door
from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.base.settings import Task
from openflywheel.collect._files import kinds
from openflywheel.collect.files import check, discover, files, read_rows

COLD = Gap(topic="route", why="cold start", task="route")
DATA = Path(__file__).parents[3] / "shared" / "data"


class Objects(dict):
    def put(self, content):
        digest = sha256(content).hexdigest()
        self[digest] = content
        return digest


def read(folder, path, gap=COLD, state=None, objects=None, **settings):
    handed = {
        "folder": folder,
        "objects": Objects() if objects is None else objects,
        "subject": "key of {}".format,
        "tasks": {"route": Task(kind="label"), "price": Task(kind="number"), "answer": Task(kind="text")},
    }
    return list(files(gap, path=path, **settings, **handed, state={} if state is None else state))


def texts(*things, **settings):
    return [r.text for r in read(*things, **settings) if isinstance(r, Record)]


def reasons(*things, **settings):
    return sorted(d.reason for d in read(*things, **settings) if isinstance(d, Drop))


def made(folder, **contents):
    for name, content in contents.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\n"where, please?",track\nhello,\n'),
        ("a.jsonl", '{"text": "where, please?", "label": "track"}\n\n{"text": "hello"}\n'),
        ("a.json", '[{"text": "where, please?", "label": "track"}, {"text": "hello", "label": null}]'),
    ],
)
def test_rows_become_records_with_and_without_label(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    first, second = read(tmp_path, name)
    assert (first.text, first.labels, first.labelled_by) == ("where, please?", {"route": "track"}, "seed")
    assert (second.text, second.labels, second.labelled_by) == ("hello", {}, "")
    assert (first.source, first.uri) == ("files", name)
    assert (first.license, first.purposes, first.basis) == ("", (), "")  # the room's to say


def test_lines_of_a_text_file_are_unlabelled(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\n two \n")
    assert texts(tmp_path, "a.txt") == ["one", "two"]


def test_a_text_file_in_a_folder_is_one_document(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\n two \n")
    assert texts(tmp_path, ".") == ["one\n\n two \n"]


def test_an_absolute_path_is_taken_as_it_is(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    assert texts(Path("/elsewhere"), str(tmp_path / "a.txt")) == ["one"]


def test_other_columns_can_be_named_and_a_wrong_name_is_explained(tmp_path):
    (tmp_path / "a.csv").write_text("question,intent,lang\nhi,greet,en\n")
    (one,) = read(tmp_path, "a.csv", text="question", label="intent")
    assert (one.labels, one.meta) == ({"route": "greet"}, {"lang": "en"})
    with pytest.raises(SettingsError, match=r"a\.csv: there is no column 'questio'; did you mean 'question'"):
        read(tmp_path, "a.csv", text="questio")


def test_several_columns_make_a_text_and_a_person_is_a_key(tmp_path):
    (tmp_path / "a.csv").write_text("title,body,who\nHelp,it broke,ann@example.com\n")
    (one,) = read(tmp_path, "a.csv", text=("title", "body"), person="who")
    assert (one.text, one.subject, one.meta) == ("Help\nit broke", "key of ann@example.com", {})


def lines(folder, *rows):
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder, "a.jsonl"


def test_the_values_of_an_object_meta_are_facts_and_columns_go_before_them(tmp_path):
    chat = [{"role": "user", "content": "hi"}]
    inside = {
        "item": "kb1",
        "price": 2.5,
        "old": True,
        "lang": "de",
        "none": None,
        "chat": chat,
        "who": "ann",
    }
    (one,) = read(
        *lines(tmp_path, {"text": "a lamp", "lang": "en", "by": "ann", "meta": inside}), person="by"
    )
    assert json.loads(one.meta.pop("chat")) == chat
    assert one.meta == {"item": "kb1", "price": "2.5", "old": "true", "lang": "en"}  # and nobody's name
    assert one.labels == {}


def test_a_label_inside_meta_is_a_fact_unless_the_settings_name_it(tmp_path):
    place = lines(tmp_path, {"text": "a lamp", "meta": {"label": "buy", "text": "other", "item": "kb1"}})
    (one,) = read(*place)
    assert (one.text, one.labels, one.meta) == (
        "a lamp", {}, {"label": "buy", "text": "other", "item": "kb1"},
    )  # fmt: skip
    (named,) = read(*place, label="meta.label")
    assert (named.labels, named.meta) == ({"route": "buy"}, {"text": "other", "item": "kb1"})


def test_facts_of_meta_tell_records_apart(tmp_path):
    one, other = read(*lines(tmp_path, *({"text": "a lamp", "meta": {"item": i}} for i in ("kb1", "kb2"))))
    assert one.id != other.id


def test_values_that_no_fact_can_hold_are_dropped_with_their_name_and_the_row_is_kept(tmp_path):
    rows = [
        {"text": "a", "label": "x", "tags": ["b", "c"], "by": {"name": "ann"}, "empty": {}, "none": None},
        {
            "text": "b",
            "label": "x",
            "by": {"name": "bob"},
            "essay": "z" * 2_001,
            "meta": {"long": "y" * 2_001},
        },
        {"text": "", "by": {"name": "eve"}},
    ]
    first, _, *rest = [d for d in read(*lines(tmp_path, *rows)) if isinstance(d, Drop)]
    assert first == Drop("column 'by' left out: it holds no plain value")
    assert [d.reason for d in rest] == [
        "column 'essay' left out: longer than 2,000 characters",
        "column 'meta.long' left out: longer than 2,000 characters",
        "no text",
    ]
    a, b = (r for r in read(*lines(tmp_path, *rows)) if isinstance(r, Record))
    assert (a.meta, b.meta) == ({"tags": "b, c"}, {})


def test_a_row_goes_on_where_it_stopped_though_it_gave_more_than_its_record(tmp_path):
    place = lines(tmp_path, *({"text": str(n), "label": "x", "by": {"n": n}} for n in range(4)))
    state, got = {}, []
    for _ in range(3):
        got.append(texts(*place, state=state, most=2))
        state = json.loads(json.dumps(state))
    assert got == [["0", "1"], ["2", "3"], []]


def test_a_column_that_only_some_rows_have_is_found_and_none_is_explained(tmp_path):
    place = lines(tmp_path, {"text": "a lamp", "meta": {"item": "kb1"}}, {"text": "lamp", "by": "ann"})
    assert [r.subject for r in read(*place, person="by")] == ["", "key of ann"]
    with pytest.raises(SettingsError, match=r"no column 'person'; choices: by, meta, text$"):
        read(*place, person="person")
    with pytest.raises(SettingsError, match=r"no column 'bye'; did you mean 'by'\?"):
        read(*place, person="bye")


TEAMS = "text,team\nhello you,x\nbye now,y\n"


def test_a_table_without_labels_is_told_which_column_looks_like_them(tmp_path):
    (tmp_path / "a.csv").write_text(TEAMS)
    said, *records = read(tmp_path, "a.csv")
    assert said == Drop("no row of a.csv has a label: name its column (label: team)")
    assert [r.text for r in records] == ["hello you", "bye now"]
    assert [r.labels for r in read(tmp_path, "a.csv", label="team")] == [{"route": "x"}, {"route": "y"}]


def test_the_column_that_looks_like_labels_has_few_values_and_no_numbers(tmp_path):
    rows = [f"2026-01-{n:02},u{n},{n % 4},t{n % 3},a@b.c,https://x/{n},row {n}" for n in range(1, 29)]
    (tmp_path / "a.csv").write_text("\n".join(["day,user,floor,team,mail,link,text", *rows]))
    assert reasons(tmp_path, "a.csv") == [
        "no row of a.csv has a label: name its column (label: team)",
    ]  # fmt: skip
    cold = Gap(topic="price", why="cold start", task="price")
    assert reasons(tmp_path, "a.csv", gap=cold)[0].endswith("(label: floor)")


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (TEAMS.replace("team", "label"), {}),
        (TEAMS, {"label": ""}),
        (TEAMS, {"person": "team"}),
        (TEAMS, {"gap": Gap(topic="a", why="", task="answer")}),
        (TEAMS, {"gap": Gap(topic="a", why="", task="price")}),
        (TEAMS, {"gap": Gap(topic="a", why="")}),
        (TEAMS.replace("team", "item"), {}),
        (TEAMS.replace("team", "te\x1b[2Jam"), {}),  # it would clear the terminal
        ("text\nhello\nbye\n", {}),
        ("text,label,team\nhello,,x\nbye,,y\n", {}),  # to be labelled
        ("text,team\nhello,x\nbye,x\n", {}),
        ("text,day\nhello,2026-01-01\nbye,2026-01-02\n", {}),
    ],
)
def test_no_column_is_named_where_labels_are_there_or_not_wanted(tmp_path, content, settings):
    (tmp_path / "a.csv").write_text(content)
    assert reasons(tmp_path, "a.csv", **settings) == []


def test_no_column_is_named_where_later_rows_are_labelled_or_for_files_of_a_folder(tmp_path):
    place = lines(tmp_path, {"text": "a", "team": "x"}, {"text": "b", "team": "y", "label": "z"})
    assert reasons(*place) == []
    (tmp_path / "a.jsonl").unlink()
    (tmp_path / "a.csv").write_text(TEAMS)
    assert reasons(tmp_path, ".") == []


def test_a_missing_file_is_explained(tmp_path):
    with pytest.raises(SettingsError, match="there is no file"):
        read(tmp_path, "none.csv")
    with pytest.raises(SettingsError, match="there is no file"):
        check(path="none.csv", folder=tmp_path)
    with pytest.raises(SettingsError, match=r"ftp:// is no place for files; choices: abfs"):
        check(path="ftp://host/a.csv", folder=tmp_path)


def test_what_is_there_passes_the_check(tmp_path):
    (tmp_path / "a.csv").write_text("text\nhi\n")
    check(path="a.csv", folder=tmp_path)
    check(path="*.csv", folder=tmp_path)


def test_a_broken_line_is_a_drop_and_the_rest_is_read(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n{"text": \n{"text": "too"}\n')
    assert read(tmp_path, "a.jsonl")[1] == Drop("broken row")
    assert texts(tmp_path, "a.jsonl") == ["fine", "too"]


def test_a_later_row_without_the_column_is_no_mistake_in_the_settings(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "fine", "intent": "x"}\n{"other": 1}\n{"text": "too"}\n')
    assert texts(tmp_path, "a.jsonl", label="intent") == ["fine", "too"]
    assert reasons(tmp_path, "a.jsonl", label="intent") == ["no text"]


def test_in_a_folder_every_file_is_read_by_its_kind_and_the_rest_is_said(tmp_path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("in.csv", "text\nzipped\n")
    made(
        tmp_path,
        **{
            "a.csv": "text\ntable\n",
            "x/b.md": "# Title\nwords",
            "x/c.csv.gz": gzip.compress(b"text\npacked\n"),
            "d.zip": archive.getvalue(),
            "e.exe": "MZ",
            "f.pdf": "%PDF- broken",
            "g.csv": "other\nno text here\n",
            "h.txt": b"",
            ".hidden.csv": "text\nx\n",
        },
    )
    got = {r.uri: r.text for r in read(tmp_path, ".") if isinstance(r, Record)}
    assert got == {
        "a.csv": "table",
        "x/b.md#title": "# Title\nwords",
        "x/c.csv.gz!/c.csv": "packed",
        "d.zip!/in.csv": "zipped",
    }
    assert reasons(tmp_path, ".") == [
        "broken pdf file",
        "empty file",
        "hidden file",
        "no text",
        "unknown kind of file",
    ]


def test_globs_choose_and_exclude(tmp_path):
    made(tmp_path, **{"a.md": "a", "x/b.md": "b", "x/old/c.md": "c", "x/d.txt": "d"})
    assert texts(tmp_path, "**/*.md") == ["a", "b", "c"]
    assert texts(tmp_path, "x", exclude=("**/*.txt", "old/**")) == ["b"]


def test_reasons_of_drops_are_short_and_the_same_for_all_files(tmp_path):
    made(tmp_path, **{f"{i}/secret-{i}.exe": "MZ" for i in range(3)})
    assert reasons(tmp_path, ".") == ["unknown kind of file"] * 3


def test_media_is_kept_as_an_object(tmp_path):
    sink, objects = io.BytesIO(), Objects()
    Image.new("RGB", (4, 2)).save(sink, "PNG")
    made(tmp_path, **{"a.png": sink.getvalue()})
    (one,) = read(tmp_path, "a.png", objects=objects)
    (part,) = one.parts
    assert (part.mime, part.uri, objects[part.digest]) == ("image/png", "a.png", sink.getvalue())
    assert (one.text, one.meta["width"]) == ("", "4")


def test_a_file_that_is_too_large_is_not_opened(tmp_path):
    made(tmp_path, **{"a.csv": "text\nhi\n", "b.csv": "text\n" + "x" * 1000})
    assert texts(tmp_path, ".", largest=100) == ["hi"]
    assert reasons(tmp_path, ".", largest=100) == ["file too large"]


def test_what_is_unchanged_is_not_read_again(tmp_path):
    made(tmp_path, **{"a.csv": "text\none\n", "b.csv": "text\ntwo\n"})
    state = {}
    assert texts(tmp_path, ".", state=state) == ["one", "two"]
    assert read(tmp_path, ".", state=json.loads(json.dumps(state))) == []
    made(tmp_path, **{"b.csv": "text\ntwo\nthree\n", "c.csv": "text\nfour\n"})
    assert texts(tmp_path, ".", state=state) == ["two", "three", "four"]
    assert read(tmp_path, ".", state=state) == []


def test_a_file_that_was_touched_alone_gives_the_same_ids(tmp_path):
    made(tmp_path, **{"a.csv": "text\none\n"})
    state = {}
    (first,) = read(tmp_path, ".", state=state)
    os.utime(tmp_path / "a.csv", (1, 1))
    (again,) = read(tmp_path, ".", state=state)
    assert first.id == again.id


def test_each_task_reads_for_itself_because_labels_are_its_own(tmp_path):
    made(tmp_path, **{"a.csv": "text,label\nhi,greet\n"})
    state, tone = {}, Gap(topic="tone", why="", task="tone")
    assert read(tmp_path, "a.csv", state=state)[0].labels == {"route": "greet"}
    assert read(tmp_path, "a.csv", gap=tone, state=state)[0].labels == {"tone": "greet"}
    assert read(tmp_path, "a.csv", state=state) == []


def test_other_columns_read_everything_again(tmp_path):
    made(tmp_path, **{"a.csv": "text,other\none,two\n"})
    state = {}
    assert texts(tmp_path, "a.csv", state=state) == ["one"]
    assert texts(tmp_path, "a.csv", state=state, text="other") == ["two"]


def test_what_is_too_much_for_one_turn_comes_in_the_next(tmp_path):
    rows = "".join(f"row {i}\n" for i in range(25))
    made(tmp_path, **{"a.csv": "text\n" + rows, "b.csv": "text,n\nlast,1\nof all,2,broken\n"})
    state, got = {}, []
    for _ in range(3):
        got.append(texts(tmp_path, ".", state=state, most=10))
        state = json.loads(json.dumps(state))
    assert [len(turn) for turn in got] == [10, 10, 6]
    assert [text for turn in got for text in turn] == [f"row {i}" for i in range(25)] + ["last"]
    assert read(tmp_path, ".", state=state, most=10) == []


def test_a_file_that_changed_half_way_is_read_from_its_beginning(tmp_path):
    made(tmp_path, **{"a.csv": "text\none\ntwo\nthree\n"})
    state = {}
    assert texts(tmp_path, "a.csv", state=state, most=2) == ["one", "two"]
    made(tmp_path, **{"a.csv": "text\nzero\none\ntwo\nthree\n"})
    assert texts(tmp_path, "a.csv", state=state) == ["zero", "one", "two", "three"]


def test_the_state_of_many_files_is_small(tmp_path):
    made(tmp_path, **{f"{i}.txt": str(i) for i in range(1500)})
    state = {}
    assert len(texts(tmp_path, ".", state=state)) == 1500
    assert len(msgspec.json.encode(state)) < 6_500


def test_halves_of_characters_and_zeros_do_not_reach_the_store(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a\\ud800b"}\n')
    made(tmp_path, **{"b.md": "\ufeffa\0b"})
    assert texts(tmp_path, "a.jsonl") == ["a?b"]
    assert texts(tmp_path, "b.md") == ["ab"]
    msgspec.json.encode(read(tmp_path, "b.md"))


def test_a_missing_library_says_what_to_install(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("no", name="pypdfium2")

    made(tmp_path, **{"a.pdf": "%PDF-1.4"})
    monkeypatch.setattr(kinds, "import_module", missing)
    with pytest.raises(
        MissingExtra, match=r"a pdf file needs 'pypdfium2': pip install 'openflywheel\[documents\]'"
    ):
        read(tmp_path, "a.pdf")


def test_what_would_be_read_is_told_by_kind(tmp_path):
    made(
        tmp_path,
        **{
            "a.csv": "text,label\nhi,x\n",
            "b.csv": "text\nhi\n",
            "c.md": "x",
            "d.exe": "MZ",
            ".e": "",
            "f.json": "{",
        },
    )
    told = {s.name: (s.items, s.columns, s.note) for s in discover(COLD, path=".", folder=tmp_path)}
    assert told == {
        "csv": (2, ("text", "label"), "24 bytes"),
        "hidden file": (1, (), "0 bytes"),
        "json": (1, (), "1 bytes"),
        "markdown": (1, (), "1 bytes"),
        "unknown kind of file": (1, (), "2 bytes"),
    }


def test_the_door_knows_its_settings():
    about = door.describe("collect", "files")
    own = [s.name for s in about.settings if not s.shared]
    assert own == ["path", "text", "label", "person", "exclude", "largest", "most"]
    assert set(about.handed) == {"folder", "objects", "subject", "state", "tasks"}
    assert door.check("collect", "files", {"path": "a", "basis": "consent", "text": ["a", "b"]})["text"] == (
        "a",
        "b",
    )


def test_rows_of_a_file_all_or_none(tmp_path):
    made(
        tmp_path,
        **{"a.csv": "text\nhi\n", "b.txt": "one\n\ntwo\n", "c.jsonl": '{"text": "x"}\n\n3\n', "d.xml": ""},
    )
    assert list(read_rows(tmp_path / "a.csv")) == [{"text": "hi"}]
    assert [r["text"] for r in read_rows(tmp_path / "b.txt")] == ["one", "two"]
    with pytest.raises(SettingsError, match=r"c\.jsonl:3: expected an object"):
        list(read_rows(tmp_path / "c.jsonl"))
    with pytest.raises(SettingsError, match=r"can't read \.xml"):
        list(read_rows(tmp_path / "d.xml"))
    with pytest.raises(SettingsError, match="there is no file"):
        list(read_rows(tmp_path / "none.csv"))


def test_a_broken_line_of_rows_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n{"text": \n')
    with pytest.raises(SettingsError, match=r"a\.jsonl:2"):
        list(read_rows(tmp_path / "a.jsonl"))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside the checkout")
@pytest.mark.parametrize(
    ("path", "documents", "dropped"),
    [
        ("docs_etcd/**/*.md", 900, {"no text"}),
        ("sec_filings/*.html", 7, set()),
        ("earnings21", 1, {"unknown kind of file"}),
        ("readability_pages/**/*.html", 100, {"no text"}),
        (
            "banking77/train.csv",
            10_003,
            {"no row of train.csv has a label: name its column (label: category)"},
        ),
    ],
)
def test_real_documents(path, documents, dropped):
    state = {}
    got = read(DATA, path, state=state, most=10**6)
    assert len([r for r in got if isinstance(r, Record)]) >= documents
    assert {d.reason for d in got if isinstance(d, Drop)} <= dropped
    assert read(DATA, path, state=state) == []
