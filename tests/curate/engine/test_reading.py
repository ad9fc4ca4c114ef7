"""Any table, lines and documents as batches of Records."""

import gzip
import json
import os
import pickle
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import from_table, schema_of, to_batch
from openflywheel.base.nouns import Part, Record, Row
from openflywheel.curate._engine import lines as lines_module
from openflywheel.curate._engine import parquet, record
from openflywheel.curate._engine.reading import Terms, read, shards
from openflywheel.store import Store

TERMS = Terms(source="t", purposes=("training",), basis="contract", license="MIT", region="EU")


def whole(path, terms=TERMS):
    """All that is read, as one table, with the checks that hold for every batch."""
    batches = []
    for shard in pickle.loads(pickle.dumps(shards(path, terms=terms))):
        found = list(read(shard))
        assert shard.rows in (None, sum(t.num_rows for t in found))
        batches += found
    for batch in batches:
        assert 1 <= batch.num_rows <= 2_000
        assert batch.select(schema_of(Record).names).schema == schema_of(Record)
        assert {"content", "drop"} <= set(batch.column_names)
    return pa.concat_tables(batches)


def nouns(path, terms=TERMS):
    return from_table(whole(path, terms), Record)


def rows_of(path, *names, terms=TERMS):
    return list(zip(*(whole(path, terms)[name].to_pylist() for name in names), strict=True))


def write_lines(path, *rows, raw=()):
    text = [json.dumps(row).encode() for row in rows] + [r.encode() if isinstance(r, str) else r for r in raw]
    path.write_bytes(b"\n".join(text) + b"\n")
    return path


# JSON Lines


def test_a_line_is_a_record_with_what_it_says(tmp_path):
    said = Record(
        text="häll\u2028o", source="crawl", uri="u", subject="s", purposes=("evaluation",), basis="consent",
        region="DE", license="CC", meta={"b": "2", "a": "1"}, labels={"route": "x"}, labelled_by="user",
        expires_at=3, parents=("p",), parts=(Part(mime="image/png", uri="v", digest="d"),), at=5.0,
    )  # fmt: skip
    fields = {f: getattr(said, f) for f in said.__struct_fields__ if f != "id"}
    fields["parts"] = [{"mime": "image/png", "uri": "v", "digest": "d"}]
    assert nouns(write_lines(tmp_path / "a.jsonl", fields)) == [said]


def test_what_a_line_lacks_has_the_records_defaults_the_terms_and_the_files_time(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "hello"})
    os.utime(path, (7, 7))
    assert nouns(path) == [
        Record(
            text="hello",
            source="t",
            purposes=("training",),
            basis="contract",
            license="MIT",
            region="EU",
            at=7,
        )
    ]


def test_the_id_is_the_records_unless_the_row_has_one(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "one", "id": "mine"}, {"text": "two"})
    first, second = nouns(path)
    assert first.id == "mine"
    assert second.id == Record(**{f: getattr(second, f) for f in second.__struct_fields__ if f != "id"}).id


def test_a_rows_own_terms_stay(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "x", "source": "own", "purposes": ["evaluation"]})
    assert rows_of(path, "source", "purposes", "license") == [("own", ["evaluation"], "MIT")]


def test_without_a_source_the_inputs_name_is_one(tmp_path):
    path = write_lines(tmp_path / "tickets.jsonl", {"text": "x"})
    assert rows_of(path, "source", terms=Terms()) == [("tickets",)]


def test_other_plain_fields_are_facts_and_url_is_the_uri(tmp_path):
    row = {"text": "x", "url": "http://a", "title": "T", "n": 3, "big": 1.5, "yes": True, "list": [1]}
    row |= {"empty": "", "none": None, "long": "y" * 2_001, "meta": {"title": "old", "kept": "k"}}
    (found,) = nouns(write_lines(tmp_path / "a.jsonl", row))
    assert found.uri == "http://a"
    assert found.meta == {"title": "T", "n": "3", "big": "1.5", "yes": "true", "kept": "k"}


def test_anybodys_role_weight_and_content_are_facts(tmp_path):
    said = {"role": "user", "weight": "5 kg", "content": "c", "drop": "d", "recipe": "soup"}
    assert nouns(write_lines(tmp_path / "a.jsonl", {"text": "x"} | said))[0].meta == said
    pq.write_table(
        pa.table({name: [value] for name, value in ({"text": "x"} | said).items()}), tmp_path / "b.parquet"
    )
    assert rows_of(tmp_path / "b.parquet", "drop", "content", "role", "weight") == [(None,) * 4]
    kept = {"role": "user", "weight": "5 kg", "recipe": "soup"}
    assert nouns(tmp_path / "b.parquet")[0].meta == kept


