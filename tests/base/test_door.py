import subprocess
import sys
from contextlib import suppress
from importlib import import_module, invalidate_caches
from pathlib import Path
from uuid import uuid4

import pytest

from openflywheel import study
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
    """source -> name of a plugin of study, in a folder that lies beside the room's own for this test."""
    monkeypatch.setattr(study, "__path__", [*study.__path__, str(tmp_path)])

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

    def install(line: str, group: str = "openflywheel.study") -> Path:
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
    file = Path(study.__path__[0], f"{name}.py")
    try:
        file.write_text(f"def {name}(gap, *, limit: int = 1):\n    return [gap] * limit\n")
        invalidate_caches()
        assert name in door.names("study")
        assert door.load("study", name, {"limit": 3})("gap") == ["gap", "gap", "gap"]
    finally:
        file.unlink()
        for compiled in file.parent.glob(f"__pycache__/{name}.*"):
            compiled.unlink()
    assert name not in door.names("study")


def test_listing_the_plugins_imports_none_of_them(plugin):
    name = plugin("raise RuntimeError")
    assert name in door.names("study")
    assert f"openflywheel.study.{name}" not in sys.modules


def test_files_with_an_underscore_are_the_rooms_own(tmp_path, plugin):
    plugin("")
    (tmp_path / "_machinery.py").write_text("")
    assert "_machinery" not in door.names("study")


@pytest.mark.parametrize("room", door.ROOMS)
def test_every_plugin_that_comes_with_us_opens_and_is_described(room):
    for name in door.names(room):
        with suppress(MissingExtra):  # not everybody has installed everything
            assert door.describe(room, name).doc, f"{room}.{name} says nothing about itself"


def test_an_unknown_room_gets_a_suggestion():
    with pytest.raises(UnknownPlugin, match=r"there is no room 'studdy'; did you mean 'study'\?"):
        door.names("studdy")


def test_an_unknown_plugin_gets_a_suggestion_and_the_next_command(plugin):
    name = plugin(FEED)
    wrong = name[:-1]
    with pytest.raises(UnknownPlugin) as caught:
        door.find("study", wrong)
    said = f"study has no plugin {wrong!r}; did you mean {name!r}? (see: flywheel plugins study)"
    assert str(caught.value) == said


def test_a_file_without_a_function_of_its_name_is_told(plugin):
    name = plugin("def other(): ...")
    with pytest.raises(UnknownPlugin, match=rf"{name}\.py has no function '{name}'"):
        door.find("study", name)


def test_an_error_inside_a_plugin_is_not_hidden(plugin):
    with pytest.raises(AttributeError, match="upppercase"):
        door.find("study", plugin("''.upppercase"))


def test_the_signature_is_the_configuration(plugin):
    name = plugin(FEED)
    about = door.describe("study", name)
    assert [(s.name, s.required) for s in about.settings] == [
        ("url", True),
        ("limit", False),
        ("shape", False),
    ]
    assert about.settings[1].type is int
    assert about.settings[1].default == 50
    assert (about.room, about.name, about.doc) == ("study", name, "Read a feed.")


def test_what_the_wheel_hands_in_is_no_setting(plugin):
    name = plugin(FEED)
    assert door.describe("study", name).handed == ("encoder", "seed")
    with pytest.raises(UnknownSetting, match="has no setting 'encoder'"):
        door.check("study", name, {"url": "u", "encoder": "mine"})


def test_a_loaded_plugin_has_its_settings_and_what_is_handed_in(plugin):
    run = door.load("study", plugin(FEED), {"url": "u", "limit": 2}, {"encoder": "E", "seed": 1, "tasks": {}})
    assert run("gap") == ["gap", "u", 2, "rss", "E"]


