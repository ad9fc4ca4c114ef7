"""Models on the command line."""

import pytest


@pytest.fixture
def champion(desk, ask_json):
    """The one model of a wheel that has turned."""
    return next(m for m in ask_json("models") if m["state"] == "serves")


def words(text):
    return " ".join(text.split())


def test_without_a_command_they_are_listed(champion, ask_json, flywheel):
    assert ask_json("models") == ask_json("models", "list")
    shown = words(flywheel("models").stdout)
    assert f"{champion['id'][:12]} route {champion['method']} serves" in shown


def test_no_models_are_said(bare, flywheel):
    (bare / "flywheel.yaml").write_text("name: none\nstore: wheel\ntasks: {route: {kind: label}}\n")
    assert "No models yet; teach one with: flywheel turn" in flywheel("models").stdout


def test_one_is_shown_with_its_figures_and_decisions(champion, flywheel, ask_json):
    shown = words(flywheel("models", "show", "route").stdout)
    assert f"{champion['name']} {champion['id'][:12]}: {champion['method']}" in shown
    assert "accuracy: yes; the first model" in shown
    assert f"flywheel why {champion['id'][:12]}" in shown
    assert ask_json("models", "show", "route")["manifest"]["task"] == "route"


def test_one_is_compared_with_itself(champion, flywheel):
    assert "It is one model" in flywheel("models", "diff", "route", champion["id"]).stdout


def test_one_goes_out_and_comes_in(champion, flywheel, ask_json, tmp_path):
    said = flywheel("models", "export", "route", "--to", str(tmp_path / "out")).stdout
    assert "flywheel models import" in said
    assert {"manifest.json", "README.md"} <= {p.name for p in (tmp_path / "out").iterdir()}
    assert ask_json("models", "import", str(tmp_path / "out"))["uri"].startswith("models/")
    assert "flywheel turn" in flywheel("models", "import", str(tmp_path / "out")).stdout
    shown = words(flywheel("models", "diff", "route", ask_json("models")[0]["id"]).stdout)
    assert "From " in shown or "It is one model" in shown


def test_what_cannot_be_done_is_told_in_a_line(champion, flywheel, tmp_path):
    (tmp_path / "there").mkdir()
    told = flywheel("models", "export", "route", "--to", str(tmp_path / "there"))
    assert told.exit_code == 2
    assert "is there already" in told.stderr
    told = flywheel("models", "import", str(tmp_path / "there"))
    assert "there is no model in" in told.stderr


def test_without_a_job_nothing_is_cancelled(champion, flywheel, ask_json):
    assert "No job is at work at a provider." in flywheel("models", "cancel").stdout
    assert ask_json("models", "cancel", "route") == []