def test_rows_that_were_curated_before_keep_role_and_weight(tmp_path):
    rows = [Row(text="x", source="s", role="holdout", weight=2.0, recipe="r"), Row(text="y", source="s")]
    table = pa.Table.from_batches([to_batch(rows, Row)])
    for name in ("unit", "run"):
        table = table.append_column(name, pa.array(["u", "u"]))
    pq.write_table(table.append_column("tokens", pa.array([1, 1])), tmp_path / "a.parquet")
    assert rows_of(tmp_path / "a.parquet", "role", "weight", "meta") == [
        ("holdout", 2.0, []),
        ("train", 1.0, []),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "cut of', "read: broken line"),
        (b'{"text": "\xff"}', "read: broken line"),
        ('{"text": "\\ud800"}', "read: broken line"),
        ('{"text": ' + "[" * 100_000, "read: broken line"),
        ('["a row"]', "read: line is no object"),
        ("3", "read: line is no object"),
        ('{"text": 3}', "read: field of a wrong type"),
        ('{"text": "x", "labels": {"route": 3}}', "read: field of a wrong type"),
        ('{"text": "x", "at": "yesterday"}', "read: field of a wrong type"),
        ('{"text": " \\n"}', "read: no text"),
        ("{}", "read: no text"),
    ],
)
def test_a_bad_line_is_a_dropped_row_and_the_others_are_read(line, reason, tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "one"}, raw=[line, '{"text": "two"}'])
    found = rows_of(path, "text", "drop")
    assert [text for text, drop in found if drop is None] == ["one", "two"]
    assert [drop for _, drop in found if drop] == [reason]


def test_a_bad_line_says_where_it_was_and_how_it_began(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "one"}, raw=["not json " + "z" * 5_000])
    (text, uri, id, source) = rows_of(path, "text", "uri", "id", "source")[1]
    assert text == "not json " + "z" * 1_991
    assert uri == "a.jsonl#byte=16"
    assert len(id) == 32
    assert source == "t"


def test_a_line_too_long_for_memory_costs_that_line(tmp_path, monkeypatch):
    monkeypatch.setattr(lines_module, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines_module, "BUFFER", 64)
    path = write_lines(tmp_path / "a.jsonl", {"text": "a"}, {"text": "b" * 1_000}, {"text": "c"})
    assert [(t[0], d) for t, d in rows_of(path, "text", "drop") if d] == [("{", "read: line too long")]
    assert [t for t, d in rows_of(path, "text", "drop") if not d] == ["a", "c"]


def test_a_text_too_long_is_dropped_with_its_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "LONGEST", 3_000)
    path = write_lines(tmp_path / "a.jsonl", {"text": "ä" * 1_501}, {"text": "ä" * 1_500})
    assert rows_of(path, "text", "drop") == [("ä" * 1_501, "read: text too long"), ("ä" * 1_500, None)]


def test_blank_lines_a_mark_at_the_start_and_a_missing_last_line_feed_are_fine(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\n   \n{"text": "b"}')
    assert [r.text for r in nouns(path)] == ["a", "b"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=30), st.integers(1, 60))
def test_every_line_is_read_once_wherever_the_file_is_cut(tmp_path_factory, texts, size):
    folder = tmp_path_factory.mktemp("cut")
    path = write_lines(
        folder / "a.jsonl", *({"text": f"{n} {t}"} for n, t in enumerate(texts)), {"text": "end"}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "BYTES", size)
        found = shards(path)
        assert len(found) == -(-path.stat().st_size // size)
        assert len({s.name for s in found}) == len(found)
        read_back = [t for s in found for b in read(s) for t in b["text"].to_pylist()]
    assert read_back == [*(f"{n} {t}" for n, t in enumerate(texts)), "end"]


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_compressed_lines_are_read_member_by_member(suffix, tmp_path):
    path = tmp_path / f"a.jsonl.{suffix}"
    packed = gzip.compress if suffix == "gz" else lambda raw: pa.compress(raw, "zstd", asbytes=True)
    path.write_bytes(packed(b'{"text": "a"}\n{"te') + packed(b'xt": "b"}\n'))
    assert [r.text for r in nouns(path)] == ["a", "b"]
    assert len(shards(path)) == 1


def test_a_compressed_file_that_is_cut_off_gives_what_it_holds_and_a_dropped_row(tmp_path):
    rows = "".join(json.dumps({"text": f"{n} {os.urandom(9).hex()}"}) + "\n" for n in range(3_000))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(rows.encode())[:-2_000])
    found = whole(path)
    good = found.filter(pa.compute.is_null(found["drop"]))["text"].to_pylist()
    assert [t.split()[0] for t in good] == [str(n) for n in range(len(good))]
    assert len(good) > 1_000
    assert "read: file cut off or damaged" in found["drop"].to_pylist()


