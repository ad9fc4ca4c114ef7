"""The crawl benchmark's own parts; its figures are in benchmarks/README.md."""

import subprocess
import sys
from urllib.request import urlopen

import pytest

from benchmarks.crawl import kill, speed
from benchmarks.crawl.peers import PEERS, installed
from benchmarks.crawl.runs import Run, run
from benchmarks.crawl.site import FOLDERS, MadeUp, documentation, words


def test_medians_ranges_and_ratios_are_of_the_rounds():
    speeds = {"openflywheel": (200, 300, 100), "scrapy": (40, 50, 10)}
    runs = [
        Run(crawler=name, pages=speeds[name][n], cpu=1.0, memory=50.0 + n)
        for n in range(3)
        for name in speeds
    ]
    found = {row.row: row for row in speed.rows(runs, list(speeds))}
    ours = found["pages per CPU-second, openflywheel"]
    assert (ours.value, ours.interval, ours.holds) == (200, (100, 300), True)
    assert found["pages per CPU-second, scrapy"].holds is None
    assert found["times Scrapy's speed"].value == 6  # of 5, 6 and 10
    assert found["peak RSS, scrapy"].value == 51


def test_without_scrapy_there_is_no_ratio():
    rows = speed.rows([Run(crawler="openflywheel", pages=1, cpu=1.0, memory=1.0)], ["openflywheel"])
    assert "times Scrapy's speed" not in {row.row for row in rows}
    assert rows[0].holds is False


def test_the_manuals_are_served_behind_one_start(tmp_path):
    for where in FOLDERS.values():
        (tmp_path / "doc" / where).mkdir(parents=True)
        (tmp_path / "doc" / where / "index.html").write_text(f"<title>{where}</title>")
    with documentation(tmp_path / "doc", tmp_path / "site") as url:
        start = urlopen(url).read().decode()
        assert all(name in start for name in FOLDERS)
        assert b"sqlite3" in urlopen(url + "2/index.html").read()


def test_missing_manuals_end_it_with_the_commands_that_bring_them(tmp_path):
    with pytest.raises(SystemExit, match="apt-get download"), documentation(tmp_path, tmp_path / "site"):
        pass


def test_made_up_pages_are_logged():
    with MadeUp(lambda path: "<p>here" if path == "/" else None) as site:
        assert urlopen(site.url).read() == b"<p>here"
        assert site.asked == {"/": 1}


def test_words_are_letters_and_differ():
    assert words(907) == "jah"
    assert len({words(n) for n in range(500)}) == 500


@pytest.mark.parametrize("path", ["/x", "/2000", "/99999", "/robots.txt"])
def test_the_site_for_kills_has_so_many_pages_and_no_more(path):
    assert kill.page(path) is None
    assert kill.page("/1999")
    assert kill.page("/")


def test_ours_runs_in_a_process_and_is_measured(tmp_path):
    with MadeUp(kill.page) as site:
        done = run("openflywheel", "benchmarks.crawl.ours", site.url, tmp_path / "run", 40)
    assert done.pages == 40
    assert 0 < done.cpu < 60
    assert done.memory > 20  # no upper bound: after exec a child's peak is not below its parent's size
    assert len((tmp_path / "run" / "kept").read_text().splitlines()) == 40


def test_a_crawler_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"no_such_module"):
        run("x", "no_such_module", "http://127.0.0.1:1/", tmp_path / "run", 1)


def test_a_frontier_of_a_thousand_urls_is_filled_by_a_few_pages(tmp_path):
    """In a process of its own: after exec a child's peak is not below its parent's size, here all tests'."""
    measure = "from benchmarks.crawl import memory; from pathlib import Path; import sys; "
    measure += "row, cpu = memory.measure(Path(sys.argv[1]), 1_000); print(row.row, row.holds, cpu.value > 0)"
    command = [sys.executable, "-c", measure, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["peak RSS, 1,000 URLs in the frontier True True"], done.stderr


def test_peers_that_are_not_there_are_skipped_by_name():
    missing = [peer for peer in PEERS if not installed(peer)]
    command = [sys.executable, "-m", "benchmarks.crawl", "--only", "memory", "--urls", "400"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"skipped: {peer} is not installed" in done.stderr for peer in missing)
