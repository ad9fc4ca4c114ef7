"""`flywheel init`: two files that run as they are."""

import json
import re

import yaml

from openflywheel.base import door, settings
from openflywheel.window._first_files import EXAMPLES, SEEDS, SETTINGS


def test_the_settings_are_valid_and_leave_no_room_out():
    found = settings.parse(SETTINGS)
    assert set(found.rooms) == set(door.ROOMS)
    assert all(found.rooms.values())
    assert set(found.tasks) == {"route"}


def test_the_rooms_stand_in_loop_order():
    keys = list(yaml.safe_load(SETTINGS))
    assert [key for key in keys if key in door.ROOMS] == list(door.ROOMS)


def test_every_room_has_a_comment():
    for room in door.ROOMS:
        assert re.search(rf"^{room}: .*# \w+ -> \w+", SETTINGS, re.MULTILINE), room


def test_the_seeds_are_labelled_examples():
    rows = [json.loads(line) for line in SEEDS.splitlines()]
    assert len(rows) == len({row["text"] for row in rows}) == 16
    assert {row["label"] for row in rows} == set(EXAMPLES)


def test_the_first_turn_teaches_a_champion(bare, flywheel, ask_json):
    assert flywheel("init").exit_code == 0
    text = (bare / "flywheel.yaml").read_text()
    (bare / "flywheel.yaml").write_text("encoder: ngrams\n" + text)
    assert [step["error"] for step in ask_json("turn")] == [""] * 9
    assert ask_json("ask", "route", "I was charged twice")["choices"][0] == "billing"


def test_nothing_is_overwritten_without_force(bare, flywheel):
    (bare / "seeds.jsonl").write_text("mine")
    refused = flywheel("init")
    assert refused.exit_code == 2
    assert refused.stderr == "error: seeds.jsonl would be overwritten; do so with: flywheel init --force\n"
    assert not (bare / "flywheel.yaml").exists()
    assert (bare / "seeds.jsonl").read_text() == "mine"
    assert flywheel("init", "--force").exit_code == 0
    assert (bare / "seeds.jsonl").read_text() == SEEDS


def test_the_next_commands_name_the_file(bare, flywheel):
    result = flywheel("init", "-f", "desk/flywheel.yaml")
    assert "flywheel turn -f desk/flywheel.yaml\n" in result.stdout
    assert (bare / "desk" / "flywheel.yaml").read_text() == SETTINGS
