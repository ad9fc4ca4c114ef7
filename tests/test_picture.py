"""The folder listing is the loop, and the code says so wherever it says it."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import openflywheel
from openflywheel.base import door
from openflywheel.base.nouns import KINDS, Arrow
from openflywheel.wheel.ring import RING, ROOMS, TURN

PACKAGE = Path(openflywheel.__file__).parent
ROOT = PACKAGE.parent
KEEPER = "store"  # a room without an arrow: it keeps what the others give
FOLDERS = sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py"))
LOOP = [name for name in FOLDERS if name not in ("base", "wheel", "window")]
LISTING = "base collect curate customize evaluate guard serve signals store study velocity wheel window"
ARROWS = [(room, module.ARROW) for room, module in ROOMS.items()]
PLUGINS = [(room, name) for room in door.ROOMS for name in door.names(room)]
FILES = [(room, path) for room in LOOP for path in sorted((PACKAGE / room).rglob("*.py"))]


def said(arrow: Arrow) -> str:
    """ "Gap -> Record"."""
    return f"{arrow.takes.__name__} -> {arrow.gives.__name__}"


def imported(path: Path) -> set[str]:
    """Folders of openflywheel that a file imports from."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively: say where from"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name.split(".")[1] for name in found if name.startswith("openflywheel.")}


def test_the_folders_in_alphabetical_order_are_the_loop():
    assert LISTING.split() == FOLDERS


def test_the_order_of_the_folders_is_the_order_of_the_ring():
    assert [name for name in LOOP if name not in (KEEPER, "velocity")] == list(RING)


def test_every_room_but_the_store_stands_in_the_ring_at_the_door_and_in_a_turn():
    rooms = [name for name in LOOP if name != KEEPER]
    assert rooms == list(ROOMS) == list(door.ROOMS) == sorted(TURN)


@pytest.mark.parametrize(("before", "after"), list(pairwise(RING)))
def test_what_a_room_gives_the_next_one_takes(before: str, after: str):
    gives, takes = RING[before].ARROW.gives, RING[after].ARROW.takes
    both_judge_models = RING[before].ARROW.takes is takes and RING[after].ARROW.gives is gives
    assert gives is takes or both_judge_models


def test_the_ring_closes():
    first, *_, last = RING.values()
    assert last.ARROW.gives is first.ARROW.takes


def test_a_turn_is_the_ring_begun_at_what_was_heard_and_closed_by_velocity():
    rooms = list(RING)
    start = rooms.index("signals")
    assert [*rooms[start:], *rooms[:start], "velocity"] == list(TURN)


def test_arrows_join_nouns_that_the_store_keeps():
    assert {kind for _, arrow in ARROWS for kind in (arrow.takes, arrow.gives, *arrow.given)} <= set(KINDS)


@pytest.mark.parametrize(("room", "arrow"), ARROWS, ids=list(ROOMS))
def test_a_rooms_docstring_begins_with_its_arrow(room: str, arrow: Arrow):
    doc = ROOMS[room].__doc__ or ""
    assert doc.startswith(f"{said(arrow)}: ")


@pytest.mark.parametrize(("room", "arrow"), ARROWS, ids=list(ROOMS))
def test_the_package_docstring_draws_the_rooms_arrow(room: str, arrow: Arrow):
    lines = [" ".join(line.split()) for line in (openflywheel.__doc__ or "").splitlines()]
    assert any(line.startswith(f"{room} {said(arrow)} ") for line in lines), lines


@pytest.mark.parametrize("picture", ["openflywheel/__init__.py", "docs/architecture.md"])
def test_the_rooms_are_drawn_in_the_order_of_the_loop(picture: str):
    lines = (ROOT / picture).read_text(encoding="utf-8").splitlines()
    words = [line.split()[0].rstrip("/") for line in lines if line.startswith("  ") and line.strip()]
    assert [word for word in words if word in LOOP] == LOOP


def test_the_readme_draws_every_room():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    drawing = text.split("```")[1]
    assert {room for room in LOOP if room in drawing} == set(LOOP)


@pytest.mark.parametrize(("room", "name"), PLUGINS)
def test_a_plugin_is_found_by_its_files_name_and_documented(room: str, name: str):
    module = import_module(f"openflywheel.{room}.{name}")
    function = door.find(room, name)
    assert Path(inspect.getfile(function)) == PACKAGE / room / f"{name}.py"
    assert function.__name__ == name
    assert (inspect.getdoc(module) or "").count(" ") >= 2
    assert (inspect.getdoc(function) or "").count(" ") >= 2


@pytest.mark.parametrize(("room", "path"), FILES, ids=[f"{r}/{p.name}" for r, p in FILES])
def test_a_room_imports_itself_and_base_alone(room: str, path: Path):
    assert imported(path) <= {room, "base"}


def test_base_imports_no_room():
    assert {folder for path in (PACKAGE / "base").rglob("*.py") for folder in imported(path)} == {"base"}


def test_the_wheel_does_not_know_the_window():
    seen = {folder for path in (PACKAGE / "wheel").rglob("*.py") for folder in imported(path)}
    assert "window" not in seen
    assert set(LOOP) <= seen  # it is the one that knows them all


def test_importing_the_package_loads_nothing_else():
    code = "import sys; old = set(sys.modules); import openflywheel; print(*sorted(set(sys.modules) - old))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    heavy = {"numpy", "pyarrow", "dbos", "deltalake", "onnxruntime", "msgspec", "yaml", "click", "rich"}
    assert not heavy & set(out.split())
    assert not [name for name in out.split() if name.startswith("openflywheel.")]


def test_the_flywheel_is_had_from_the_package():
    code = "from openflywheel import Flywheel; print(Flywheel.__module__)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out == "openflywheel.wheel.flywheel\n"


def test_the_package_offers_nothing_else():
    with pytest.raises(AttributeError, match="module 'openflywheel' has no attribute 'Flywheels'"):
        openflywheel.Flywheels  # noqa: B018
