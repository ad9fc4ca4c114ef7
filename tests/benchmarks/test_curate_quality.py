"""The quality benchmark's own parts: which texts, whose verdicts, and how agreement and speed are counted."""

import random

import numpy as np
import pytest
from sentences import prose

from benchmarks.curate import quality
from benchmarks.curate.damage import KINDS
from benchmarks.curate.quality import Judged
from openflywheel.curate.quality import ALL

PROSE = prose(0)


def judged(rule, drops, cpu=1.0):
    return Judged({rule: np.array(drops, bool)}, cpu)


def test_agreement_counts_texts_of_all_parts():
    parts = [
        (4, judged("c4", [1, 1, 0, 0]), judged("c4", [1, 0, 0, 0])),
        (2, judged("c4", [0, 1]), judged("c4", [0, 1])),
    ]
    whole, kept, dropped = quality.agreement("c4", parts)
    assert (whole.value, whole.unit, whole.bar, whole.holds) == (5 / 6, "of 6", ">= 0.97", False)
    assert (kept.row, kept.value, kept.unit) == ("c4: agreement where datatrove has kept", 3 / 4, "of 4")
    assert (dropped.value, dropped.unit, dropped.holds) == (1, "of 2", None)
    assert whole.interval[0] < 5 / 6 < whole.interval[1]


@pytest.mark.parametrize(("wrong", "holds"), [(3, True), (4, False)])
def test_97_of_a_hundred_are_enough(wrong, holds):
    theirs = [n < 50 for n in range(100)]
    mine = [drop != (n < wrong) for n, drop in enumerate(theirs)]
    row, *_ = quality.agreement("gopher", [(100, judged("gopher", mine), judged("gopher", theirs))])
    assert row.holds is holds


def test_where_datatrove_has_dropped_nothing_there_is_no_figure():
    part = (3, judged("c4", [0, 0, 1]), judged("c4", [0, 0, 0]))
    _, kept, dropped = quality.agreement("c4", [part])
    assert kept.value == pytest.approx(2 / 3)
    assert (dropped.value, dropped.unit, dropped.interval) == (None, "of 0", (0, 1))


def test_speed_is_the_median_of_the_parts_and_ratios_are_within_them():
    parts = [
        (10, judged("c4", [], 1), judged("c4", [], 12)),
        (12, judged("c4", [], 2), judged("c4", [], 16)),
        (20, judged("c4", [], 1), judged("c4", [], 30)),
    ]
    ours, theirs, times = quality.speed(parts)
    assert (ours.value, ours.interval) == (10, (6, 20))
    assert theirs.value == pytest.approx(0.75)
    assert (times.value, times.interval, times.bar, times.holds) == (12, (8, 30), ">= 10", True)


def test_slower_than_ten_times_misses_the_bar():
    *_, times = quality.speed([(10, judged("c4", [], 1), judged("c4", [], 9.9))])
    assert times.holds is False


def test_pages_become_text_with_lines_for_blocks(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<html><head><title>No</title></head><body><header>Top</header><!-- no --><script>no()</script>"
        "<p>One <b>bold</b> &amp; &lt;plain&gt;</p><P>Two</P>\n\n\n\n<div>Three</div></body></html>"
    )
    assert quality.plain(page) == "Top\nOne bold & <plain>\n\nTwo\n\nThree"


def test_markdown_is_left_as_it_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<b>kept</b> &amp;\n")
    assert quality.plain(page) == "# Title\n\n<b>kept</b> &amp;\n"


@pytest.fixture
def folders(tmp_path):
    """Sixty short texts of our own and a manual."""
    data, manuals = tmp_path / "data", tmp_path / "doc"
    for folder in (data / "docs_etcd", manuals / "sqlite3"):
        folder.mkdir(parents=True)
    for n in range(60):
        (data / "docs_etcd" / f"{n}.md").write_text(f"Document {n}. {PROSE}")
        (manuals / "sqlite3" / f"{n}.html").write_text(f"<p>Manual {n}.</p><p>{PROSE}</p>")
    (data / "docs_etcd" / "filing.md").write_text("long " * 30_000)
    return data, manuals


def numbers(texts):
    """Which documents the undamaged ones are."""
    return {" ".join(t.split()[:2]) for t in texts if " ".join(PROSE.split()) in " ".join(t.split())}


def test_half_of_the_texts_are_held_out_and_six_of_ten_come_damaged_too(folders):
    texts = quality.sample(*folders, 121)
    whole = numbers(texts)
    assert 40 < len(whole) < 80  # half of 120
    assert 0.4 < (len(texts) - len(whole)) / len(whole) < 0.8
    assert max(map(len, texts)) < quality.LONGEST
    assert numbers(quality.sample(*folders, 121)) == whole


def test_the_sample_is_the_same_every_time(folders):
    assert quality.sample(*folders, 80) == quality.sample(*folders, 80)


def test_a_name_is_held_out_by_its_hash_alone():
    held_out = [name for name in map(str, range(1_000)) if quality._held_out(name)]
    assert 450 < len(held_out) < 550
    assert quality._held_out("gold/001") is quality._held_out("gold/001")


def test_damage_gives_every_rule_something_to_keep_and_to_drop():
    texts = [kind(prose(seed), random.Random(seed)) for kind in KINDS for seed in range(12)]
    found = quality.ours([PROSE, *texts])
    assert set(found.verdicts) == set(ALL)
    assert found.cpu > 0
    for rule, dropped in found.verdicts.items():
        assert len(dropped) == len(texts) + 1
        assert not dropped[0], rule
        assert 0 < dropped.sum() < len(dropped), rule


def test_a_verdict_is_of_its_text_alone():
    texts = [PROSE, "too short", "{ " + PROSE, "\n".join(["The same line again and again."] * 30)]
    together = quality.ours(texts).verdicts
    for n, text in enumerate(texts):
        alone = quality.ours([text]).verdicts
        assert {rule: mask[0] for rule, mask in alone.items()} == {r: m[n] for r, m in together.items()}
    assert together["gopher"].tolist()[:2] == [False, True]
    assert together["c4"].tolist()[:3] == [False, True, True]
    assert together["repetition"][3]


def test_without_datatrove_the_row_says_what_to_install(folders, monkeypatch):
    monkeypatch.setitem(quality.__dict__, "theirs", _missing)
    (row,) = quality.measure(*folders, rounds=1, size=20)
    assert row.row.startswith("times datatrove: not installed: pip install datatrove spacy nltk (No module")
    assert (row.value, row.bar, row.holds) == (None, ">= 10", None)


def _missing(texts):
    raise ModuleNotFoundError("No module named 'datatrove'")


@pytest.mark.slow
def test_beside_datatrove_all_rows_are_there(folders):
    for module in ("datatrove", "spacy", "nltk"):
        pytest.importorskip(module)
    rows = {row.row: row for row in quality.measure(*folders, rounds=2, size=60)}
    for rule in ALL:
        assert rows[f"{rule}: agreement"].value > 0.9
    assert rows["times datatrove's four filters"].value > 0
