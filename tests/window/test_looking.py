"""What the map, the status, the readings and the provenance show to people."""

from contextlib import closing

from openflywheel.base.door import ROOMS
from openflywheel.base.nouns import Model, Verdict
from openflywheel.base.quarantine import QUARANTINE
from openflywheel.store import Store


def test_the_map_shows_the_rooms_in_loop_order(desk, flywheel):
    lines = flywheel("map").stdout.splitlines()
    assert lines[:2] == ["my-flywheel: turn 1", ""]
    assert [line[4:].split()[0] for line in lines[2:]] == list(ROOMS)
    assert [line[:3].strip() for line in lines[2:]] == ["┌─▶", *"│" * 6, "└──", ""]
    assert "Gap → Record" in lines[2]


def test_the_map_counts_what_waits(desk, flywheel, ask_json):
    assert {room["room"]: room["waits"] for room in ask_json("map")["rooms"]} == dict.fromkeys(ROOMS, 0)
    for text in ("one", "two"):
        flywheel("ask", "route", text)
    assert {r["room"]: r["waits"] for r in ask_json("map")["rooms"] if r["waits"]} == {"signals": 2}
    assert "2 wait" in next(line for line in flywheel("map").stdout.splitlines() if "signals" in line)


def test_one_room_is_the_weakest_link(desk, flywheel):
    assert flywheel("map").stdout.count("◀ weakest link") == 1


def test_a_failed_room_is_the_weakest_link_and_its_error_is_shown(bare, flywheel):
    flywheel("init")
    (bare / "seeds.jsonl").unlink()
    yaml = bare / "flywheel.yaml"
    yaml.write_text("encoder: ngrams\n" + yaml.read_text())
    turned = flywheel("turn")
    assert turned.exit_code == 1
    assert "collect failed: files: there is no file 'seeds.jsonl'" in turned.stdout
    shown = flywheel("map").stdout
    weakest = [line for line in shown.splitlines() if line.endswith("◀ weakest link")]
    assert [line.split()[1] for line in weakest] == ["collect"]
    assert "collect failed: files: there is no file 'seeds.jsonl'" in shown
    assert "collect failed: files: " in flywheel("status").stdout


def test_a_room_without_plugins_is_off(desk, flywheel):
    text = (desk / "flywheel.yaml").read_text()
    for line in ("velocity:", "  bottleneck: {}", "  signal_validity: {}"):
        text = text.replace(line, "#")
    (desk / "flywheel.yaml").write_text(text)
    assert flywheel("map").stdout.splitlines()[-1].endswith(" off")


def test_before_the_first_turn(bare, flywheel):
    flywheel("init")
    assert "no turn yet; make one with: flywheel turn" in flywheel("map").stdout
    shown = flywheel("status").stdout
    assert "no turn yet; make one with: flywheel turn" in shown
    assert "a person answers" in shown
    assert flywheel("readings").stdout.startswith("No readings yet")


def test_the_status_names_the_champion_and_the_questions(desk, flywheel, ask_json):
    found = ask_json("status")
    champion = found["tasks"][0]["champion"]["id"]
    shown = flywheel("status").stdout
    assert champion[:12] in shown
    assert f"Experts: {found['questions']} questions, the oldest waits " in shown
    assert f"{found['counts']['exchange']} exchanges" in shown


def test_the_readings_are_shown_with_their_units(desk, flywheel, ask_json):
    names = [reading["name"] for reading in ask_json("readings")]
    assert "bottleneck" in names
    shown = flywheel("readings").stdout
    assert all(name in shown for name in names)


def test_why_goes_back_to_what_people_said(desk, flywheel):
    with closing(Store(desk / "wheel")) as store:
        model = store.all(Model)[-1]
    shown = flywheel("why", model.id[:8]).stdout
    assert shown.startswith(f"{model.name} {model.id[:12]} ")
    words = ("taught by route-train", "exchange ", "signal correction by user: ", "gap ", "by seed 16")
    assert [word for word in words if word not in shown] == []
    assert "“[bold]not this”" in shown


def test_why_of_a_task_is_about_its_champion(desk, flywheel, ask_json):
    champion = ask_json("ask", "route", "x")["variant"]
    assert f"{champion[:12]} serves the task route" in flywheel("why", "route").stdout


def test_why_names_the_rules_by_which_signals_do_not_count(desk, flywheel):
    refused = [
        Verdict(check=QUARANTINE, about=f"{n}", passed="no", task="route", reason="campaign: 9 of 9")
        for n in range(2)
    ]
    with closing(Store(desk / "wheel")) as store:
        store.append(refused)
        model = store.all(Model)[-1]
    (line,) = [x for x in flywheel("why", model.id[:8]).stdout.splitlines() if "quarantined" in x]
    assert "campaign 2" in line


def test_why_of_an_unknown_model_is_one_line(desk, flywheel):
    refused = flywheel("why", "roue")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "error: there is no model 'roue'; did you mean 'route'?\n"


def test_why_without_models_names_the_next_command(bare, flywheel, ask_json):
    flywheel("init")
    said = "there is no model in wheel yet; teach one with: flywheel turn"
    assert flywheel("why", "route").stderr == f"error: {said}\n"
    assert ask_json("why", "route") == {"error": "UnknownModel", "message": said}