def test_an_unknown_setting_gets_a_suggestion(plugin):
    name = plugin(FEED)
    with pytest.raises(UnknownSetting) as caught:
        door.check("study", name, {"url": "u", "limits": 3})
    assert str(caught.value) == f"study.{name} has no setting 'limits'; did you mean 'limit'?"
    assert caught.value.setting == "limits"


def test_a_missing_setting_is_named(plugin):
    name = plugin(FEED)
    with pytest.raises(UnknownSetting, match=f"study.{name} needs the setting 'url'"):
        door.check("study", name, {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": "many"}, r"limit = 'many': expected a whole number$"),
        ({"url": 3}, r"url = 3: expected a text$"),
        ({"shape": "json"}, r"shape = 'json': choices: atom, rss$"),
        ({"shape": "atm"}, r"shape = 'atm': did you mean 'atom'\?$"),
    ],
)
def test_a_value_of_the_wrong_type_is_told(plugin, given, said):
    with pytest.raises(UnknownSetting, match=said):
        door.check("study", plugin(FEED), {"url": "u", **given})


def test_a_missing_package_is_named(plugin):
    name = plugin("import no_such_package.part\ndef NAME(gap): ...")
    with pytest.raises(MissingExtra) as caught:
        door.find("study", name)
    said = f"study.{name} needs 'no_such_package': pip install 'no_such_package'"
    assert str(caught.value) == said


