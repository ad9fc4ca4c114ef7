"""What the doctor finds."""

import os
import shutil

import pytest

from openflywheel.base.door import ROOMS
from openflywheel.base.nouns import Dataset, Row, Step
from openflywheel.store import Store
from openflywheel.store.lease import lease
from openflywheel.wheel import installation
from openflywheel.wheel.health import WHEN_OFF, examine

YAML = """\
name: desk
store: wheel
encoder: ngrams
tasks: {route: {kind: label}}
collect: [experts]
curate: [dedupe]
customize: [head]
evaluate: [accuracy]
guard: [pii]
serve: [cascade]
signals: [uncertainty]
study: [taught]
velocity: [bottleneck]
wheel: {budget: {labels: 2, holdout: 1}}
"""
HOLDOUT = Dataset(name="route-holdout", task="route", role="holdout", rows=(), recipe="")


@pytest.fixture
def file(tmp_path):
    """Settings in which nothing is wrong."""
    path = tmp_path / "flywheel.yaml"
    path.write_text(YAML)
    return path


@pytest.fixture
def store(tmp_path):
    """Its store, with a holdout."""
    opened = Store(tmp_path / "wheel")
    opened.append([HOLDOUT])
    yield opened
    opened.close()


def checks(file):
    return {check.name: check for check in examine(file)}


def wrong(file):
    return {check.name: (check.state, check.what) for check in examine(file) if check.state != "ok"}


def test_a_healthy_wheel(file, store):
    found = list(examine(file))
    names = ["python", "packages", "settings", "encoder", "disk", "store", "lock", "experts"]
    assert [(check.name, check.state) for check in found] == [(name, "ok") for name in names]


def test_what_is_not_ok_says_what_to_do(file, store):
    file.write_text("name: x\nstore: wheel\ntasks: {route: {kind: label}}\n")
    found = [check for check in examine(file) if check.state != "ok"]
    assert len(found) == len(ROOMS)
    assert all(check.remedy for check in found)


def test_a_store_that_is_not_there_is_not_made(file, tmp_path):
    assert checks(file)["store"].state == "ok"
    assert list(tmp_path.iterdir()) == [file]


def test_wrong_settings_are_shown_with_their_line(file):
    file.write_text(YAML.replace("velocity:", "velocty:"))
    assert wrong(file) == {
        "settings": ("error", f"{file}:13: there is no setting 'velocty'; did you mean 'velocity'?")
    }


def test_missing_settings_are_an_error(tmp_path):
    assert wrong(tmp_path / "no.yaml")["settings"][0] == "error"


def test_an_encoder_without_weights_is_an_error(file, tmp_path):
    file.write_text(YAML.replace("ngrams", str(tmp_path / "nowhere")))
    state, what = wrong(file)["encoder"]
    assert state == "error"
    assert "nowhere" in what


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_that_is_off_says_what_is_lost(room, file, store):
    file.write_text("\n".join(line for line in YAML.splitlines() if not line.startswith(f"{room}:")))
    assert wrong(file) == {room: ("warning", f"{room} is off: {WHEN_OFF[room]}")}
    assert checks(file)[room].remedy == f"choose from: flywheel plugins {room}"


