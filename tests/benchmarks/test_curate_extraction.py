"""The extraction benchmark: means, intervals, ratios within rounds, and peers that are missing."""

import statistics
import sys

import pytest

from benchmarks.curate import extraction
from benchmarks.curate.pages import HELD_OUT, TUNING, Example, articles

PAGES = [
    Example(str(n), b"", f"<p>{text}</p>") for n, text in enumerate(["one two", "three four", "five six"])
]
RIGHT = ["one two", "three four", "five six"]


def says(*texts):
    """A way of extraction that says so, whatever the page."""
    return lambda pages: list(texts)


@pytest.fixture
def rounds(monkeypatch):
    """Each way takes its next number of CPU-seconds."""
    monkeypatch.setattr(extraction, "_cpu", lambda way, pages: next(way))


def test_the_mean_is_over_pages_with_precision_and_recall():
    ways = {
        "ours": says("one two", "three four", ""),
        "ours, fast": says("one", "three", "five six seven eight"),
    }
    rows = extraction.quality(PAGES, ways)
    assert [row.value for row in rows] == pytest.approx([2 / 3, (2 / 3 * 3) / 3])
    assert rows[0].row == "ours (P 0.667, R 0.667)"
    assert rows[1].row == "ours, fast (P 0.833, R 0.667)"
    assert {row.holds for row in rows} == {None}  # no peer, no bar


def test_what_is_gained_is_of_the_same_pages_with_its_interval():
    ways = {
        "ours": says(*RIGHT), "ours, fast": says("", "", ""), "trafilatura": says("one two", "", "five six")
    }  # fmt: skip
    gains = {row.row: row for row in extraction.quality(PAGES, ways)}
    ours, fast = (gains[f"{name}: F1 above trafilatura's, 3 pages"] for name in ("ours", "ours, fast"))
    assert (ours.value, ours.bar, ours.holds) == (pytest.approx(1 / 3), ">= -0.005", True)
    assert (fast.value, fast.holds) == (pytest.approx(-2 / 3), False)
    assert ours.interval[0] == 0
    assert ours.interval[1] == pytest.approx(1)


@pytest.mark.parametrize(("lost", "holds"), [(0.004, True), (0.006, False)])
def test_a_little_may_be_lost_but_no_more(lost, holds):
    """A thousand words, of which so many a thousand are missing: F1 is lower by about half of that."""
    words = [f"w{n}" for n in range(1_000)]
    page = Example("long", b"", f"<p>{' '.join(words)}</p>")
    less = " ".join(words[: 1_000 - round(2_000 * lost)])
    ways = {"ours": says(less), "ours, fast": says(less), "trafilatura": says(" ".join(words))}
    *_, ours, fast = extraction.quality([page], ways)
    assert (ours.holds, fast.holds) == (holds, holds)


def test_the_interval_is_of_resampled_means():
    values = [0.0, 1.0] * 100
    low, high = extraction._interval(values)
    error = statistics.pstdev(values) / 200**0.5
    assert low == pytest.approx(0.5 - 1.96 * error, abs=0.01)
    assert high == pytest.approx(0.5 + 1.96 * error, abs=0.01)
    assert extraction._interval(values) == (low, high)
    assert extraction._interval([0.25] * 9) == (0.25, 0.25)


def test_ratios_are_taken_within_each_round(rounds):
    ways = {
        "ours": iter([1, 2, 4]), "ours, fast": iter([0.5, 1, 1]),
        "trafilatura": iter([8, 6, 16]), "resiliparse": iter([1, 1, 1]),
    }  # fmt: skip
    rows = {row.row: row for row in extraction.speed(PAGES, ways, 3)}
    careful = rows["ours: times trafilatura"]
    assert (careful.value, careful.interval) == (4, (3, 8))  # of 8, 3 and 4
    assert (careful.bar, careful.holds) == (">= 3", True)
    assert rows["ours, fast: times trafilatura"].value == 16
    assert rows["ours: times resiliparse"].value == 0.5
    assert rows["ours: times resiliparse"].bar is None
    assert rows["ours: pages per CPU-s"].value == 1.5
    assert rows["ours: pages per CPU-s"].interval == (0.75, 3)


@pytest.mark.parametrize(("seconds", "holds"), [(3, True), (2.9, False)])
def test_three_times_trafilatura_is_the_bar(rounds, seconds, holds):
    ways = {"ours": iter([1]), "ours, fast": iter([1]), "trafilatura": iter([seconds])}
    rows = {row.row: row.holds for row in extraction.speed(PAGES, ways, 1)}
    assert rows["ours: times trafilatura"] is holds


def test_without_a_peer_there_is_a_row_that_says_what_to_install(monkeypatch):
    for module in ("trafilatura", "resiliparse"):
        monkeypatch.setitem(sys.modules, module, None)
    there, missing = extraction.peers()
    assert there == {}
    names = ("trafilatura", "trafilatura without comments", "trafilatura fast", "resiliparse")
    for row, name, package in zip(missing, names, ("trafilatura",) * 3 + ("resiliparse",), strict=True):
        assert row.row.startswith(f"{name}: not installed: pip install {package}")
    assert all(row.value is None and row.holds is None for row in missing)


@pytest.fixture
def data(tmp_path):
    """Twelve pages with a menu, a story and comments."""
    for n in range(12):
        story = f"It was the {n}th night of a long journey, and nobody in the house had slept at all. " * 5
        (tmp_path / f"page-{n}").mkdir()
        (tmp_path / f"page-{n}" / "source.html").write_text(
            "<body><nav><a href=/>Home</a><a href=/a>About</a></nav>"
            f"<article><h1>Night</h1><p>{story}</p><p>{story}</p></article>"
            "<div id=comments><p>user1, 2 May</p><p>Nice one</p></div><footer>Imprint</footer></body>"
        )
        (tmp_path / f"page-{n}" / "expected.html").write_text(f"<h1>Night</h1><p>{story}</p><p>{story}</p>")
    return tmp_path


def test_it_runs_on_pages_without_any_peer(data, monkeypatch):
    for module in ("trafilatura", "resiliparse"):
        monkeypatch.setitem(sys.modules, module, None)
    for half in (TUNING, HELD_OUT):
        assert articles(half, data)
        rows = extraction.measure(data, rounds=1, half=half)
        scores = {row.row.partition(" (")[0]: row.value for row in rows}
        assert scores["ours"] > 0.9
        assert scores["ours, fast"] > 0.9
        assert scores["ours: pages per CPU-s"] > 0
        assert scores["trafilatura: not installed: pip install trafilatura"] is None
        assert not any(row.holds is False for row in rows)


def test_a_page_is_decoded_once_and_mended():
    page = Example("a page of this test alone", b"caf\xe9", "")
    assert extraction._text(page) == "caf�"
    assert extraction._text(page) is extraction._text(page)


def test_trafilatura_reads_the_same_pages(data):
    pytest.importorskip("trafilatura")
    pages = articles(TUNING, data)
    there, _ = extraction.peers()
    for name in ("trafilatura", "trafilatura without comments", "trafilatura fast"):
        assert all("nobody in the house" in text for text in there[name](pages))


def test_resiliparse_reads_the_same_pages(data):
    pytest.importorskip("resiliparse.extract.html2text")
    there, _ = extraction.peers()
    assert all("nobody in the house" in text for text in there["resiliparse"](articles(TUNING, data)))
