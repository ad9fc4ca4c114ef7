"""The benchmark of the single steps, in small; its figures are in benchmarks/README.md."""

import csv
import gzip
import json

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.curate import steps as bench
from openflywheel.curate._whole import settled
from openflywheel.curate.dedupe import dedupe

ENGLISH = "Water the plants in the morning, when the soil is still cool and the sun is low. " * 8
GERMAN = "Die Pflanzen werden am Morgen gegossen, wenn die Erde noch kühl ist und die Sonne tief steht. " * 8
PRIVATE = f"{ENGLISH}\nWrite to jo@example.com or to ann.lee@example.org.\n{ENGLISH}"
DAMAGED = f"{ENGLISH} Itâ€™s a sunny day."
TEXTS = [ENGLISH, GERMAN, PRIVATE, DAMAGED]
HOLDOUT = [" ".join(ENGLISH.split()[:20]), "is it sunny"]
NAMES = {
    *("mojibake", "ftfy", "normalise", "language", "py3langid", "words", "quality", "toxicity", "redact"),
    *("the guards on every text", "decontaminate", "enrich", "chunk"),
    *("dedupe, sketch", "near_duplicates, sketch"),
}


def dialogue(answer):
    return f"\n\nHuman: you idiot, answer me{bench.TURN} Gladly.\n\nHuman: well?{bench.TURN} {answer}"


@pytest.fixture
def pairs(tmp_path):
    """Four pairs: in two the rejected answer swears more, in one the chosen one, in one nobody does."""
    answers = [
        ("I would rather not say.", "Fuck off, asshole."),
        ("You are an asshole, but here is what you asked for.", "Asshole, asshole, asshole!"),
        ("No, asshole.", "No, thank you."),
        ("Yes, of course.", "No, never."),
    ]
    path = tmp_path / "hh_rlhf/harmless-base-test.jsonl.gz"
    path.parent.mkdir()
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for chosen, rejected in answers:
            file.write(json.dumps({"chosen": dialogue(chosen), "rejected": dialogue(rejected)}) + "\n")
    return path


def values(rows):
    return {row.row: row.value for row in rows}


def test_documents_are_rows_that_quality_judges():
    table = bench.records(["Too short.", ENGLISH])
    assert table["drop"].to_pylist() == [None, None]
    judged = bench.works(table, HOLDOUT, bench.Path())["quality"]()
    assert judged["drop"].to_pylist()[0].startswith("gopher")


def test_every_work_does_what_its_step_does(tmp_path):
    table = bench.records(TEXTS)
    works = bench.works(table, HOLDOUT, tmp_path)
    assert set(works) == NAMES
    assert works["mojibake"]()["text"].to_pylist()[3].endswith("It’s a sunny day.")  # noqa: RUF001
    assert works["ftfy"]()[3] == works["mojibake"]()["text"].to_pylist()[3]
    assert works["language"]()["meta.lang"].to_pylist() == ["en", "de", "en", "en"]
    assert [name for name, _ in works["py3langid"]()] == ["en", "de", "en", "en"]
    assert len(works["words"]().offsets) == 5
    for name in ("redact", "the guards on every text"):
        assert "<email>" in works[name]()["text"].to_pylist()[2]
    assert [drop is None for drop in works["decontaminate"]()["drop"].to_pylist()] == [
        False,
        True,
        False,
        False,
    ]
    assert works["enrich"]()["meta.keywords"].null_count == 0
    assert works["chunk"]().num_rows >= 4
    assert works["near_duplicates, sketch"]().num_rows == works["dedupe, sketch"]().num_rows == 4
    assert not (tmp_path / "vault.db").exists()


def test_the_sketch_of_dedupe_is_that_of_the_step(tmp_path):
    table = bench.records([ENGLISH, ENGLISH.upper()])
    sketch = bench.works(table, HOLDOUT, tmp_path)["dedupe, sketch"]()
    assert sketch["keys"][0] == sketch["keys"][1]
    assert settled(dedupe(), table)["drop"].null_count == 1


