import numpy as np
import pytest

from benchmarks.customize import retriever as benchmark

PAGE = """---
title: Maintenance
---

## Space quota

{quota}

### Short

too short

## Snapshots

{snapshot}
"""


def pages(folder):
    for name in ("upgrade_3_3", "upgrade_3_4"):
        text = PAGE.format(quota=f"{name} quota " * 20, snapshot=f"{name} snapshot " * 20)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_a_heading_asks_for_its_text_and_short_sections_are_no_answer(tmp_path):
    found = list(benchmark._sections(pages(tmp_path)))
    assert [question for _, question, _ in found] == [
        "Maintenance: Space quota",
        "Maintenance: Snapshots",
    ] * 2
    assert all("##" not in text and len(text) >= benchmark.SHORTEST for _, _, text in found)


def test_versions_of_a_page_stay_together(tmp_path):
    assert {group for group, _, _ in benchmark._sections(pages(tmp_path))} == {"upgrade"}


def test_evidence_that_is_not_right_has_no_question(tmp_path):
    for folder, file, rows in (
        ("answer_generation", "train", "A\tq1\tc1\n"),
        ("answer_generation", "dev", "B\tq2\tc2\n"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{file}.csv").write_text(f"ASIN\tquestion\tcandidate\n{rows}")
    (tmp_path / "evidence_ranking").mkdir()
    ranked = "ASIN\tquestion\tcandidate\tlabel\nC\tq3\tc3\t1\nC\tq3\tc4\t0\n"
    (tmp_path / "evidence_ranking" / "dev.csv").write_text(ranked)
    found = list(benchmark._evidence(tmp_path))
    assert found == [("A", "q1", "c1"), ("B", "q2", "c2"), ("C", "q3", "c3"), ("C", "", "c4")]


def test_parts_are_drawn_by_group_in_their_shares():
    parts = [benchmark._part(str(group)) for group in range(4_000)]
    assert parts.count("held out") / 4_000 == pytest.approx(0.25, abs=0.03)
    assert parts.count("choosing") / 4_000 == pytest.approx(0.10, abs=0.02)
    assert parts == [benchmark._part(str(group)) for group in range(4_000)]


def test_the_interval_is_wider_where_questions_come_in_groups():
    gained = np.repeat(np.random.default_rng(0).normal(0.05, 0.1, 40), 10)
    alone = benchmark._interval(gained, [str(i) for i in range(400)])
    together = benchmark._interval(gained, [str(i // 10) for i in range(400)])
    assert alone[0] < gained.mean() < alone[1]
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_a_frozen_and_a_tuned_encoder_are_measured_and_held_to_the_same_bar(monkeypatch):
    trial = benchmark.Trial("etcd", None, None, ["a", "a", "b"], [""] * 3, [set()] * 3, [0.5] * 3, None)
    figures = {(False, 0): 0.52, (False, 1): 0.54, (True, 0): 0.6}
    monkeypatch.setattr(benchmark, "_ran", lambda trial, seed, lora: ([figures[lora, seed]] * 3, 1.0 + seed))
    frozen, tuned = benchmark._taught(trial, 2, lora=False), benchmark._taught(trial, 1, lora=True)
    assert [row.value for row in frozen] == pytest.approx([0.53, 3, 2])
    assert [row.holds for row in frozen] == [None, False, None]
    assert [row.value for row in tuned] == pytest.approx([0.6, 10, 1])
    assert [row.holds for row in tuned] == [None, True, None]
    assert tuned[1].interval == pytest.approx((10, 10))


def test_missing_data_is_said(tmp_path):
    rows = benchmark.measure(tmp_path, tmp_path, 1)
    assert [row.value for row in rows] == [None, None]
    assert all(row.unit.startswith("skipped: ") and row.holds is None for row in rows)
