"""The documents that both sides get: which, how many, and that both get the same."""

import json

import pyarrow.parquet as pq
import pytest

from benchmarks.curate import corpus


@pytest.fixture
def data(tmp_path):
    """Ten documents as they stand in the folder of public data."""
    for name in ("001", "002", "003"):
        (tmp_path / "data/readability_pages" / name).mkdir(parents=True)
        (tmp_path / "data/readability_pages" / name / "source.html").write_text(f"<p>page {name}")
        (tmp_path / "data/readability_pages" / name / "expected.html").write_text("<p>gold")
    for source, files in {
        "docs_etcd": ("v3.3/a.md", "v3.4/a.md", "v3.4/deep/b.md"),
        "docs_prometheus": ("c.md", "picture.png", "LICENSE"),
        "sec_filings": ("one.txt", "two.HTM", "three.xhtml", "SOURCE.md"),
    }.items():
        for name in files:
            (tmp_path / "data" / source / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / source / name).write_text(f"{source} {name}")
    return tmp_path / "data"


@pytest.fixture
def manuals(tmp_path):
    """Fifty pages of two manuals."""
    for manual, count in (("postgresql-doc-15/html", 30), ("sqlite3", 20)):
        (tmp_path / "doc" / manual).mkdir(parents=True)
        for n in range(count):
            (tmp_path / "doc" / manual / f"{n}.html").write_text(f"<p>{manual} {n}")
    return tmp_path / "doc"


def ids(folder):
    return [[json.loads(line) for line in path.read_text().splitlines()] for path in sorted(folder.iterdir())]


def test_the_manuals_fill_up_what_the_others_leave(data, manuals):
    found = corpus.real(data, manuals, 25)
    assert len(found) == 25
    own = {name for name in found if not name.startswith(("postgresql", "sqlite3"))}
    assert own == {
        *("readability/001.html", "readability/002.html", "readability/003.html"),
        *("docs_etcd/v3.3/a.md", "docs_etcd/v3.4/a.md", "docs_etcd/v3.4/deep/b.md", "docs_prometheus/c.md"),
        *("sec_filings/one.txt", "sec_filings/two.HTM", "sec_filings/three.xhtml"),
    }
    assert found["readability/002.html"].read_text() == "<p>page 002"


def test_the_sample_is_seeded(data, manuals):
    assert corpus.real(data, manuals, 25) == corpus.real(data, manuals, 25)
    assert corpus.real(data, manuals, 25) != corpus.real(data, manuals, 25, seed=1)


@pytest.mark.parametrize(("size", "found"), [(3, 10), (10, 10), (11, 11), (60, 60), (99, 60)])
def test_there_are_as_many_as_asked_for_and_as_there_are(data, manuals, size, found):
    assert len(corpus.real(data, manuals, size)) == found


def test_what_is_missing_is_named_with_the_commands_that_bring_it(data, manuals, tmp_path):
    with pytest.raises(
        SystemExit, match=f"(?s){tmp_path / 'none'} holds no documents.*apt-get download"
    ) as ended:
        corpus.real(data, tmp_path / "none", 25)
    assert "dpkg -x" in ended.value.code.splitlines()[2]
    with pytest.raises(SystemExit, match=f"^{tmp_path / 'empty'} holds no documents"):
        corpus.real(tmp_path / "empty", manuals, 25)


def test_a_folder_of_ones_own_is_named_input(data, tmp_path):
    assert set(corpus.of(data / "docs_prometheus")) == {"input/c.md"}
    (tmp_path / "bare").mkdir()
    with pytest.raises(SystemExit, match="bare holds no documents"):
        corpus.of(tmp_path / "bare")


def test_folders_named_like_pages_are_no_documents(tmp_path):
    """As `wget --mirror` makes them."""
    (tmp_path / "site/index.html").mkdir(parents=True)
    (tmp_path / "site/index.html/page.html").write_text("<p>here")
    assert set(corpus.of(tmp_path / "site")) == {"input/index.html/page.html"}


def test_both_sides_get_the_same_documents(data, manuals, tmp_path):
    documents = corpus.real(data, manuals, 41)
    made = corpus.prepared(documents, tmp_path / "corpus", 2)
    files = {path.name: path.read_text() for path in made.files.iterdir()}
    assert made.documents == len(files) == 41
    assert files == {corpus.flat(name): path.read_text() for name, path in documents.items()}
    html, text = ids(made.html), ids(made.text)
    rows = [row for part in html + text for row in part]
    assert len(rows) == 41
    assert {row["id"]: row["text"] for row in rows} == files
    assert {row["id"][-3:] for part in text for row in part} == {".md", "txt"}


def test_workers_get_parts_of_one_size_in_no_order_of_sources(data, manuals, tmp_path):
    made = corpus.prepared(corpus.real(data, manuals, 60), tmp_path / "corpus", 3)
    for kind in (made.html, made.text):
        sizes = [len(part) for part in ids(kind)]
        assert len(sizes) == 3
        assert max(sizes) - min(sizes) <= 1
    first = [row["id"] for row in ids(made.html)[0]]
    assert first != sorted(first)


def test_preparing_twice_is_the_same(data, manuals, tmp_path):
    documents = corpus.real(data, manuals, 30)
    one, other = (corpus.prepared(documents, tmp_path / name, 2) for name in ("one", "other"))
    assert [p.read_bytes() for p in sorted(one.html.iterdir())] == [
        p.read_bytes() for p in sorted(other.html.iterdir())
    ]


def test_bytes_that_are_no_text_are_replaced_for_datatrove_and_left_for_us(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/latin.txt").write_bytes(b"caf\xe9")
    made = corpus.prepared(corpus.of(tmp_path / "in"), tmp_path / "corpus", 1)
    assert (made.files / "input__latin.txt").read_bytes() == b"caf\xe9"
    assert ids(made.text)[0] == [{"id": "input__latin.txt", "text": "caf�"}]


def test_tables_hold_pages_as_bytes_and_the_rest_as_text(data, manuals, tmp_path):
    (data / "docs_prometheus/latin.md").write_bytes(b"caf\xe9")
    documents = corpus.real(data, manuals, 41)
    to = corpus.tables(documents, tmp_path / "tables", 4)
    parts = [pq.read_table(path) for path in sorted(to.iterdir())]
    assert sorted(part.num_rows for part in parts) == [10, 10, 10, 11]
    rows = {row["uri"]: row for part in parts for row in part.to_pylist()}
    assert set(rows) == {corpus.flat(name) for name in documents}
    assert rows["readability__001.html"]["content"] == b"<p>page 001"
    assert rows["readability__001.html"]["text"] == ""
    assert rows["docs_prometheus__c.md"] == {
        "uri": "docs_prometheus__c.md", "content": None, "text": "docs_prometheus c.md"
    }  # fmt: skip
    assert rows["docs_prometheus__latin.md"]["text"] == "caf�"