def test_a_task_that_no_trainer_teaches_is_an_error(file, store, tmp_path, monkeypatch):
    (tmp_path / "stranger-1.0.dist-info").mkdir()
    (tmp_path / "stranger-1.0.dist-info" / "METADATA").write_text("Name: stranger\nVersion: 1.0\n")
    (tmp_path / "stranger-1.0.dist-info" / "entry_points.txt").write_text(
        "[openflywheel.customize]\nprose = of_prose_trainer:prose\n"
    )
    (tmp_path / "of_prose_trainer.py").write_text("KINDS = ('text',)\n\ndef prose(lesson): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    file.write_text(YAML.replace("[head]", "[prose]"))
    assert wrong(file) == {"task route": ("error", "no trainer among prose teaches the kind 'label'")}
    file.write_text(YAML.replace("[head]", "[prose, head]"))
    assert wrong(file) == {}


def test_a_kind_that_no_metric_judges_is_an_error(file):
    file.write_text(YAML.replace("kind: label", "kind: number"))
    assert wrong(file)["task route"] == (
        "error",
        "no metric among accuracy judges the kind 'number': any candidate passes",
    )


def test_a_store_that_cannot_be_opened_is_an_error(file, tmp_path):
    (tmp_path / "wheel").write_text("not a folder")
    assert wrong(file)["store"][0] == "error"


def test_a_store_elsewhere_is_refused_in_words(file):
    file.write_text(YAML.replace("store: wheel", "store: s3://bucket/wheel"))
    state, what = wrong(file)["store"]
    assert state == "error"
    assert "s3://bucket/wheel" in what


def test_a_wheel_that_somebody_turns_is_a_warning(file, store):
    with lease(store.path / "turn.lock", "x"):
        state, what = wrong(file)["lock"]
    assert state == "warning"
    assert what.startswith(f"the wheel 'desk' is held by process {os.getpid()}")
    assert "lock" not in wrong(file)


def test_a_failed_room_is_an_error_until_it_succeeds(file, store):
    store.append([Step(turn=0, room="curate", took=1, gave=0, error="ValueError: bad (x.py:3)")])
    assert wrong(file) == {"curate": ("error", "failed: ValueError: bad (x.py:3)")}
    assert checks(file)["curate"].remedy == "when it is repaired: flywheel turn --only curate"
    store.append([Step(turn=1, room="curate", took=1, gave=1)])
    assert wrong(file) == {}


def test_a_task_without_a_holdout_is_a_warning(file, store):
    file.write_text(YAML.replace("{route: {kind: label}}", "{route: {kind: label}, price: {kind: label}}"))
    assert wrong(file) == {
        "task price": ("warning", "no holdout yet, so no candidate can be compared with the champion")
    }


def test_a_task_that_is_taught_and_has_no_labelled_row_is_a_warning(file, store):
    store.append([Row(id="r", text="hello", source="files", role="train", labels={})])
    said = ("warning", "no row has a label of it, so nothing is taught")
    assert wrong(file) == {"task route": said}
    assert "label: team" in checks(file)["task route"].remedy
    store.append([Dataset(name="route-train", task="route", role="train", rows=("r",), recipe="")])
    assert wrong(file) == {}


def test_a_task_that_no_trainer_teaches_needs_no_labelled_row(file, store):
    store.append([Row(id="r", text="hello", source="files", role="train", labels={})])
    file.write_text(YAML.replace("customize: [head]\n", ""))
    assert set(wrong(file)) == {"customize"}


def test_experts_who_do_not_keep_up_are_a_warning(file, store):
    asked = [f"e{n}" for n in range(10)]
    store.experts.ask(asked[:9], task="route", why="doubt")
    assert wrong(file) == {}
    store.experts.ask(asked[9:], task="route", why="doubt")
    state, what = wrong(file)["experts"]
    assert (state, what) == ("warning", "10 questions are open, the oldest for 0.0 days")


def test_the_disk_is_that_of_the_nearest_folder_that_exists(tmp_path):
    check = installation.disk(tmp_path / "not" / "yet")
    assert check.what.endswith(f"GB free at {tmp_path}")
    assert check.state == ("ok" if shutil.disk_usage(tmp_path).free >= installation.LOW_DISK else "warning")


@pytest.mark.parametrize(
    ("low", "none", "state"), [(0, 0, "ok"), (1e30, 0, "warning"), (1e30, 1e30, "error")]
)
def test_little_room_is_a_warning_and_none_an_error(low, none, state, tmp_path, monkeypatch):
    monkeypatch.setattr(installation, "LOW_DISK", low)
    monkeypatch.setattr(installation, "NO_DISK", none)
    assert installation.disk(tmp_path).state == state


def test_every_library_that_is_declared_is_looked_for(monkeypatch):
    found = installation.packages()
    assert found.state == "ok"
    assert int(found.what.split()[0]) >= 10


def test_an_encoder_that_was_chosen_is_no_warning():
    assert installation.encoder("ngrams").state == "ok"


SERVE = "serve: [cascade]\n"
PROVIDERS = "up: {url: 'http://127.0.0.1:9/v1'}"


@pytest.mark.parametrize(
    ("serve", "name", "state", "said"),
    [
        ("serve: {cascade: {nobody: {least: 0.5}}}\n", "serve", "error", "there is no task 'nobody'"),
        ("serve: {cascade: {route: {error: 0.02, else: far/m}}}\n", "serve", "error", "names no provider"),
        ("serve: {gateway: {workers: 0}}\n", "serve", "error", "workers = 0"),
        ("serve: {cascade: {route: {error: 0.02}}}\n", "cascade", "warning", "nobody draws the sample"),
        (f"serve: {{providers: {{{PROVIDERS}}}}}\n", "providers", "warning", "up is the only provider"),
    ],
    ids=["no task", "no provider", "no worker", "no sample", "one provider"],
)
def test_the_gateways_tables_are_looked_at(file, serve, name, state, said):
    file.write_text(file.read_text().replace(SERVE, serve))
    found = checks(file)[name]
    assert (found.state, said in found.what) == (state, True)


def test_a_text_task_that_providers_answer_is_no_error(file):
    text = file.read_text().replace("tasks: {", "tasks: {answer: {kind: text}, ")
    file.write_text(text)
    assert checks(file)["task answer"].state == "error"
    routes = (
        f"serve: {{providers: {{{PROVIDERS}}}, routes: {{answer: {{variants: {{a: {{model: up/m}}}}}}}}}}\n"
    )
    file.write_text(text.replace(SERVE, routes))
    assert checks(file)["task answer"].state == "warning"