def test_a_missing_package_of_an_extra_names_the_extra(plugin, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest_timeout", None)  # as if it were not installed
    with pytest.raises(MissingExtra, match=r"pip install 'openflywheel\[dev\]'"):
        door.find("study", plugin("import pytest_timeout\ndef NAME(gap): ..."))


def test_what_is_imported_when_it_is_called_is_looked_for_when_it_is_loaded(plugin, monkeypatch):
    name = plugin("REQUIRES = ('json', 'pytest_timeout')\ndef NAME(gap): ...")
    door.load("study", name)
    monkeypatch.setitem(sys.modules, "pytest_timeout", None)
    assert door.check("study", name, {}) == {}, "who only reads flywheel.yaml can do without"
    with pytest.raises(MissingExtra, match=r"needs 'pytest_timeout': pip install 'openflywheel\[dev\]'"):
        door.load("study", name)


@pytest.mark.parametrize("trainer", ["lora", "preference", "moe", "scratch", "encoder_lora"])
def test_a_trainer_imports_what_is_heavy_only_when_it_teaches(trainer):
    """Every command and every process of the gateway reads flywheel.yaml, which opens the plugins in it."""
    code = (
        f"import sys, openflywheel.customize.{trainer};"
        " print(sorted({'torch', 'transformers'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_package_whose_name_only_begins_like_one_of_an_extra_is_another(plugin):
    with pytest.raises(MissingExtra, match="pip install 'hypo'"):
        door.find("study", plugin("import hypo\ndef NAME(gap): ..."))


def test_a_mistake_of_our_own_is_not_taken_for_a_missing_package(plugin):
    with pytest.raises(ModuleNotFoundError, match=r"openflywheel\.no_such_file"):
        door.find("study", plugin("import openflywheel.no_such_file\ndef NAME(gap): ..."))


def test_strangers_come_through_the_same_door(stranger):
    module = f"m{uuid4().hex}"
    folder = stranger(f"tickets = {module}:read")
    (folder / f"{module}.py").write_text("def read(gap, *, board: str):\n    return [gap, board]\n")
    assert "tickets" in door.names("study")
    assert door.load("study", "tickets", {"board": "b"})("gap") == ["gap", "b"]
    with pytest.raises(UnknownSetting, match=r"study\.tickets has no setting 'bord'; did you mean 'board'"):
        door.check("study", "tickets", {"bord": "b"})


def test_a_strangers_plugin_stays_in_its_room(stranger):
    stranger("tickets = nowhere:read", group="openflywheel.study")
    assert "tickets" in door.names("study")
    assert "tickets" not in door.names("signals")


def test_a_stranger_whose_package_is_broken_is_told_like_any_other(stranger):
    stranger("tickets = no_such_stranger.deep:read")
    with pytest.raises(MissingExtra, match=r"study\.tickets needs 'no_such_stranger'"):
        door.find("study", "tickets")


def test_rooms_are_packages_in_loop_order():
    assert list(door.ROOMS) == sorted(door.ROOMS)
    assert all(hasattr(import_module(f"openflywheel.{room}"), "__path__") for room in door.ROOMS)


COLLECT = {"basis": "consent", "license": "CC0"}
SITE = """
def NAME(gap, *, start: str, pages: int = 3, state, web):
    state["seen"] = pages
    return [start, web]

def check(*, start, web, pages):
    return (start, web, pages)
"""


@pytest.fixture
def source(monkeypatch, tmp_path, plugin):
    """source -> name of a plugin of collect, where all plugins share the terms."""
    from openflywheel import collect

    monkeypatch.setattr(collect, "__path__", [*collect.__path__, str(tmp_path)])
    return plugin


def test_a_room_shares_settings_among_its_plugins(source):
    name = source(SITE)
    about = door.describe("collect", name)
    shared = {s.name for s in about.settings if s.shared}
    assert {"basis", "purposes", "region", "license", "task", "when", "contract"} == shared
    assert about.setting("basis").required
    assert not about.setting("region").required
    with pytest.raises(UnknownSetting, match="needs the setting 'basis'; choices: consent, contract, "):
        door.check("collect", name, {"start": "s"})
    with pytest.raises(UnknownSetting, match="basis = 'none': choices: consent, "):
        door.check("collect", name, {"start": "s", "basis": "none"})


def test_a_loaded_plugin_carries_the_shared_settings_and_its_identity(source):
    name = source(SITE)
    first, more, other = (
        door.load("collect", name, {**COLLECT, **given}, {"web": "W"})
        for given in ({"start": "a"}, {"start": "a", "pages": 9}, {"start": "b"})
    )
    assert (first.terms.basis, first.terms.license) == ("consent", "CC0")
    assert first.identity == more.identity != other.identity
    assert first.identity.startswith(f"{name}-")
    assert door.name_of(first) == name


def test_what_a_room_hands_over_at_the_call_is_left_open(source):
    loaded = door.load("collect", source(SITE), {**COLLECT, "start": "a"}, {"web": "W"})
    state = {}
    assert door.wants(loaded) == ("state",)
    assert loaded("gap", state=state) == ["a", "W"]
    assert state == {"seen": 3}


def test_the_functions_beside_a_plugin_get_its_settings(source):
    loaded = door.load("collect", source(SITE), {**COLLECT, "start": "a"}, {"web": "W"})
    assert door.beside(loaded, "check")() == ("a", "W", 3)
    assert door.beside(loaded, "discover") is None


def test_what_a_plugins_file_imports_is_not_beside_it(source):
    name = source("from shutil import which as check\ndef NAME(gap): ...")
    assert door.beside(door.load("collect", name, COLLECT), "check") is None


def test_beside_a_plugin_of_that_very_name_the_function_ends_in_an_underscore(monkeypatch, tmp_path):
    from openflywheel.collect import discover

    loaded = door.load("collect", "discover", {"key": "k", "basis": "consent"}, dict.fromkeys(door.HANDED_IN))
    assert door.beside(loaded, "discover").func is discover.discover_


def test_uses_that_look_the_same_are_told_apart(source):
    name = source(SITE)
    given = [{"start": "a"}, {"start": "a"}, {"start": "a", "task": "route"}, {"start": "b"}]
    loaded = [door.load("collect", name, {**COLLECT, **g}, {"web": "W"}) for g in given]
    told = door.told_apart([*loaded, len])
    first, second, *others = (use.identity for use in told[:-1])
    assert second == f"{first}-2"
    assert len({first, second, *others}) == 4
    assert told[-1] is len