def test_costs_are_of_every_work_and_ratios_of_a_round(tmp_path, monkeypatch):
    took = {"mojibake": 1.0, "ftfy": 4.0, "language": 2.0, "py3langid": 5.0, "words": 0.5}
    names = {work: name for name, work in bench.works(bench.records(TEXTS), HOLDOUT, tmp_path).items()}
    monkeypatch.setattr(bench, "works", lambda *_: {name: work for work, name in names.items()})
    monkeypatch.setattr(bench, "_cpu", lambda work: took.get(names[work], 1.0))
    table = bench.records(TEXTS)
    rows = {row.row: row for row in bench.costs(table, HOLDOUT, tmp_path, rounds=2)}
    size = sum(len(text.encode()) for text in TEXTS) / 1e6
    assert rows["documents"].value == 4
    assert rows["documents"].unit == f"of together {size:.2f} MB"
    assert {name.removeprefix("CPU-s: ") for name in rows if name.startswith("CPU-s: ")} == NAMES
    assert rows["CPU-s: language"].interval == (2, 2)
    assert rows["MB per CPU-s: language"].value == pytest.approx(size / 2)
    assert rows["characters per CPU-s: words"].value == pytest.approx(sum(map(len, TEXTS)) / 0.5 / 1e6)
    assert rows["mojibake: times ftfy"].value == 4
    assert rows["language: times py3langid"].value == 2.5
    assert rows["redact: times the guards on every text"].value == 1


def test_of_several_rounds_the_median_is_shown_with_the_lowest_and_the_highest():
    row = bench._spread("CPU-s: chunk", [3.0, 1.0, 1.5], "s")
    assert (row.value, row.interval, row.bar) == (1.5, (1.0, 3.0), None)


def test_time_is_that_of_the_work():
    done = []
    assert bench._cpu(lambda: done.append(1)) >= 0
    assert done == [1]


def test_the_guards_without_hints_are_asked_about_every_text(tmp_path):
    assert bench.detect().hints is not None
    text, said = bench.detect()(PRIVATE)
    assert "jo@example.com" not in text
    assert sum(verdict.n for verdict in said) == 2


def test_languages_are_those_of_py3langid():
    same, apart = bench.languages(pa.chunked_array([[*TEXTS, "", "a", "GROSSE FREUDE"]]))
    assert (same.value, same.unit, same.holds) == (1, "of 7", True)
    assert apart.value < 1e-4


def test_another_language_than_py3langids_is_seen(monkeypatch):
    monkeypatch.setattr(bench, "identified", lambda texts: (["en"] * len(texts), np.ones(len(texts))))
    same, apart = bench.languages(pa.chunked_array([[ENGLISH, GERMAN]]))
    assert (same.value, same.holds) == (0.5, False)
    assert apart.value < 1


def test_redacted_texts_are_those_of_the_guards_alone(tmp_path, monkeypatch):
    row = bench.redacted(bench.records(TEXTS), tmp_path)
    assert (row.value, row.unit, row.holds) == (1, "(1 changed)", True)
    blind = bench.detect()
    blind.hints = type(blind.hints)(("nowhere",), ())
    drawn = iter([bench.detect(), blind])  # the first is the one without hints
    monkeypatch.setattr(bench, "detect", lambda: next(drawn))
    row = bench.redacted(bench.records(TEXTS), tmp_path)
    assert (row.value, row.holds) == (0.75, False)


def test_of_a_dialogue_the_last_answer_counts():
    found = bench.shares([dialogue("Good morning to you."), dialogue("You asshole."), "asshole"])
    assert found.tolist() == [0, 0.5, 1]


def test_rejected_answers_are_held_against_chosen_ones(pairs):
    found = {row.row: row for row in bench.flagged(bench.records(TEXTS), pairs)}
    assert found["toxicity: rejected answers with a flagged word"].value == 0.5
    assert found["toxicity: chosen answers with a flagged word"].value == 0.5
    assert found["toxicity: pairs whose shares differ"].value == 0.75
    more = found["toxicity: of these, the rejected one has more"]
    assert (more.value, more.unit) == (2 / 3, "of 3")
    assert found["toxicity: documents dropped"].value == 0


def test_documents_full_of_such_words_are_counted(pairs):
    rows = values(bench.flagged(bench.records([ENGLISH, "asshole " * 10]), pairs))
    assert rows["toxicity: documents dropped"] == 1


@pytest.mark.slow
def test_every_part_has_its_rows(pairs, tmp_path):
    data, manuals = pairs.parents[1], tmp_path / "manuals"
    (data / "docs_etcd").mkdir()
    (data / "docs_etcd/a.md").write_text(ENGLISH)
    page = manuals / "sqlite3/a.html"
    page.parent.mkdir(parents=True)
    page.write_text(f"<style>p {{}}</style><p>{GERMAN}</p><p>{PRIVATE}</p>")
    (data / "banking77").mkdir()
    with (data / "banking77/train.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "category"), ("is it sunny today", "weather")])
    rows = bench.measure(data, manuals, tmp_path, rounds=1, size=2)
    assert (
        len({row.row for row in rows}) == len(rows) == 1 + 2 * len(NAMES) + 1 + len(bench.SPARED) + 2 + 1 + 5
    )
    assert values(rows)["documents"] == 2
    assert all(row.holds is not False for row in rows)
    assert all(low <= row.value <= high for row in rows if row.interval for low, high in [row.interval])