def test_a_batch_ends_at_its_rows_and_at_its_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "BYTES", 1_000)
    path = write_lines(tmp_path / "a.jsonl", *({"text": "x" * 300} for _ in range(7)), {"text": "y" * 2_000})
    sizes = [[len(t) for t in b["text"].to_pylist()] for s in shards(path) for b in read(s)]
    assert sizes == [[300] * 3, [300] * 3, [300], [2_000]]
    many = write_lines(tmp_path / "b.jsonl", *({"text": "x"} for _ in range(4_001)))
    monkeypatch.setattr(record, "BYTES", 1 << 20)
    assert [b.num_rows for s in shards(many) for b in read(s)] == [2_000, 2_000, 1]


def test_a_shards_name_is_stable_and_tells_what_is_in_it(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "a"})
    os.utime(path, (5, 5))
    (first,) = shards(path, terms=TERMS)
    assert [s.name for s in shards(path, terms=TERMS)] == [first.name]
    assert [s.name for s in shards(path, terms=Terms(source="u"))] != [first.name]
    write_lines(path, {"text": "b"})
    os.utime(path, (6, 6))
    assert [s.name for s in shards(path, terms=TERMS)] != [first.name]


# Parquet


def test_parquet_columns_become_a_record_and_facts(tmp_path):
    table = pa.table({
        "text": pa.array(["a", "b"]).dictionary_encode(),
        "url": ["http://a", None],
        "at": pa.array([1_500_000, None], pa.timestamp("us", "UTC")),
        "labels": pa.array([{"route": "x", "tone": None}, None]),
        "meta": pa.array([[("k", "v")], []], pa.map_(pa.string(), pa.string())),
        "stars": [4, None],
        "score": [0.5, 1.0],
        "vector": [[1.0], [2.0]],
        "nothing": pa.nulls(2),
        "region": pa.nulls(2),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = nouns(tmp_path / "a.parquet")
    assert (first.text, first.uri, first.at, first.labels, first.region) == (
        "a",
        "http://a",
        1.5,
        {"route": "x"},
        "EU",
    )
    assert first.meta == {"k": "v", "stars": "4", "score": "0.5"}
    assert (second.uri, second.labels, second.meta) == ("", {}, {"score": "1"})
    for one in (first, second):
        assert one.id == Record(**{f: getattr(one, f) for f in one.__struct_fields__ if f != "id"}).id


def test_what_parquet_says_and_what_lines_say_is_the_same_record(tmp_path):
    rows = [{"text": f"t{n}", "uri": f"u{n}", "labels": {"route": "x"}, "topic": "q"} for n in range(5)]
    table = pa.table({
        "text": [r["text"] for r in rows],
        "uri": [r["uri"] for r in rows],
        "labels": pa.array([list(r["labels"].items()) for r in rows], pa.map_(pa.string(), pa.string())),
        "topic": [r["topic"] for r in rows],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    write_lines(tmp_path / "a.jsonl", *rows)
    assert [r.id for r in nouns(tmp_path / "a.parquet")] == [r.id for r in nouns(tmp_path / "a.jsonl")]


@pytest.mark.parametrize(("group", "size"), [(10, 1 << 20), (10, 2_000), (1_000, 4_000), (7, 1)])
def test_every_row_of_a_parquet_file_is_read_once_in_order(group, size, tmp_path, monkeypatch):
    pq.write_table(
        pa.table({"text": [f"row {n}" for n in range(100)]}), tmp_path / "a.parquet", row_group_size=group
    )
    monkeypatch.setattr(parquet, "BYTES", size)
    found = shards(tmp_path / "a.parquet")
    assert [t for s in found for b in read(s) for t in b["text"].to_pylist()] == [
        f"row {n}" for n in range(100)
    ]
    assert len({s.name for s in found}) == len(found)
    assert sum(s.rows for s in found) == 100


def test_small_row_groups_go_together_and_a_huge_one_is_cut_into_slices(monkeypatch):
    monkeypatch.setattr(parquet, "BYTES", 100)
    sizes = [(5, 40), (5, 40), (5, 40), (10, 250), (0, 10), (3, 10), (100, 10_000)]
    assert list(parquet.spans(sizes)) == [
        ((0, 1), 0, 10),
        ((2,), 0, 5),
        ((3,), 0, 3),
        ((3,), 3, 6),
        ((3,), 6, 10),
        ((5,), 0, 3),
        *(((6,), 100 * n // 8, 100 * (n + 1) // 8) for n in range(8)),
    ]


def test_a_column_of_a_wrong_type_is_said_before_the_run(tmp_path):
    pq.write_table(pa.table({"text": ["a"], "labels": ["route"]}), tmp_path / "a.parquet")
    with pytest.raises(
        SettingsError, match=r"a.parquet: the column 'labels' is string; it must be map<string, string"
    ):
        shards(tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": [["a"]]}), tmp_path / "b.parquet")
    with pytest.raises(SettingsError, match=r"b.parquet: the column 'text' is list<"):
        shards(tmp_path / "b.parquet")
    pq.write_table(pa.table({"text": ["a"], "at": ["yesterday"]}), tmp_path / "c.parquet")
    with pytest.raises(SettingsError, match=r"c.parquet: the column 'at' is string; it must be double"):
        shards(tmp_path / "c.parquet")


def test_a_table_without_texts_is_refused_with_what_it_has(tmp_path):
    pq.write_table(pa.table({"body": ["a"], "n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(SettingsError, match="there is no column 'text'; it has: body, n"):
        shards(tmp_path / "a.parquet")


def test_what_is_no_parquet_is_said(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SettingsError, match="a.parquet: cannot be read as Parquet"):
        shards(tmp_path / "a.parquet")


def test_a_page_that_is_damaged_costs_the_shard_not_the_run(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"text": [os.urandom(40).hex() for _ in range(500)]}),
        path,
        compression="zstd",
        use_dictionary=False,
    )
    (shard,) = shards(path)
    raw = bytearray(path.read_bytes())
    raw[200:400] = bytes(200)
    path.write_bytes(raw)
    assert "read: broken file" in [d for b in read(shard) for d in b["drop"].to_pylist()]


def test_texts_that_are_no_utf8_are_dropped_and_the_others_stay(tmp_path):
    raw = pa.array([b"fine", b"bro\xffken", None], pa.binary())
    text = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2], raw.buffers()[0])
    pq.write_table(pa.table({"text": text, "uri": ["a", "b", "c"]}), tmp_path / "a.parquet")
    assert rows_of(tmp_path / "a.parquet", "text", "drop") == [
        ("fine", None),
        ("bro\ufffdken", "read: broken text"),
        ("", "read: no text"),
    ]


def test_a_folder_of_parts_has_columns_in_its_folders_names(tmp_path):
    for lang in ("de", "en"):
        (tmp_path / f"lang={lang}").mkdir()
        pq.write_table(pa.table({"text": [f"a {lang}"]}), tmp_path / f"lang={lang}" / "part-0.parquet")
    assert [(r.text, r.meta) for r in nouns(tmp_path)] == [("a de", {"lang": "de"}), ("a en", {"lang": "en"})]


# Delta


def test_a_delta_table_is_read_at_its_newest_version(tmp_path):
    write_deltalake(tmp_path, pa.table({"text": ["a", "b"], "lang": ["de", "en"]}), partition_by=["lang"])
    write_deltalake(tmp_path, pa.table({"text": ["c"], "lang": ["fr fr"]}), mode="append")
    DeltaTable(tmp_path).delete("text = 'b'")
    assert sorted((r.text, r.meta["lang"]) for r in nouns(tmp_path)) == [("a", "de"), ("c", "fr fr")]


def test_the_wheels_own_records_are_read_as_they_are(tmp_path):
    said = [
        Record(text=f"t{n}", source="s", purposes=("training",), subject="p", at=float(n)) for n in range(3)
    ]
    store = Store(tmp_path)
    store.append(said)
    store.close()
    assert nouns(tmp_path / "lake" / "record", Terms()) == said


def test_a_delta_table_that_cannot_be_read_is_said(tmp_path):
    write_deltalake(tmp_path, pa.table({"text": ["a"]}))
    (tmp_path / "_delta_log" / f"{0:020}.json").write_text("{}")
    with pytest.raises(SettingsError, match="cannot read this Delta table"):
        shards(tmp_path)


# Documents


def test_a_document_is_a_row_with_its_bytes(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.HTML").write_bytes(b"<p>hi")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    os.utime(tmp_path / "a.pdf", (5, 5))
    pdf, html = whole(tmp_path).to_pylist()
    assert (pdf["uri"], pdf["content"], pdf["text"], pdf["at"], pdf["drop"]) == (
        "a.pdf",
        b"%PDF-1.7",
        "",
        5.0,
        None,
    )
    assert html["parts"] == [
        {"mime": "text/html", "uri": "sub/b.HTML", "digest": sha256(b"<p>hi").hexdigest()}
    ]
    assert pdf["id"] == nouns(tmp_path)[0].id == Record(
        text="", source="t", uri="a.pdf", purposes=("training",),
        basis="contract", license="MIT", region="EU",
        parts=(Part(mime="application/pdf", uri="a.pdf", digest=sha256(b"%PDF-1.7").hexdigest()),),
    ).id  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("grüße".encode(), "grüße"),
        ("\ufeffgrüße".encode(), "grüße"),
        ("grüße".encode("utf-16"), "grüße"),
        ("grüße".encode("cp1252"), "grüße"),
        (b"\xff\xfea", "ÿþa"),
    ],
)
def test_plain_texts_are_decoded(raw, text, tmp_path):
    (tmp_path / "a.md").write_bytes(raw)
    assert rows_of(tmp_path, "text", "content") == [(text, None)]


def test_what_is_no_document_is_a_dropped_row(tmp_path, monkeypatch):
    monkeypatch.setattr("openflywheel.curate._engine.documents.WHOLE", 10)
    for name, raw in {"a.exe": b"MZ", "b.txt": b"", "c.txt": b"x" * 11, "d.md": b" \n"}.items():
        (tmp_path / name).write_bytes(raw)
    assert rows_of(tmp_path, "uri", "drop") == [
        ("a.exe", "read: unknown kind of file"),
        ("b.txt", "read: empty file"),
        ("c.txt", "read: file too large"),
        ("d.md", "read: no text"),
    ]


def test_hidden_files_and_links_are_left_out(tmp_path):
    (tmp_path / ".git").mkdir()
    for name in (".git/a.txt", ".b.txt", "_c.txt", "d.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "e.txt").symlink_to("/etc/hostname")
    assert rows_of(tmp_path, "uri") == [("d.txt",)]


def test_documents_go_together_up_to_the_size_of_a_shard(tmp_path, monkeypatch):
    monkeypatch.setattr("openflywheel.curate._engine.documents.SHARD", 100)
    for n in range(5):
        (tmp_path / f"{n}.txt").write_text("x" * 40)
    (tmp_path / "6.txt").write_text("x" * 400)
    assert [s.rows for s in shards(tmp_path)] == [2, 2, 1, 1]


# Paths


def test_a_folder_may_hold_all_of_them(tmp_path):
    write_lines(tmp_path / "b.jsonl", {"text": "line"})
    pq.write_table(pa.table({"text": ["parquet"]}), tmp_path / "c.parquet")
    (tmp_path / "a.txt").write_text("document")
    assert [r.text for r in nouns(tmp_path)] == ["line", "parquet", "document"]


@pytest.mark.parametrize(
    ("path", "said"),
    [("s3://bucket/a", "curation reads local paths"), ("/no/such", "there is no such file or folder")],
)
def test_a_path_that_cannot_be_read_is_said(path, said):
    with pytest.raises(SettingsError, match=said):
        shards(path)


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(SettingsError, match="holds nothing to read"):
        shards(tmp_path)


def test_all_that_the_store_writes_is_read_back(tmp_path):
    """The noun's own batch and its Parquet file say the same."""
    said = [
        Record(
            text="x", source="s", parents=("p", "q"), meta={"a": "1"}, expires_at=2.0, purposes=("training",)
        )
    ]
    pq.write_table(pa.Table.from_batches([to_batch(said, Record)]), tmp_path / "a.parquet")
    assert nouns(tmp_path / "a.parquet", Terms()) == said
