"""`flywheel curate`: what waits in the store, why a row is as it is, and data beside the store."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from openflywheel.base.nouns import Record, Row
from openflywheel.curate._engine.files import locked
from openflywheel.wheel.flywheel import Flywheel

HEAD = "name: beside\nstore: wheel\nencoder: ngrams\ntasks: {answer: {kind: text}}\nguard: {pii: {}}\n"
STEPS = "curate: [extract, normalise, redact, {length: {least: 3}}, dedupe]\n"
PAGE = """<html><head><title>Lamps</title></head><body><nav><a href="/">Home</a> <a href="/x">Shop</a></nav>
<article><h1>Lamps</h1><p>A lamp that does not light up any more is sent back within thirty days of the day on
which it came, and we pay for the way back as well as for the new lamp.</p><p>Write to ann@example.com when it
was broken on its way, and tell us what the box looked like when you opened it at home.</p></article>
<footer>All rights reserved.</footer></body></html>"""
LINES = ["Send  it back", "send it back", "where is my parcel"]
BESIDE = ("--from", "in", "--to", "out", "--basis", "contract")


def words(text: str) -> str:
    return " ".join(text.split())


def table_in(folder: Path, name: str) -> list[dict[str, object]]:
    return DeltaTable(folder / name).to_pyarrow_table().to_pylist()


def texts_in(folder: Path) -> list[str]:
    return sorted(row["text"] for row in table_in(folder, "rows"))


def reasons_in(folder: Path) -> dict[str, str]:
    return {row["uri"]: row["reason"] for row in table_in(folder, "dropped")}


def lines(path: Path, *texts: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


@pytest.fixture
def beside(bare):
    """A folder with settings, and no wheel that ever turned."""
    (bare / "flywheel.yaml").write_text(HEAD + STEPS)
    return bare


class TestTheStore:
    def test_what_waits_becomes_rows(self, desk, flywheel, ask_json):
        with Flywheel.open("flywheel.yaml") as wheel:
            news = Record(text="Brand  new", source="t", purposes=("training",), labels={"route": "other"})
            wheel.store.append([news, Record(text="!", source="t", purposes=("training",))])
        [step] = ask_json("curate")
        assert (step["room"], step["error"]) == ("curate", "")
        assert sum(step["dropped"].values()) == 1
        with Flywheel.open("flywheel.yaml") as wheel:
            [row] = [row for row in wheel.store.all(Row) if news.id in row.parents]
        assert row.text == "Brand new"
        shown = flywheel("curate")
        assert shown.exit_code == 0
        assert "curate" in shown.stdout

    def test_a_room_that_fails_ends_with_one(self, desk, flywheel, ask_json):
        path = desk / "flywheel.yaml"
        changed = path.read_text().replace("curate:", "curate:\n  - topics: {topics: {}}", 1)
        path.write_text(changed)
        with Flywheel.open("flywheel.yaml") as wheel:
            rows = len(wheel.store.all(Row))
            wheel.store.append([Record(text="more of it", source="t", purposes=("training",))])
        result = flywheel("curate", "--json")
        assert result.exit_code == 1
        [step] = json.loads(result.stdout)
        assert "topics is empty" in step["error"]
        with Flywheel.open("flywheel.yaml") as wheel:
            assert len(wheel.store.all(Row)) == rows

    def test_a_record_and_its_row_are_explained_alike(self, desk, flywheel, ask_json):
        with Flywheel.open("flywheel.yaml") as wheel:
            row = next(row for row in wheel.store.all(Row) if row.source == "files")
        by_row, by_record = (ask_json("curate", "--explain", id) for id in (row.id, row.parents[0]))
        assert by_row == by_record
        assert by_row[0]["step"] == "collect"
        assert by_row[0]["did"].startswith("files ")
        shown = flywheel("curate", "--explain", row.id).stdout.splitlines()
        assert [line.partition(": ")[0] for line in shown] == [said["step"] for said in by_row]

    def test_what_nobody_knows_is_said(self, desk, flywheel, ask_json):
        refused = flywheel("curate", "--explain", "nobody")
        assert refused.exit_code == 2
        assert "there is no record or row 'nobody'" in words(refused.stderr)
        assert "flywheel datasets list" in words(refused.stderr)
        assert ask_json("curate", "--explain", "nobody")["error"] == "UnknownRecord"

    def test_an_explanation_changes_nothing(self, desk, ask_json):
        with Flywheel.open("flywheel.yaml") as wheel:
            wheel.store.append([Record(text="so far unseen", source="t", purposes=("training",))])
            rows = wheel.store.all(Row)
            [record] = [r for r in wheel.store.all(Record) if r.source == "t"]
        ask_json("curate", "--explain", record.id)
        with Flywheel.open("flywheel.yaml") as wheel:
            assert wheel.store.all(Row) == rows
            assert wheel.advance("curate").took == 1


class TestWhatItAsksFor:
    @pytest.mark.parametrize(
        "given",
        [
            ("--from", "in"),
            ("--to", "out"),
            ("--from", "in", "--to", "out"),
            ("--from", "in", "--basis", "contract"),
        ],
    )
    def test_source_folder_and_basis_belong_together(self, given, beside, flywheel):
        lines(beside / "in" / "a.jsonl", *LINES)
        refused = flywheel("curate", *given)
        assert refused.exit_code == 2
        assert "--from, --to and --basis belong together" in words(refused.stderr)
        assert not (beside / "out").exists()

    def test_a_basis_is_one_of_the_law_s(self, beside, flywheel):
        refused = flywheel("curate", "--from", "in", "--to", "out", "--basis", "because")
        assert refused.exit_code == 2
        assert "legitimate_interest" in refused.stderr

    def test_a_source_that_is_not_there(self, beside, flywheel, ask_json):
        refused = flywheel("curate", *BESIDE)
        assert refused.exit_code == 2
        assert "in: there is no such file or folder" in words(refused.stderr)
        assert ask_json("curate", *BESIDE)["error"] == "SettingsError"
        (beside / "in").mkdir()
        assert "in: holds nothing to read" in words(flywheel("curate", *BESIDE).stderr)
        remote = flywheel("curate", "--from", "s3://bucket/x", "--to", "out", "--basis", "contract")
        assert remote.exit_code == 2
        assert "curation reads local paths" in words(remote.stderr)
        assert not (beside / "out").exists()

    @pytest.mark.parametrize("to", ["in/out", "in", "in/../in/deep/out"])
    def test_a_dataset_does_not_lie_in_its_own_source(self, to, beside, flywheel):
        source = lines(beside / "in" / "a.jsonl", *LINES)
        refused = flywheel("curate", "--from", "in", "--to", to, "--basis", "contract")
        assert refused.exit_code == 2
        assert "would lie in its own source in; give it a folder beside that" in words(refused.stderr)
        assert list((beside / "in").iterdir()) == [source]


def documents(folder: Path) -> None:
    """A page, a note, a file of no known kind, one that is broken, and one that is empty."""
    folder.mkdir()
    (folder / "lamp.html").write_text(PAGE)
    (folder / "note.md").write_text("# Chairs\n\nA chair is sent back at our cost.\n")
    (folder / "what.xyz").write_bytes(b"\x00\x01")
    (folder / "report.pdf").write_bytes(b"%PDF-1.4 and then nothing that a reader knows")
    (folder / "empty.txt").touch()
    (folder / ".hidden.md").write_text("nobody reads this")


class TestKindsOfInput:
    def test_a_folder_of_documents(self, beside, flywheel, ask_json):
        documents(beside / "in")
        done = ask_json("curate", *BESIDE, "--license", "CC-BY-4.0", "--region", "EU")
        rows = {row["uri"]: row for row in table_in(beside / "out", "rows")}
        assert set(rows) == {"lamp.html", "note.md"}
        page = rows["lamp.html"]
        assert "sent back within thirty days" in page["text"]
        assert "Write to <email>" in page["text"]
        assert not re.search("Home|Shop|ann@", page["text"])
        assert {(r["basis"], r["license"], r["region"]) for r in rows.values()} == {
            ("contract", "CC-BY-4.0", "EU")
        }
        reasons = reasons_in(beside / "out")
        assert reasons["what.xyz"] == "read: unknown kind of file"
        assert reasons["empty.txt"] == "read: empty file"
        assert reasons["report.pdf"].startswith("extract: ")
        assert set(reasons) == {"what.xyz", "empty.txt", "report.pdf"}
        assert (done["folder"], done["card"]["rows"]) == ("out", 2)
        assert sum(done["card"]["dropped"].values()) == 3
        assert [step["step"] for step in done["steps"]] == [
            "extract", "normalise", "redact", "length", "dedupe",
        ]  # fmt: skip

    def test_json_lines_with_a_bad_one(self, beside, flywheel):
        path = lines(beside / "in.jsonl", *LINES)
        path.write_text(path.read_text() + '{"text": "cut o\n' + '["no object"]\n' + '{"text": "last one"}\n')
        shown = flywheel("curate", "--from", "in.jsonl", "--to", "out", "--basis", "contract")
        assert shown.exit_code == 0
        assert "3 rows, 9 tokens in out, version " in shown.stdout
        assert "slowest" in shown.stdout
        found = [text.casefold() for text in texts_in(beside / "out")]
        assert sorted(found) == ["last one", "send it back", "where is my parcel"]
        reasons = sorted(reasons_in(beside / "out").values())
        assert (len(reasons), reasons[0]) == (3, "duplicate")
        assert all(reason.startswith("read: ") for reason in reasons[1:])

    def test_every_kind_of_table_gives_the_same_rows(self, beside, ask_json):
        table = pa.table({"text": LINES, "stars": [1, 2, 3], "at": [1.0, 2.0, 3.0]})
        pq.write_table(table, beside / "in.parquet")
        write_deltalake(str(beside / "in"), table)
        with gzip.open(beside / "in.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in table.to_pylist())
        cards = [
            ask_json("curate", "--from", name, "--to", f"out{n}", "--basis", "contract")["card"]
            for n, name in enumerate(("in.parquet", "in", "in.jsonl.gz"))
        ]
        rows = [table_in(beside / f"out{n}", "rows") for n in range(3)]
        assert [sorted((r["text"], dict(r["meta"])["stars"]) for r in found) for found in rows] == [
            [("send it back", "2"), ("where is my parcel", "3")]
        ] * 3
        assert [card["dropped"] for card in cards] == [{"duplicate": 1}] * 3
        assert {row["source"] for found in rows for row in found} == {"in"}

    def test_a_table_without_a_text_is_refused(self, beside, flywheel):
        pq.write_table(pa.table({"body": LINES}), beside / "in.parquet")
        refused = flywheel("curate", "--from", "in.parquet", "--to", "out", "--basis", "contract")
        assert refused.exit_code == 2
        assert "there is no column 'text'; it has: body" in words(refused.stderr)


class TestAgain:
    def test_a_second_run_adds_what_is_new_and_no_more(self, beside, ask_json):
        lines(beside / "in" / "a.jsonl", *LINES)
        first = ask_json("curate", *BESIDE)
        same = ask_json("curate", *BESIDE)
        assert same["card"]["version"] == first["card"]["version"]
        assert [step["took"] for step in same["steps"]] == [0] * 5
        lines(beside / "in" / "b.jsonl", "Where is  my parcel", "can I pay by card")
        second = ask_json("curate", *BESIDE)
        assert [step["took"] for step in second["steps"]] == [2] * 5
        assert second["card"]["version"] != first["card"]["version"]
        found = [text.casefold() for text in texts_in(beside / "out")]
        assert [*map(words, sorted(found))] == ["can i pay by card", "send it back", "where is my parcel"]

    def test_two_folders_are_compared(self, beside, flywheel, ask_json):
        lines(beside / "in" / "a.jsonl", *LINES)
        ask_json("curate", *BESIDE)
        lines(beside / "in" / "b.jsonl", "can I pay by card")
        ask_json("curate", "--from", "in", "--to", "more", "--basis", "contract")
        rows = ask_json("datasets", "diff", "out", "more")["rows"]
        assert (rows["came"], rows["left"], rows["came_texts"]) == (1, 0, ["can I pay by card"])
        back = ask_json("datasets", "diff", "more", "out")["rows"]
        assert (back["came"], back["left"], back["left_texts"]) == (0, 1, ["can I pay by card"])
        assert "are the same" in words(flywheel("datasets", "diff", "out", "out").stdout)

    def test_another_recipe_is_refused_with_what_to_do(self, beside, flywheel, ask_json):
        lines(beside / "in" / "a.jsonl", *LINES)
        version = ask_json("curate", *BESIDE)["card"]["version"]
        (beside / "flywheel.yaml").write_text(HEAD + "curate: [normalise, dedupe]\n")
        refused = flywheel("curate", *BESIDE)
        assert refused.exit_code == 2
        assert "was made by the recipe" in words(refused.stderr)
        assert "Give another folder" in words(refused.stderr)
        assert json.loads((beside / "out" / "dataset.json").read_text())["version"] == version
        assert flywheel("curate", *BESIDE[:3], "other", *BESIDE[4:]).exit_code == 0

    def test_two_at_a_time_are_refused(self, beside, flywheel):
        lines(beside / "in" / "a.jsonl", *LINES)
        with locked(beside / "out" / ".state" / "lock", RuntimeError()):
            refused = flywheel("curate", *BESIDE)
        assert refused.exit_code == 2
        assert "another run uses the state" in words(refused.stderr)


ROWS_OF_ONE, SHARDS = 1_500, 8


@pytest.fixture
def large(beside):
    """So many lines that a run takes a while; every tenth line is the copy of another one."""
    (beside / "flywheel.yaml").write_text(
        HEAD + "curate: [normalise, redact, enrich, dedupe, near_duplicates]\n"
    )
    for shard in range(SHARDS):
        numbers = range(shard * ROWS_OF_ONE, (shard + 1) * ROWS_OF_ONE)
        some = [
            f"case {n // 10 if n % 10 == 0 else n}: lamp {n % 7} of order {n * 31 % 1009}" for n in numbers
        ]
        lines(beside / "in" / f"{shard}.jsonl", *some)
    return beside


def running(to: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "openflywheel", "curate", *BESIDE[:3], to, *BESIDE[4:]],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


@pytest.mark.fault
@pytest.mark.slow
def test_a_run_that_was_killed_gives_what_an_undisturbed_one_gives(large, ask_json):
    """Killed after its first shards, with all its workers, and once more later on."""
    kills = 0
    for finished in (2, 6):
        child = running("killed")
        assert child.stderr is not None
        work = large / "killed" / ".work"
        while child.poll() is None and len(list(work.glob("*/stage-*/*/done.json"))) < finished:
            time.sleep(0.005)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            kills += 1
        child.wait()
        child.stderr.close()
    assert kills == 2
    assert not (large / "killed" / "dataset.json").exists()
    left = len(list((large / "killed" / ".work").glob("*/stage-*/*/done.json")))
    assert left >= 2
    killed = ask_json("curate", *BESIDE[:3], "killed", *BESIDE[4:])
    whole = ask_json("curate", *BESIDE[:3], "whole", *BESIDE[4:])
    assert killed["card"]["version"] == whole["card"]["version"]
    assert killed["card"]["dropped"] == whole["card"]["dropped"]
    assert killed["card"]["rows"] + sum(killed["card"]["dropped"].values()) == SHARDS * ROWS_OF_ONE
    assert reasons_in(large / "killed") == reasons_in(large / "whole")
    assert not list((large / "killed").glob(".work/*"))
