"""What `flywheel plugins` and `flywheel schema` show."""

import json
from importlib import invalidate_caches
from uuid import uuid4

from openflywheel.base import door
from openflywheel.base.schema import schema


def test_every_plugin_of_every_room_is_shown(flywheel, ask_json):
    expected = [(room, name) for room in door.ROOMS for name in door.names(room)]
    assert [(p["room"], p["name"]) for p in ask_json("plugins")] == expected
    shown = flywheel("plugins").stdout.splitlines()
    assert [line.split()[0] for line in shown if line[0] != " "] == [f"{r}.{n}" for r, n in expected]


def test_a_room_narrows_it(ask_json):
    assert {p["room"] for p in ask_json("plugins", "guard")} == {"guard"}


def test_settings_come_with_type_and_default(flywheel, ask_json):
    settings = {s["name"]: s for p in ask_json("plugins", "collect") for s in p["settings"]}
    assert settings["path"] == {"name": "path", "type": "str", "required": True}
    assert settings["label"] == {"name": "label", "type": "str", "default": "label"}
    shown = flywheel("plugins", "collect").stdout
    assert "    path: str required\n" in shown
    assert '    label: str = "label"\n' in shown


def test_what_the_wheel_hands_in_is_no_setting(flywheel, ask_json):
    rephrase = next(p for p in ask_json("plugins", "signals") if p["name"] == "rephrase")
    assert rephrase["handed"] == ["encoder"]
    assert "encoder" not in {s["name"] for s in rephrase["settings"]}
    assert "    handed in by the wheel: encoder\n" in flywheel("plugins", "signals").stdout


def test_a_plugin_with_a_missing_library_says_what_to_install(ask_json, flywheel, tmp_path, monkeypatch):
    info = tmp_path / f"stranger_{uuid4().hex}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[openflywheel.collect]\nfar = no_such_stranger.deep:far\n")
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    found = next(p for p in ask_json("plugins", "collect") if p["name"] == "far")
    assert found["missing"] == "collect.far needs 'no_such_stranger': pip install 'no_such_stranger'"
    assert f"collect.far  {found['missing']}\n" in flywheel("plugins", "collect").stdout


def test_the_schema_is_printed_with_and_without_json(flywheel, ask_json):
    assert ask_json("schema") == json.loads(json.dumps(schema()))
    assert flywheel("schema").stdout == flywheel("schema", "--json").stdout
