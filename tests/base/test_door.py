import sys
from contextlib import suppress
from importlib import import_module, invalidate_caches
from pathlib import Path
from uuid import uuid4

import pytest

from openflywheel import collect
from openflywheel.base import door
from openflywheel.base.errors import MissingExtra, UnknownPlugin, UnknownSetting

FEED = '''
"""Read a feed."""

from typing import Literal

def NAME(gap, *, url: str, limit: int = 50, shape: Literal["rss", "atom"] = "rss", encoder=None, seed=0):
    return [gap, url, limit, shape, encoder]
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """source -> name of a plugin of collect, in a folder that lies beside the room's own for this test."""
    monkeypatch.setattr(collect, "__path__", [*collect.__path__, str(tmp_path)])

    def write(source: str) -> str:
        name = f"p{uuid4().hex}"
        (tmp_path / f"{name}.py").write_text(source.replace("NAME", name))
        invalidate_caches()
        return name

    return write


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """Install a package, named by a line of entry points, as pip would lay it down."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(line: str, group: str = "openflywheel.collect") -> Path:
        info = tmp_path / f"stranger_{uuid4().hex}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {info.name.split('-')[0]}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{line}\n")
        invalidate_caches()
        return tmp_path

    return install


def test_a_new_plugin_is_one_new_file():
    name = f"p{uuid4().hex}"
    file = Path(collect.__path__[0], f"{name}.py")
    try:
        file.write_text(f"def {name}(gap, *, limit: int = 1):\n    return [gap] * limit\n")
        invalidate_caches()
        assert name in door.names("collect")
        assert door.load("collect", name, {"limit": 3})("gap") == ["gap", "gap", "gap"]
    finally:
        file.unlink()
        for compiled in file.parent.glob(f"__pycache__/{name}.*"):
            compiled.unlink()
    assert name not in door.names("collect")


def test_listing_the_plugins_imports_none_of_them(plugin):
    name = plugin("raise RuntimeError")
    assert name in door.names("collect")
    assert f"openflywheel.collect.{name}" not in sys.modules


def test_files_with_an_underscore_are_the_rooms_own(tmp_path, plugin):
    plugin("")
    (tmp_path / "_machinery.py").write_text("")
    assert "_machinery" not in door.names("collect")


@pytest.mark.parametrize("room", door.ROOMS)
def test_every_plugin_that_comes_with_us_opens_and_is_described(room):
    for name in door.names(room):
        with suppress(MissingExtra):  # not everybody has installed everything
            assert door.describe(room, name).doc, f"{room}.{name} says nothing about itself"


def test_an_unknown_room_gets_a_suggestion():
    with pytest.raises(UnknownPlugin, match=r"there is no room 'colect'; did you mean 'collect'\?"):
        door.names("colect")


def test_an_unknown_plugin_gets_a_suggestion_and_the_next_command(plugin):
    name = plugin(FEED)
    wrong = name[:-1]
    with pytest.raises(UnknownPlugin) as caught:
        door.find("collect", wrong)
    said = f"collect has no plugin {wrong!r}; did you mean {name!r}? (see: flywheel plugins collect)"
    assert str(caught.value) == said


def test_a_file_without_a_function_of_its_name_is_told(plugin):
    name = plugin("def other(): ...")
    with pytest.raises(UnknownPlugin, match=rf"{name}\.py has no function '{name}'"):
        door.find("collect", name)


def test_an_error_inside_a_plugin_is_not_hidden(plugin):
    with pytest.raises(AttributeError, match="upppercase"):
        door.find("collect", plugin("''.upppercase"))


def test_the_signature_is_the_configuration(plugin):
    name = plugin(FEED)
    about = door.describe("collect", name)
    assert [(s.name, s.required) for s in about.settings] == [
        ("url", True),
        ("limit", False),
        ("shape", False),
    ]
    assert about.settings[1].type is int
    assert about.settings[1].default == 50
    assert (about.room, about.name, about.doc) == ("collect", name, "Read a feed.")


def test_what_the_wheel_hands_in_is_no_setting(plugin):
    name = plugin(FEED)
    assert door.describe("collect", name).handed == ("encoder", "seed")
    with pytest.raises(UnknownSetting, match="has no setting 'encoder'"):
        door.check("collect", name, {"url": "u", "encoder": "mine"})


def test_a_loaded_plugin_has_its_settings_and_what_is_handed_in(plugin):
    run = door.load(
        "collect", plugin(FEED), {"url": "u", "limit": 2}, {"encoder": "E", "seed": 1, "tasks": {}}
    )
    assert run("gap") == ["gap", "u", 2, "rss", "E"]


def test_an_unknown_setting_gets_a_suggestion(plugin):
    name = plugin(FEED)
    with pytest.raises(UnknownSetting) as caught:
        door.check("collect", name, {"url": "u", "limits": 3})
    assert str(caught.value) == f"collect.{name} has no setting 'limits'; did you mean 'limit'?"
    assert caught.value.setting == "limits"


def test_a_missing_setting_is_named(plugin):
    name = plugin(FEED)
    with pytest.raises(UnknownSetting, match=f"collect.{name} needs the setting 'url'"):
        door.check("collect", name, {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": "many"}, r"limit = 'many': Expected `int`, got `str`"),
        ({"url": 3}, r"url = 3: Expected `str`, got `int`"),
        ({"shape": "json"}, r"shape = 'json': Invalid enum value 'json'"),
    ],
)
def test_a_value_of_the_wrong_type_is_told(plugin, given, said):
    with pytest.raises(UnknownSetting, match=said):
        door.check("collect", plugin(FEED), {"url": "u", **given})


def test_a_missing_package_is_named(plugin):
    name = plugin("import no_such_package.part\ndef NAME(gap): ...")
    with pytest.raises(MissingExtra) as caught:
        door.find("collect", name)
    said = f"collect.{name} needs 'no_such_package': pip install 'no_such_package'"
    assert str(caught.value) == said


def test_a_missing_package_of_an_extra_names_the_extra(plugin, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_timeout", None)  # as if it were not installed
    with pytest.raises(MissingExtra, match=r"pip install 'openflywheel\[dev\]'"):
        door.find("collect", plugin("import pytest_timeout\ndef NAME(gap): ..."))


def test_a_package_whose_name_only_begins_like_one_of_an_extra_is_another(plugin):
    with pytest.raises(MissingExtra, match="pip install 'hypo'"):
        door.find("collect", plugin("import hypo\ndef NAME(gap): ..."))


def test_a_mistake_of_our_own_is_not_taken_for_a_missing_package(plugin):
    with pytest.raises(ModuleNotFoundError, match=r"openflywheel\.no_such_file"):
        door.find("collect", plugin("import openflywheel.no_such_file\ndef NAME(gap): ..."))


def test_strangers_come_through_the_same_door(stranger):
    module = f"m{uuid4().hex}"
    folder = stranger(f"tickets = {module}:read")
    (folder / f"{module}.py").write_text("def read(gap, *, board: str):\n    return [gap, board]\n")
    assert "tickets" in door.names("collect")
    assert door.load("collect", "tickets", {"board": "b"})("gap") == ["gap", "b"]
    with pytest.raises(UnknownSetting, match=r"collect\.tickets has no setting 'bord'; did you mean 'board'"):
        door.check("collect", "tickets", {"bord": "b"})


def test_a_strangers_plugin_stays_in_its_room(stranger):
    stranger("tickets = nowhere:read", group="openflywheel.study")
    assert "tickets" in door.names("study")
    assert "tickets" not in door.names("collect")


def test_a_stranger_whose_package_is_broken_is_told_like_any_other(stranger):
    stranger("tickets = no_such_stranger.deep:read")
    with pytest.raises(MissingExtra, match=r"collect\.tickets needs 'no_such_stranger'"):
        door.find("collect", "tickets")


def test_rooms_are_packages_in_loop_order():
    assert list(door.ROOMS) == sorted(door.ROOMS)
    assert all(hasattr(import_module(f"openflywheel.{room}"), "__path__") for room in door.ROOMS)
