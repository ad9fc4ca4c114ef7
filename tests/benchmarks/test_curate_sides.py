"""Both sides of the pipeline benchmark on documents of drawn English words, and what is compared of them."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sentences import prose

from benchmarks.curate import ours
from benchmarks.curate.peers import PEERS, installed
from openflywheel.curate._engine.local import Local


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Twenty good texts, one of them with an address; a page, a near-duplicate, a German and a short one."""
    folder = tmp_path_factory.mktemp("files")
    for n in range(20):
        (folder / f"good-{n}.txt").write_text(prose(n))
    (folder / "good-3.txt").write_text(prose(3) + "\n\nWrite to maria.keller@example.org about the letter.")
    (folder / "again.txt").write_text(prose(7).replace("the", "this", 1))
    german = "Der Hafen ist still und der alte Mann wartet auf den Brief, der nie gekommen ist. "
    (folder / "german.txt").write_text(german * 12)
    (folder / "short.txt").write_text("Too short to be kept.")
    page = prose(50).replace("\n\n", "</p><p>")
    (folder / "page.html").write_text(
        f"<body><nav><a href=/>Home</a> <a href=/a>About</a></nav><article><p>{page}</p></article></body>"
    )
    return folder


def python(*arguments):
    """What a module prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def run(files, tmp_path_factory):
    """Ours, in the careful tier: what it said, and its folder."""
    to = tmp_path_factory.mktemp("ours")
    return python("benchmarks.curate.ours", "careful", files, to / "out", 1), to / "out"


def test_ours_keeps_the_good_ones(run):
    said, to = run
    assert said["kept"] == 21  # the page is good, too, and of the two alike one stays
    tables = [pq.read_table(path) for path in (to / "dataset/rows").glob("*.parquet")]
    assert sum(table.num_rows for table in tables) == 21
    texts = [text for table in tables for text in table["text"].to_pylist()]
    assert not any("Hafen" in text or "Too short" in text or "About" in text for text in texts)


def test_ours_says_why_the_others_went(run):
    _, to = run
    tables = [pq.read_table(path) for path in (to / "dataset/dropped").glob("*.parquet")]
    rows = [row for table in tables for row in table.to_pylist()]
    reasons = {Path(row["uri"]).name: row["reason"] for row in rows}
    assert reasons.keys() - {"again.txt", "good-7.txt"} == {"german.txt", "short.txt"}
    assert len(reasons) == 3
    assert "language" in reasons["german.txt"]


def test_ours_tells_each_steps_cost(run):
    said, _ = run
    steps = said["steps"]
    assert [*steps] == ["extract", "normalise", "language", "quality", "near_duplicates", "redact"]
    assert steps["extract"]["took"] == 24
    assert sum(step["dropped"] for step in steps.values()) == 3
    assert steps["near_duplicates"]["dropped"] == 1
    assert all(step["cpu"] >= 0 for step in steps.values())


def test_ours_leaves_no_address(run):
    _, to = run
    kept = b"".join(path.read_bytes() for path in (to / "dataset/rows").glob("*.parquet"))
    tables = [pq.read_table(path) for path in (to / "dataset/rows").glob("*.parquet")]
    texts = " ".join(text for table in tables for text in table["text"].to_pylist())
    assert "about the letter" in texts
    assert "maria.keller" not in texts
    assert b"maria.keller" not in kept


@pytest.mark.slow
def test_the_version_does_not_depend_on_the_number_of_processes(run, files, tmp_path):
    said, _ = run
    again = python("benchmarks.curate.ours", "careful", files, tmp_path / "out", 2)
    assert (again["version"], again["kept"]) == (said["version"], said["kept"])


@pytest.mark.slow
def test_the_tiers_are_two_recipes(run, files, tmp_path):
    said, _ = run
    fast = python("benchmarks.curate.ours", "fast", files, tmp_path / "out", 1)
    assert fast["kept"] == said["kept"]
    assert fast["version"] != said["version"]


def test_a_tier_that_there_is_not_ends_it(files, tmp_path):
    with Local(1) as engine, pytest.raises(KeyError, match="thorough"):
        ours.run("thorough", files, tmp_path / "out", engine)


def test_an_engine_is_a_number_of_processes():
    with ours.engine("3") as engine:
        assert isinstance(engine, Local)
    with pytest.raises(ValueError, match="many"):
        ours.engine("many")


@pytest.fixture
def pipeline(tmp_path):
    """Measures in a process of its own, as `metered` waits for every child; gives rows, and sides in turn."""

    def measure(peers, rounds, files):
        pages = tmp_path / "pages"
        for n in range(8):
            (pages / f"page-{n}").mkdir(parents=True)
            page = "</p><p>".join(prose(60 + n).split("\n\n"))
            (pages / f"page-{n}" / "source.html").write_text(
                f"<body><p>Home</p><div><p>{page}</p></div></body>"
            )
            (pages / f"page-{n}" / "expected.html").write_text(f"<p>{page}</p>")
        code = (
            "import json, sys; from pathlib import Path; import msgspec\n"
            "from benchmarks.curate import corpus, pipeline\n"
            "files, to, pages = map(Path, sys.argv[1:4])\n"
            "rows, runs = pipeline.measure(corpus.of(files), to, sys.argv[5:], int(sys.argv[4]), pages)\n"
            "print(json.dumps([msgspec.to_builtins(rows), [run.side for run in runs]]))"
        )
        command = [
            sys.executable,
            "-c",
            code,
            str(files),
            str(tmp_path / "to"),
            str(pages),
            str(rounds),
            *peers,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rows, sides = json.loads(done.stdout.splitlines()[-1])
        return {row["row"]: row for row in rows}, sides

    return measure


@pytest.mark.slow
def test_the_pipeline_runs_both_tiers_in_turn_without_peers(pipeline, files):
    rows, sides = pipeline([], 2, files)
    assert sides == ["careful", "fast"] * 2
    assert rows["careful: documents kept, of 24"]["value"] == 21
    assert rows["careful: one version in all rounds"]["holds"] is True
    assert rows["fast: one version in all rounds"]["holds"] is True
    assert rows["careful: documents per CPU-s"]["value"] > 0
    assert not [row for row in rows if "datatrove" in row]


needs_datatrove = pytest.mark.skipif(
    installed("datatrove") is None, reason=f"needs pip install {PEERS['datatrove']}"
)


@pytest.mark.slow
@needs_datatrove
def test_datatrove_takes_the_same_documents(pipeline, files):
    rows, sides = pipeline(["datatrove"], 1, files)
    assert sides == ["careful", "fast", "datatrove"]
    kept = rows["datatrove: documents kept, of 24"]["value"]
    assert abs(kept - 21) <= 1
    assert rows["careful: times datatrove"]["bar"] == ">= 5"
    assert rows["fast: times datatrove without its language step"]["value"] > 0
    (f1,) = [row["value"] for name, row in rows.items() if name.startswith("datatrove: F1 of extraction")]
    assert f1 > 0.9


@needs_datatrove
def test_datatroves_extractor_reads_pages():
    from benchmarks.curate.peers.datatrove_pipeline import extracted

    story = prose(80).replace("\n\n", "</p><p>")
    found, empty = extracted([f"<body><nav>Home</nav><article><p>{story}</p></article></body>", ""])
    assert found.split() == prose(80).split()
    assert empty == ""


@needs_datatrove
def test_the_language_step_keeps_one_language_and_counts_its_time():
    from datatrove.data import Document

    from benchmarks.curate.peers.datatrove_pipeline import Language

    step = Language("en")
    german = "Der Hafen ist still und der alte Mann wartet auf den Brief, der nie gekommen ist."
    assert step.filter(Document(text=prose(1), id="1")) is True
    assert step.filter(Document(text=german, id="2")) is False
    assert step.stats["cpu"].total > 0


def test_a_peer_is_installed_when_all_that_it_needs_is(monkeypatch):
    monkeypatch.setitem(PEERS, "whole", "msgspec numpy")
    monkeypatch.setitem(PEERS, "half", "msgspec no-such-package-anywhere")
    monkeypatch.setitem(PEERS, "none", "no-such-package-anywhere msgspec")
    import msgspec

    assert installed("whole") == msgspec.__version__
    assert installed("half") is None
    assert installed("none") is None
