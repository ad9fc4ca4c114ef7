"""`flywheel collect`: real sources, from the command line."""

import json

import pytest

HEAD = "name: desk\nstore: wheel\nencoder: ngrams\n"
TEXT = HEAD + "tasks: {{answer: {{kind: text}}{more}}}\ncollect: {collect}\n"
FILES = "{files: {path: help.jsonl, basis: no_personal_data}}"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Write the settings of a flywheel into the working folder, and a file that it can read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "help.jsonl").write_text('{"text": "Bring it to a shop."}\n{"text": ""}\n')

    def write(collect=FILES, more=""):
        (tmp_path / "flywheel.yaml").write_text(TEXT.format(collect=collect, more=more))

    write()
    return write


def test_it_fetches_what_the_gaps_ask_for(wheel, flywheel):
    found = json.loads(flywheel("collect", "--json").stdout)
    assert [(s["room"], s["gave"], s["dropped"]) for s in found] == [("collect", 1, {"no text": 1})]
    assert "stored already" not in flywheel("collect").stdout  # the file did not change, it is not read again


def test_words_write_a_gap_first(wheel, flywheel):
    flywheel("collect")
    [step] = json.loads(flywheel("collect", "old", "batteries", "--json").stdout)
    assert step["took"] == 1


def test_words_need_a_task_where_there_are_several(wheel, flywheel):
    wheel(more=", route: {kind: label}")
    refused = flywheel("collect", "old", "batteries")
    assert refused.exit_code == 2
    assert "there are several tasks; choose one with --task: answer, route" in refused.stderr
    assert flywheel("collect", "old", "batteries", "--task", "answer").exit_code == 0


def test_a_check_tells_which_source_does_not_answer(wheel, flywheel):
    assert flywheel("collect", "--check").stdout == "files: fine\n"
    wheel("{files: {path: nowhere.jsonl, basis: no_personal_data}}")
    broken = flywheel("collect", "--check")
    assert broken.exit_code == 1
    assert "files: " in broken.stdout
    assert "nowhere.jsonl" in broken.stdout


def test_a_dry_run_tells_what_would_be_read_and_keeps_nothing(wheel, flywheel):
    shown = flywheel("collect", "--dry-run").stdout
    assert "in all" in shown
    [planned] = json.loads(flywheel("collect", "--dry-run", "--json").stdout)
    assert (planned["source"], planned["gap"], planned["stream"]["dollars"]) == ("files", "answer", 0.0)
    [step] = json.loads(flywheel("collect", "--json").stdout)
    assert step["gave"] == 1  # the gap is still there


def test_a_source_without_a_legal_basis_is_refused(wheel, flywheel):
    wheel("{files: {path: help.jsonl}}")
    refused = flywheel("collect")
    assert refused.exit_code == 2
    assert "flywheel.yaml:5: collect.files needs the setting 'basis'; choices: consent, " in refused.stderr


def test_no_source_knows_a_url_without_a_crawl(wheel, flywheel):
    assert "none knows" in flywheel("collect", "--explain", "https://example.com/").stdout
